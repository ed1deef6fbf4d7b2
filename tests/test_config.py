import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from slowping import config
from slowping.core import errors

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def refusal(file: Path | None, environ: dict[str, str]) -> str:
    with pytest.raises(errors.ConfigError) as caught:
        config.load(file, environ)
    return str(caught.value)


def test_without_anything_the_defaults_hold() -> None:
    assert config.load(None, {}) == config.Config()


def test_the_example_parses_to_the_defaults() -> None:
    assert config.load(EXAMPLE, {}) == config.Config()


def test_the_example_names_every_option_once() -> None:
    uncommented = re.sub(r"(?m)^# (?=\w+ = |\[)", "", EXAMPLE.read_text(encoding="utf-8"))
    assert sorted(leaves(tomllib.loads(uncommented))) == sorted(
        option.replace("notifiers.plugins", "notifiers.plugins.example.option")
        for option in config.option_names()
    )


def test_the_example_says_why_above_every_option() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    for above, line in itertools.pairwise(lines):
        if re.match(r"(# )?\w+ = ", line) and "option =" not in line:
            assert above.startswith("# "), line


def leaves(table: dict[str, object], prefix: str = "") -> list[str]:
    found = []
    for key, value in table.items():
        name = f"{prefix}{key}"
        found += leaves(value, f"{name}.") if isinstance(value, dict) else [name]
    return found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[server]\nprot = 1", "there is no option server.prot. Did you mean server.port?"),
        ("port = 1", "there is no option port. Did you mean server.port?"),
        ("[srever]\nport = 1", "there is no option srever. Did you mean server?"),
        (
            "[notifiers.emial]\nhost = 'x'",
            "there is no option notifiers.emial. Did you mean notifiers.email?",
        ),
        ("zzz = 1", "there is no option zzz. See config.example.toml for all of them."),
        ("[server]\nport = '1'", "server.port must be a port number, 1 to 65535."),
        ("[server]\nport = 70000", "server.port must be a port number, 1 to 65535."),
        ("server = 1", "server must be a section, [server]."),
        ("data = 1", "data must be the path of a folder."),
        ("[log]\nlevel = 'loud'", "log.level must be one of debug, info, warning, error."),
        (
            "[notifiers.webhook]\nallow_networks = ['10.0.0.1/8']",
            'notifiers.webhook.allow_networks must be a list of networks such as "10.0.0.0/8": '
            "10.0.0.1/8 has host bits set.",
        ),
        (
            "[notifiers.webhook]\nallow_networks = '10.0.0.0/8'",
            'notifiers.webhook.allow_networks must be a list of networks such as "10.0.0.0/8".',
        ),
        (
            "[notifiers.discord]\napi_base = 'discord.com'",
            "notifiers.discord.api_base must be an address that starts with http:// or https://.",
        ),
        ("[notifiers.email]\nport = 0", "notifiers.email.port must be a port number, 1 to 65535."),
        ("[notifiers]\nplugins = 1", "notifiers.plugins must be sections, one for each kind."),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_the_remedy(
    tmp_path: Path, text: str, problem: str
) -> None:
    file = written(tmp_path, text)
    assert refusal(file, {}) == f"{file}: {problem}"


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    file = written(tmp_path, "[server]\nprot = 1\nport = 0\nhost = 'a'\n[disk]\nmin_free_mb = -1")
    environ = {"SLOWPING_LOG__LEVEL": "loud", "SLOWPING_SERVER__HOST_FILE": str(tmp_path / "gone")}
    assert [line.partition(" ")[0] for line in refusal(file, environ).splitlines()] == [
        *[f"{file}:"] * 3,
        "SLOWPING_LOG__LEVEL:",
        "SLOWPING_SERVER__HOST_FILE:",
    ]


def test_a_file_that_is_not_toml_is_refused_with_the_line(tmp_path: Path) -> None:
    file = written(tmp_path, "[server]\nport = \nhost = 1")
    assert refusal(file, {}).startswith(f"{file}: is not valid TOML: ")
    assert "line 2" in refusal(file, {})


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "nowhere.toml"
    assert refusal(file, {}) == f"{file}: cannot be read: No such file or directory."


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"data = '\xff'")
    assert refusal(file, {}) == f"{file}: is not UTF-8 text."


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "[server]\nport = 1\nhost = 'a'")
    section = config.load(file, {"SLOWPING_SERVER__PORT": "2"}).server
    assert (section.host, section.port) == ("a", 2)


def test_variables_are_read_as_what_the_option_is() -> None:
    loaded = config.load(
        None,
        {
            "SLOWPING_DATA": "/srv/slowping",
            "SLOWPING_SERVER__TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8, caddy, 3proxy.example.org",
            "SLOWPING_SERVER__ADMIN_FROM": "192.0.2.7, 2001:db8::/32",
            "SLOWPING_SERVER__BODY_TIMEOUT_S": "2.5",
            "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_HTTP": "true",
            "SLOWPING_NOTIFIERS__EMAIL__PORT": "2525",
        },
    )
    assert loaded.data == Path("/srv/slowping")
    assert loaded.server.trusted_proxies == (
        "10.0.0.0/8", "fd00::/8", "caddy", "3proxy.example.org",
    )  # fmt: skip
    assert loaded.server.admin_from == ("192.0.2.7/32", "2001:db8::/32")
    assert loaded.server.body_timeout_s == 2.5
    assert loaded.notifiers.webhook.allow_http is True
    assert loaded.notifiers.email.port == 2525


@pytest.mark.parametrize(
    ("variable", "text", "problem"),
    [
        *(
            (
                "SLOWPING_SERVER__TRUSTED_PROXIES",
                host,
                "server.trusted_proxies must be a list of networks and host names such as "
                f'"10.0.0.0/8" and "proxy": {why}.',
            )
            for host, why in (
                ("10.0.0.256", "'10.0.0.256' does not appear to be an IPv4 or IPv6 network"),
                ("10.0.0.1/8", "10.0.0.1/8 has host bits set"),
                ("a host", "'a host' does not appear to be an IPv4 or IPv6 network"),
            )
        ),
        ("SLOWPING_SERVER__PORT", "http", "server.port must be a port number, 1 to 65535."),
        (
            "SLOWPING_SERVER__PROT",
            "1",
            "there is no option server.prot. Did you mean SLOWPING_SERVER__PORT?",
        ),
        (
            "SLOWPING_NOTIFIERS__PLUGINS",
            "1",
            "an option of a plug-in is named notifiers.plugins.<kind>.<option>.",
        ),
    ],
)
def test_what_is_wrong_in_a_variable_is_told_with_its_name(
    variable: str, text: str, problem: str
) -> None:
    assert refusal(None, {variable: text}) == f"{variable}: {problem}"


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert config.load(None, {"SLOWPING_SERVER__PORT": ""}) == config.Config()


def test_variables_of_a_container_platform_are_left_alone() -> None:
    environ = {"SLOWPING_PORT": "tcp://10.0.0.1:80", "SLOWPING_SERVICE_HOST": "10.0.0.1"}
    assert config.load(None, environ) == config.Config()


def test_a_secret_can_come_from_a_file_that_a_variable_names(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("swordfish\n", encoding="utf-8")
    loaded = config.load(None, {"SLOWPING_NOTIFIERS__EMAIL__PASSWORD_FILE": str(secret)})
    assert loaded.notifiers.email.password == "swordfish"


def test_a_variable_and_its_file_at_once_are_refused(tmp_path: Path) -> None:
    environ = {"SLOWPING_DATA": "/a", "SLOWPING_DATA_FILE": str(tmp_path / "b")}
    assert refusal(None, environ) == (
        "SLOWPING_DATA and SLOWPING_DATA_FILE are both set: keep one of them."
    )


def test_a_variable_that_names_a_missing_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "nowhere"
    assert refusal(None, {"SLOWPING_DATA_FILE": str(file)}) == (
        f"SLOWPING_DATA_FILE: cannot read {file}: No such file or directory."
    )


def test_a_credential_wins_over_a_variable(tmp_path: Path) -> None:
    (tmp_path / "notifiers.email.password").write_text("swordfish\n", encoding="utf-8")
    environ = {
        "CREDENTIALS_DIRECTORY": str(tmp_path),
        "SLOWPING_NOTIFIERS__EMAIL__PASSWORD": "tuna",
    }
    assert config.load(None, environ).notifiers.email.password == "swordfish"


def test_credentials_that_are_not_named_like_an_option_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "tls.key").write_bytes(b"\xff")
    (tmp_path / "secret").write_bytes(b"\xff")
    assert config.load(None, {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == config.Config()


def test_a_misspelt_credential_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notifiers.email.pasword").write_text("swordfish", encoding="utf-8")
    told = refusal(None, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert "Did you mean notifiers.email.password?" in told
    assert "swordfish" not in told


def test_a_plug_in_gets_its_section_as_it_stands(tmp_path: Path) -> None:
    file = written(tmp_path, "[notifiers.plugins.ntfy]\ntopics = ['a', 'b']\ntoken = 'x'")
    loaded = config.load(file, {"SLOWPING_NOTIFIERS__PLUGINS__NTFY__TOKEN": "y"})
    assert loaded.notifiers.plugins == {"ntfy": {"topics": ["a", "b"], "token": "y"}}


def test_a_wrong_secret_is_not_repeated(tmp_path: Path) -> None:
    file = written(tmp_path, "[notifiers.email]\npassword = ['swordfish']")
    assert "swordfish" not in refusal(file, {})


def test_a_far_sides_address_ends_without_a_slash() -> None:
    environ = {"SLOWPING_NOTIFIERS__TELEGRAM__API_BASE": "http://127.0.0.1:8081/"}
    assert config.load(None, environ).notifiers.telegram.api_base == "http://127.0.0.1:8081"


def test_what_no_log_may_tell_is_known(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        '[notifiers.email]\npassword = "4f3a9c21"\n'
        '[notifiers.plugins.ntfy]\nserver = "https://ntfy.sh"\naccess_token = "5e8b7d60"\n'
    )
    assert config.load(file, {}).secrets == ("4f3a9c21", "5e8b7d60")


def test_the_files_that_hold_a_secret_are_known(tmp_path: Path) -> None:
    names = ("plain.toml", "secret.toml", "password", "port")
    plain, secret, password, port = (tmp_path / name for name in names)
    plain.write_text("[server]\nport = 1\n")
    secret.write_text('[notifiers.email]\npassword = "4f3a9c21"\n')
    password.write_text("5e8b7d60\n")
    port.write_text("8080\n")
    environ = {
        "SLOWPING_NOTIFIERS__EMAIL__PASSWORD_FILE": str(password),
        "SLOWPING_SERVER__PORT_FILE": str(port),
    }
    assert config.secret_files(plain, environ) == [password]
    assert config.secret_files(secret, {}) == [secret]
    assert config.secret_files(None, {"SLOWPING_SERVER__PORT": "1"}) == []


@pytest.mark.parametrize(
    ("server", "in_clear"),
    [
        ({}, False),
        ({"host": "localhost"}, False),
        ({"host": "127.1.2.3"}, False),
        ({"host": "::1"}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "192.168.1.7"}, True),
        ({"host": "events.example.org"}, True),
        ({"host": "::", "tls_certificate": Path("/tls/full.pem")}, False),
        ({"host": "::", "trusted_proxies": ("10.0.0.0/8",)}, False),
    ],
    ids=str,
)
def test_keys_travel_in_clear_where_others_are_let_in_without_tls(
    server: dict[str, Any], in_clear: bool
) -> None:
    assert config.ServerSection(**server).is_in_clear is in_clear

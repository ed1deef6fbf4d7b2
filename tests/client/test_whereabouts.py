import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from slowping.client import whereabouts
from slowping.client.whereabouts import Address
from slowping.core import errors

LOCAL = "http://127.0.0.1:7465"
ADMIN = (whereabouts.ADMIN_KEY_FILE,)
INGEST_FIRST = (whereabouts.INGEST_KEY_FILE, whereabouts.ADMIN_KEY_FILE)
REMOTE = Address("https://remote", "remote-key", "the memory", server_from="the memory")
OTHER = Address("https://other/", "other-key", "the memory", server_from="the memory")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder in which a server has run."""
    (tmp_path / whereabouts.SERVER_FILE).write_text(json.dumps({"url": LOCAL}), encoding="utf-8")
    (tmp_path / whereabouts.ADMIN_KEY_FILE).write_text("the-admin-key\n", encoding="utf-8")
    (tmp_path / whereabouts.INGEST_KEY_FILE).write_text("the-ingest-key\n", encoding="utf-8")
    return tmp_path


def found(
    *,
    server: str | None = None,
    api_key: str | None = None,
    data: Path | None = None,
    key_files: tuple[str, ...] = ADMIN,
    remembered: Sequence[Address] = (),
    **environ: str,
) -> Address:
    return whereabouts.find(server, api_key, data, environ, key_files, lambda: remembered)


def test_on_the_servers_machine_nothing_needs_to_be_typed(folder: Path) -> None:
    address = found(SLOWPING_DATA=str(folder))
    assert address[:2] == (LOCAL, "the-admin-key")


def test_the_configuration_file_may_say_where_the_data_folder_is(folder: Path) -> None:
    file = folder / "config.toml"
    file.write_text(f'data = "{folder}"', encoding="utf-8")
    assert found(SLOWPING_CONFIG=str(file)).server == LOCAL


def test_a_sender_takes_the_ingest_key_first(folder: Path) -> None:
    assert found(data=folder, key_files=INGEST_FIRST).api_key == "the-ingest-key"


def test_a_sender_takes_the_admin_key_where_there_is_no_other(folder: Path) -> None:
    (folder / whereabouts.INGEST_KEY_FILE).unlink()
    assert found(data=folder, key_files=INGEST_FIRST).api_key == "the-admin-key"


def test_what_is_typed_wins_over_variables() -> None:
    address = found(
        server="http://a", api_key="typed", SLOWPING_SERVER="http://b", SLOWPING_API_KEY="set"
    )
    assert address == Address(server="http://a", api_key="typed", key_from="--api-key")


def test_variables_win_over_files(folder: Path) -> None:
    address = found(data=folder, SLOWPING_SERVER="http://b", SLOWPING_API_KEY="set")
    assert address[:2] == ("http://b", "set")
    assert address.key_from == "the variable SLOWPING_API_KEY"


def test_a_stored_key_tells_its_file(folder: Path) -> None:
    assert found(data=folder).key_from == f"the file {folder / 'admin.key'}"


def test_a_stored_key_is_not_shown_to_another_server(folder: Path) -> None:
    with pytest.raises(errors.NoCredential, match="No API key for http://elsewhere"):
        found(server="http://elsewhere", data=folder)


def test_a_stored_key_goes_to_its_own_server_by_name(folder: Path) -> None:
    assert found(server=f"{LOCAL}/", data=folder).api_key == "the-admin-key"


# What is remembered ---------------------------------------------------------------------------


@pytest.fixture
def at_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder in the platform's place, where nobody has to name it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "share"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    home = folder / "share/slowping"
    home.mkdir(parents=True)
    for name in (whereabouts.SERVER_FILE, *INGEST_FIRST):
        (folder / name).rename(home / name)
    return home


@pytest.mark.usefixtures("at_home")
def test_the_server_that_is_remembered_first_goes_before_that_of_this_machine() -> None:
    assert found(remembered=[REMOTE, OTHER]) == REMOTE
    assert found(remembered=[])[:2] == (LOCAL, "the-admin-key")


@pytest.mark.usefixtures("at_home")
def test_what_is_set_goes_before_what_is_remembered() -> None:
    both = found(remembered=[REMOTE], SLOWPING_SERVER="http://b", SLOWPING_API_KEY="set")
    assert both == Address("http://b", "set", "the variable SLOWPING_API_KEY")
    key_alone = found(remembered=[REMOTE], SLOWPING_API_KEY="set")
    assert key_alone[:3] == ("https://remote", "set", "the variable SLOWPING_API_KEY")


@pytest.mark.parametrize("server", ["https://other", "https://other/"])
def test_a_remembered_key_goes_to_its_own_server_by_name(server: str) -> None:
    address = found(server=server, remembered=[REMOTE, OTHER])
    assert address == Address(server, "other-key", "the memory")


def test_a_remembered_key_is_not_shown_to_another_server(at_home: Path) -> None:
    del at_home
    with pytest.raises(errors.NoCredential, match="No API key for http://elsewhere"):
        found(server="http://elsewhere", remembered=[REMOTE])


def test_whoever_names_a_data_folder_means_the_server_there(folder: Path) -> None:
    file = folder / "config.toml"
    file.write_text(f'data = "{folder}"', encoding="utf-8")
    for address in (
        found(data=folder, remembered=[REMOTE]),
        found(SLOWPING_DATA=str(folder), remembered=[REMOTE]),
        found(SLOWPING_CONFIG=str(file), remembered=[REMOTE]),
    ):
        assert address[:2] == (LOCAL, "the-admin-key")


def test_a_command_that_needs_no_key_shows_none(folder: Path) -> None:
    del folder
    address = found(key_files=(), remembered=[REMOTE])
    assert address == Address("https://remote", None, server_from="the memory")


# What is missing ------------------------------------------------------------------------------


def test_without_a_key_the_remedy_is_named(folder: Path) -> None:
    (folder / whereabouts.ADMIN_KEY_FILE).unlink()
    with pytest.raises(errors.NoCredential, match="give --api-key or set SLOWPING_API_KEY"):
        found(data=folder)


def test_without_a_server_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.Unreachable, match="'slowping serve', with the --config or --data"):
        found(data=tmp_path)


def test_a_command_that_needs_no_key_reads_none(folder: Path) -> None:
    assert found(data=folder, key_files=()) == Address(server=LOCAL, api_key=None)


def test_a_key_file_that_is_none_is_refused_without_showing_it(folder: Path) -> None:
    (folder / whereabouts.ADMIN_KEY_FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(errors.ConfigError, match="Cannot read the API key in"):
        found(data=folder)


def test_the_data_folder_is_what_was_typed_then_what_is_configured(tmp_path: Path) -> None:
    typed, configured = tmp_path / "typed", tmp_path / "configured"
    assert whereabouts.data_folder(typed, configured) == typed
    assert whereabouts.data_folder(None, configured) == configured
    assert whereabouts.data_folder(None, None).name == "slowping"


@pytest.mark.parametrize("left", ["", "{", "[]", '{"url": 7}', "{}", "\ud800"])
def test_what_is_no_address_in_the_folder_is_as_good_as_none(folder: Path, left: str) -> None:
    content = left.encode("utf-8", "surrogatepass")
    (folder / whereabouts.SERVER_FILE).write_bytes(content)
    with pytest.raises(errors.Unreachable):
        found(data=folder)

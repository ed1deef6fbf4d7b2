import json
from pathlib import Path

import msgspec
import pytest
import rich_click as click
from click.testing import CliRunner

from slowping.cli import cli
from slowping.cli.tui import opens, to_open
from slowping.core import errors
from slowping.tui import commands
from slowping.tui.settings import Profile, Settings

HOME = Profile.of("http://127.0.0.1:7464", "slp_home")
WORK = Profile(name="work", server="https://ping.example.test", api_key="slp_work")


@pytest.fixture
def settings(home: Path) -> Settings:
    """Those of this user, with two servers that are remembered, the second one last."""
    settings = Settings(home / "state/slowping")
    settings.change(lambda kept: kept.with_profile(HOME).with_profile(WORK))
    return settings


@pytest.fixture
def folder(home: Path) -> Path:
    """The data folder of a server that runs on this machine."""
    folder = home / "data/slowping"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:7465"}))
    (folder / "admin.key").write_text("slp_admin\n")
    return folder


def test_every_key_is_printed() -> None:
    answer = CliRunner().invoke(cli, ["tui", "--keys"])
    assert answer.exit_code == 0
    for command in commands.every():
        assert f" {command.id} " in answer.stdout


@pytest.mark.parametrize(
    "arguments",
    ["--help", "-h", "--keys", "--nonsense", "extra", "--server", "--profile nobody's"],
)
def test_what_is_no_live_view_is_left_to_the_whole_command_line(arguments: str) -> None:
    assert not opens(arguments.split())


def test_an_error_of_ours_is_left_to_the_whole_command_line(tmp_path: Path) -> None:
    assert not opens(["--data", str(tmp_path)])


def test_its_help_looks_as_that_of_all_commands() -> None:
    mine, other = (CliRunner().invoke(cli, [name, "--help"]) for name in ("tui", "serve"))
    for help_page in (mine, other):
        assert help_page.exit_code == 0
        assert "╭─ Options" in help_page.stdout
        assert "--help" in help_page.stdout


# Which server ---------------------------------------------------------------------------------


def test_a_newcomer_is_asked() -> None:
    assert to_open(Settings(), None) is None


@pytest.mark.usefixtures("folder")
def test_a_newcomer_sees_the_server_of_this_machine() -> None:
    assert to_open(Settings(), None) == Profile.of("http://127.0.0.1:7465", "slp_admin")


def test_whoever_may_not_read_a_local_servers_key_is_asked(folder: Path) -> None:
    (folder / "admin.key").unlink()
    assert to_open(Settings(), None) is None


@pytest.mark.usefixtures("folder")
def test_it_shows_the_server_that_it_showed_last(settings: Settings) -> None:
    assert to_open(settings, None) == WORK


def test_a_profile_is_opened_by_its_name_and_is_the_last_one_then(
    settings: Settings, home: Path
) -> None:
    assert to_open(settings, HOME.name) == HOME
    assert Settings(home / "state/slowping").remembered.current() == HOME


def test_a_profile_opens_where_its_use_cannot_be_remembered(settings: Settings, home: Path) -> None:
    (home / "state/slowping/tui.json").unlink()
    (home / "state/slowping/tui.json").mkdir()
    assert to_open(settings, HOME.name) == HOME


def test_a_profile_that_is_not_there_is_told_with_those_that_are(settings: Settings) -> None:
    with pytest.raises(click.BadParameter, match=r"no profile 'wrok'.*127.0.0.1:7464, work\."):
        to_open(settings, "wrok")
    with pytest.raises(click.BadParameter, match="Remembered are: none yet"):
        to_open(Settings(), "work")


def test_a_server_that_is_named_goes_with_the_key_that_is_remembered_for_it(
    settings: Settings,
) -> None:
    assert to_open(settings, None, server=HOME.server) == HOME


def test_a_key_that_is_given_is_for_the_last_server(settings: Settings) -> None:
    opened = to_open(settings, None, api_key="slp_typed")
    assert opened is not None
    assert (opened.server, opened.api_key) == (WORK.server, "slp_typed")


@pytest.mark.usefixtures("settings")
def test_a_data_folder_that_is_named_goes_before_what_is_remembered(folder: Path) -> None:
    opened = to_open(Settings(), None, data=folder)
    assert opened is not None
    assert opened.api_key == "slp_admin"


def test_a_server_is_known_by_its_data_folder_under_the_name_that_it_has(
    settings: Settings, tmp_path: Path
) -> None:
    told = {"url": WORK.server, "certificate": "PEM"}
    (tmp_path / "server.json").write_text(json.dumps(told))
    (tmp_path / "admin.key").write_text(f"{WORK.api_key}\n")
    opened = to_open(settings, None, data=tmp_path)
    assert opened == msgspec.structs.replace(WORK, data=str(tmp_path))


def test_a_data_folder_without_a_server_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOWPING_DATA", str(tmp_path))
    with pytest.raises(errors.Unreachable):
        to_open(Settings(), None)


def test_a_server_that_is_named_but_not_there_is_told(tmp_path: Path) -> None:
    answer = CliRunner().invoke(cli, ["tui", "--data", str(tmp_path)])
    assert answer.exit_code == 3
    assert "slowping serve" in answer.stderr


def test_a_server_that_is_named_needs_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOWPING_DATA", str(tmp_path))
    answer = CliRunner().invoke(cli, ["tui", "--server", "http://127.0.0.1:9"])
    assert answer.exit_code == 4
    assert "--api-key" in answer.stderr


@pytest.mark.usefixtures("settings")
def test_a_profile_has_its_server_and_key() -> None:
    answer = CliRunner().invoke(cli, ["tui", "--profile", "work", "--server", "http://127.0.0.1:9"])
    assert answer.exit_code == 2
    assert "leave out" in answer.stderr


@pytest.mark.usefixtures("settings")
def test_a_shell_completes_the_names_of_profiles() -> None:
    words = {"COMP_WORDS": "slowping tui --profile w", "COMP_CWORD": "3"}
    environ = {"_SLOWPING_COMPLETE": "bash_complete", **words}
    answer = CliRunner().invoke(cli, env=environ, prog_name="slowping")
    assert answer.stdout == "plain,work\n"

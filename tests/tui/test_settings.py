import stat
from pathlib import Path

import pytest

from slowping.core import errors
from slowping.tui.settings import Profile, Remembered, Settings

HOME = Profile(name="home", server="http://127.0.0.1:7464", api_key="slp_home")
WORK = Profile(name="work", server="https://ping.example.test", api_key="slp_work")


def test_what_is_remembered_is_there_the_next_time(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "state", tmp_path / "config")
    settings.change(lambda kept: kept.with_profile(HOME).with_profile(WORK))
    settings.change(lambda kept: kept.changed(theme="nord", place="feed", filter="category:sale"))
    again = Settings(tmp_path / "state", tmp_path / "config").remembered
    assert again.current() == WORK
    assert again.profiles == (HOME, WORK)
    assert (again.theme, again.place, again.filter) == ("nord", "feed", "category:sale")


def test_nobody_else_can_read_the_keys(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "state", None)
    settings.change(lambda kept: kept.with_profile(HOME))
    assert stat.S_IMODE((tmp_path / "state/tui.json").stat().st_mode) == 0o600
    assert [file.name for file in (tmp_path / "state").iterdir()] == ["tui.json"]


def test_a_profile_takes_the_place_of_the_one_of_its_name() -> None:
    remembered = Remembered().with_profile(HOME).with_profile(WORK)
    newer = Profile(name="home", server=HOME.server, api_key="slp_new")
    assert remembered.with_profile(newer).profiles == (WORK, newer)
    assert remembered.with_profile(newer).current() == newer


@pytest.mark.parametrize("left", [b"", b"{", b'{"profiles": 1}', b"\xff", b'{"theme":"\xff"}'])
def test_a_memory_that_cannot_be_read_is_none_and_is_kept_aside(
    tmp_path: Path, left: bytes
) -> None:
    (tmp_path / "tui.json").write_bytes(left)
    settings = Settings(tmp_path, None)
    assert settings.remembered == Remembered()
    settings.change(lambda kept: kept.with_profile(HOME))
    assert Settings(tmp_path, None).remembered.profiles == (HOME,)
    assert (tmp_path / "tui.json.bad").read_bytes() == left


def test_keys_and_bell_come_from_the_written_file(tmp_path: Path) -> None:
    (tmp_path / "tui.toml").write_text('bell = ["bug"]\n[keys]\n"list.filter" = "s"\n')
    settings = Settings(None, tmp_path)
    assert settings.keys == {"list.filter": "s"}
    assert settings.bell == ("bug",)


@pytest.mark.parametrize("written", ["[keys]\nx = 1", "key = {}", "[keys", "keys = []"])
def test_a_written_file_that_is_wrong_is_named(tmp_path: Path, written: str) -> None:
    (tmp_path / "tui.toml").write_text(written)
    with pytest.raises(errors.ConfigError, match=r"tui\.toml"):
        Settings(None, tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, not a folder")
    with pytest.raises(errors.ConfigError, match=r"Cannot (read|write) .*tui\.json"):
        Settings(tmp_path / "state", None).change(lambda kept: kept.changed(theme="nord"))


@pytest.mark.parametrize(
    ("typed", "name", "server"),
    [
        ("http://127.0.0.1:7464", "127.0.0.1:7464", "http://127.0.0.1:7464"),
        ("ping.example.test", "ping.example.test", "http://ping.example.test"),
        ("https://ping.example.test/", "ping.example.test", "https://ping.example.test/"),
        ("", "", ""),
    ],
)
def test_a_profile_is_named_after_its_server(typed: str, name: str, server: str) -> None:
    assert Profile.of(typed, "k") == Profile(name=name, server=server, api_key="k")


def test_two_live_views_do_not_forget_what_the_other_one_keeps(tmp_path: Path) -> None:
    one, two = Settings(tmp_path), Settings(tmp_path)
    one.change(lambda kept: kept.with_profile(HOME))
    two.change(lambda kept: kept.with_profile(WORK))
    one.change(lambda kept: kept.changed(theme="nord"))
    kept = Settings(tmp_path).remembered
    assert kept.profiles == (HOME, WORK)
    assert kept.theme == "nord"


def test_another_key_takes_the_place_of_the_one_in_a_profile_that_is_remembered() -> None:
    kept = Remembered().with_profile(WORK).with_profile(HOME)
    assert kept.with_other_key(WORK, "slp_new").profiles[0].api_key == "slp_new"
    unknown = Profile(name="work", server=WORK.server, api_key="slp_older")
    assert kept.with_other_key(unknown, "slp_new") == kept


def test_what_cannot_be_written_holds_until_the_end(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "state")
    (tmp_path / "state").write_text("a file, not a folder")
    with pytest.raises(errors.ConfigError):
        settings.change(lambda kept: kept.with_profile(HOME))
    settings.change(lambda kept: kept.changed(theme="nord"))
    assert settings.remembered.profiles == (HOME,)
    assert settings.remembered.theme == "nord"

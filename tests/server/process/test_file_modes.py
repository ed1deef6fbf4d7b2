import logging
import pathlib
import stat

import pytest

from slowping.core import errors
from slowping.server.process import data_folder, file_modes

OURS = (
    "slowping.db",
    "slowping.db-wal",
    "lock",
    "admin.key",
    "ingest.key",
    "server.json",
    "backup.json",
)


def mode(path: pathlib.Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A data folder that was copied by somebody with a generous umask."""
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o777)
    for name in OURS:
        (folder / name).touch()
        (folder / name).chmod(0o666)
    return folder


def test_the_folder_and_our_files_in_it_are_closed_to_others(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    file_modes.close_to_others(folder)
    assert mode(folder) == 0o700
    assert {mode(folder / name) for name in OURS} == {0o600}
    assert "admin.key, backup.json, ingest.key, lock" in caplog.text


def test_what_is_closed_is_left_alone(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    file_modes.close_to_others(folder)
    caplog.clear()
    caplog.set_level(logging.INFO)
    file_modes.close_to_others(folder)
    assert not caplog.messages


def test_a_folder_that_holds_other_things_is_not_ours_to_close(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "holidays.jpg").touch(mode=0o644)
    folder.chmod(0o755)
    file_modes.close_to_others(folder)
    assert (mode(folder), mode(folder / "holidays.jpg")) == (0o755, 0o644)
    assert mode(folder / "slowping.db") == 0o600
    assert f"chmod go= it folder={folder} other=holidays.jpg" in caplog.text
    caplog.clear()
    folder.chmod(0o700)
    file_modes.close_to_others(folder)
    assert not caplog.messages


@pytest.mark.parametrize("open_to", [0o775, 0o757])
def test_a_folder_in_which_others_put_files_is_refused_with_the_remedy(
    folder: pathlib.Path, open_to: int
) -> None:
    (folder / "holidays.jpg").touch()
    folder.chmod(open_to)
    with pytest.raises(errors.ConfigError, match=f"chmod go-w {folder}"):
        file_modes.close_to_others(folder)


def test_a_folder_in_which_each_has_only_his_own_files_is_taken(folder: pathlib.Path) -> None:
    (folder / "holidays.jpg").touch()
    folder.chmod(0o1777)
    file_modes.close_to_others(folder)
    assert mode(folder) == 0o1777


def test_the_file_of_the_key_is_left_for_a_person_to_decide(folder: pathlib.Path) -> None:
    (folder / "secret.key").touch()
    (folder / "secret.key").chmod(0o644)
    file_modes.close_to_others(folder)
    assert mode(folder / "secret.key") == 0o644


def test_whoever_takes_a_data_folder_closes_it(folder: pathlib.Path) -> None:
    with data_folder.owned(folder):
        assert mode(folder) == 0o700


@pytest.mark.parametrize("open_to", [0o604, 0o644])
def test_a_file_with_a_secret_that_everybody_can_read_is_refused(
    tmp_path: pathlib.Path, open_to: int
) -> None:
    path = tmp_path / "config.toml"
    path.touch()
    path.chmod(open_to)
    with pytest.raises(errors.ConfigError, match=f"chmod o= {path}"):
        file_modes.require_closed(path)


def test_one_that_its_owner_and_a_group_can_read_is_taken(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "config.toml"
    path.touch()
    path.chmod(0o640)
    file_modes.require_closed(path)


@pytest.mark.parametrize("path", ["/run/secrets/mail", "/nowhere/at/all"])
def test_so_is_one_that_a_container_platform_has_put_there_and_one_that_is_not_there(
    path: str,
) -> None:
    file_modes.require_closed(pathlib.Path(path))

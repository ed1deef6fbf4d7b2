import contextlib
import os
import pathlib
import stat

import pytest

from slowping.server.process import data_folder, private_file


def test_a_private_file_is_private_whatever_was_there(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "admin.key"
    path.write_text("old")
    path.chmod(0o644)
    path.with_name("admin.key.new").write_text("left by a crash")
    private_file.write(path, "new")
    assert path.read_text() == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["admin.key"]


def test_a_private_file_is_not_written_through_a_link(tmp_path: pathlib.Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "admin.key.new").symlink_to(elsewhere)
    with contextlib.suppress(OSError):
        private_file.write(tmp_path / "admin.key", "secret")
    assert not elsewhere.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody else may give files away")
def test_what_root_writes_belongs_to_the_owner_of_the_folder(tmp_path: pathlib.Path) -> None:
    os.chown(tmp_path, 12_345, 12_346)
    with data_folder.owned(tmp_path):
        private_file.write(tmp_path / "backup.json", "{}")
    found = {path.name: path.stat() for path in tmp_path.iterdir()}
    assert found.keys() == {"lock", "backup.json"}
    assert {(one.st_uid, one.st_gid) for one in found.values()} == {(12_345, 12_346)}


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody else may give files away")
def test_a_lock_that_leads_elsewhere_gives_nothing_away(tmp_path: pathlib.Path) -> None:
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.touch(mode=0o600)
    os.link(elsewhere, folder / "lock")
    os.chown(folder, 12_345, 12_346)
    with data_folder.owned(folder):
        assert elsewhere.stat().st_uid == 0

import contextlib
import pathlib
import stat

from slowping.server.process import private_file


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

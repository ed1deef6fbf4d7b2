import os
import stat
from pathlib import Path

import pytest

from slowping.tui import secret_file


def test_a_secret_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    where = tmp_path / "x.key"
    before = os.umask(0)
    try:
        assert secret_file.keep(str(where), "slp_x\n") is None
    finally:
        os.umask(before)
    assert where.read_text() == "slp_x\n"
    assert stat.S_IMODE(where.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    where = tmp_path / "x.key"
    where.write_text("mine")
    assert "is there already" in str(secret_file.keep(str(where), "slp_x\n"))
    assert where.read_text() == "mine"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "x.key"
    link.symlink_to(tmp_path / "elsewhere")
    assert "is there already" in str(secret_file.keep(str(link), "slp_x\n"))
    assert not (tmp_path / "elsewhere").exists()


def test_the_home_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert secret_file.keep("~/x.key", "slp_x\n") is None
    assert (tmp_path / "x.key").read_text() == "slp_x\n"


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (" ", "Say which file"),
        ("/nowhere/at/all/x.key", "cannot be written: No such file or directory"),
        ("~nobody-of-that-name/x.key", "That is no file"),
        ("x\x00y", "That is no file"),
    ],
)
def test_what_cannot_be_written_is_said(where: str, words: str) -> None:
    assert words in str(secret_file.keep(where, "x"))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("deploy", "~/slowping-deploy.key"),
        ("My laptop/../x", "~/slowping-My-laptop-..-x.key"),
        ("日本", "~/slowping-secret.key"),
        ("", "~/slowping-secret.key"),
    ],
)
def test_a_file_is_called_after_the_key(name: str, path: str) -> None:
    assert secret_file.usual_path(name) == path

from pathlib import Path

import pytest
from click.testing import CliRunner

from slowping.cli import cli
from slowping.tui import commands


def test_every_key_is_printed() -> None:
    answer = CliRunner().invoke(cli, ["tui", "--keys"])
    assert answer.exit_code == 0
    for command in commands.every():
        assert f" {command.id} " in answer.stdout


def test_a_server_that_is_named_but_not_there_is_told(tmp_path: Path) -> None:
    answer = CliRunner().invoke(cli, ["tui", "--data", str(tmp_path)])
    assert answer.exit_code == 3
    assert "slowping serve" in answer.stderr


def test_a_server_that_is_named_needs_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOWPING_DATA", str(tmp_path))
    monkeypatch.delenv("SLOWPING_API_KEY", raising=False)
    answer = CliRunner().invoke(cli, ["tui", "--server", "http://127.0.0.1:9"])
    assert answer.exit_code == 4
    assert "--api-key" in answer.stderr

from pathlib import Path

import pytest

from slowping.tui import commands
from slowping.tui.command import Command
from slowping.tui.keys import page

ROOT = Path(__file__).parent.parent.parent


def test_the_page_of_keys_is_current() -> None:
    assert (ROOT / "docs/keys.md").read_text(encoding="utf-8") == page.page()


def test_every_command_has_an_id_of_its_own() -> None:
    ids = [command.id for command in commands.every()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("command", commands.every(), ids=lambda command: command.id)
def test_no_key_needs_more_than_a_plain_keyboard(command: Command) -> None:
    for key in command.key.split(","):
        assert not key.startswith(("alt+", "f1", "ctrl+shift+"))
        assert key not in {"ctrl+enter", "shift+enter", "at", "backslash", "tilde", "pipe"}

"""Show every key that works here, the ones of the focused thing first; type to search."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Static

from slowping.tui.command import Command, Commanded, shown_keys
from slowping.tui.commands import rows

_KEYS_WIDTH: Final = 12


class _Topic(msgspec.Struct, frozen=True):
    """A heading, the commands under it, and why each of them is grey, if it is."""

    title: str
    commands: tuple[tuple[Command, str | None], ...]


class HelpModal(ModalScreen[None]):
    """The keys of whatever has the focus on a screen, then those of what it stands in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close"),
        Binding("down", "scroll(1)", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("pagedown", "scroll(10)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
    ]

    def __init__(self, screen: Screen[object]) -> None:
        super().__init__()
        self._topics = tuple(_topics(screen))
        self._keymap = dict(screen.app._keymap)  # noqa: SLF001 - no other way to ask

    def compose(self) -> ComposeResult:
        """A field to search with, and the keys."""
        with Vertical(classes="dialog help"):
            yield Input(placeholder="Type to search the keys; esc closes")
            with VerticalScroll(can_focus=False):
                yield Static(id="keys")

    def on_mount(self) -> None:
        """Show all."""
        self._show()

    def on_input_changed(self) -> None:
        """Show what is like the words."""
        self._show()

    def action_scroll(self, lines: int) -> None:
        """Move through a list that is longer than the screen."""
        scroll = self.query_one(VerticalScroll)
        scroll.scroll_relative(y=lines, animate=False)

    def on_resize(self) -> None:
        """Break the lines anew."""
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        words = self.query_one(Input).value.casefold().split()
        keys = self.query_one("#keys", Static)
        width = max(_KEYS_WIDTH + 20, keys.size.width)
        shown = [
            content
            for topic in self._topics
            if (content := _drawn(topic, words, self._keymap, width)) is not None
        ]
        nothing = Content("No key is about that. The palette (:) finds more.")
        keys.update(Content("\n\n").join(shown) if shown else nothing)


def _topics(screen: Screen[object]) -> Iterator[_Topic]:
    seen: set[str] = set()
    chain: list[DOMNode] = (
        list(screen.focused.ancestors_with_self) if screen.focused else [screen, screen.app]
    )
    for node in chain:
        if isinstance(node, Commanded):
            commands = [c for c, _ in node.answered.values() if c.id not in seen]
            commands.sort(key=lambda command: command in rows.MOVES)  # which all lists have
            seen |= {command.id for command in commands}
            reasons = tuple((command, node.why_not(command)) for command in commands)
            yield _Topic(getattr(node, "help_title", "Everywhere"), reasons)


def _drawn(
    topic: _Topic, words: list[str], keymap: Mapping[str, str], width: int
) -> Content | None:
    lines = [
        _line(shown_keys(keymap.get(command.id, command.key)), command, reason, width)
        for command, reason in topic.commands
        if all(word in f"{command.name} {command.help} {command.key}".casefold() for word in words)
    ]
    if not lines:
        return None
    return Content("\n").join([Content.styled(topic.title, "bold $primary"), *lines])


def _line(keys: str, command: Command, reason: str | None, width: int) -> Content:
    """Keys and name, then what it does or why it cannot, broken below itself."""
    said = textwrap.wrap(f"{command.name}: {reason or command.help}", width - _KEYS_WIDTH - 2)
    rest = ("\n" + " " * (_KEYS_WIDTH + 2)).join(said)[len(command.name) :]
    return Content.assemble(
        (f"{keys:>{_KEYS_WIDTH}}  ", "$text-accent"),
        (command.name, "$text-muted" if reason else "bold"),
        (rest, "$text-muted"),
    )

"""Show every key that works here, the ones of the focused thing first; type to search."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Static

from slowping.tui.command import Command, Commanded, shown_keys


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
        self._show("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what is like the words."""
        self._show(event.value)

    def action_scroll(self, lines: int) -> None:
        """Move through a list that is longer than the screen."""
        scroll = self.query_one(VerticalScroll)
        scroll.scroll_relative(y=lines, animate=False)

    def _show(self, words: str) -> None:
        keys = self.query_one("#keys", Static)
        shown = [
            content
            for topic in self._topics
            if (content := _drawn(topic, words.casefold().split(), self._keymap)) is not None
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
            seen |= {command.id for command in commands}
            reasons = tuple((command, node.why_not(command)) for command in commands)
            yield _Topic(getattr(node, "help_title", "Everywhere"), reasons)


def _drawn(topic: _Topic, words: list[str], keymap: Mapping[str, str]) -> Content | None:
    lines = [
        Content.assemble(
            (f"{shown_keys(keymap.get(command.id, command.key)):>14}  ", "$text-accent"),
            (command.name, "$text-muted" if reason else "bold"),
            Content.styled(f"  {reason or command.help}", "$text-muted"),
        )
        for command, reason in topic.commands
        if all(word in f"{command.name} {command.help} {command.key}".casefold() for word in words)
    ]
    if not lines:
        return None
    return Content("\n").join([Content.styled(topic.title, "bold $primary"), *lines])

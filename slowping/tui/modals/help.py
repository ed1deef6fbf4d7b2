"""Show every key that works here, those of this place first; type to search."""

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

from slowping.tui import commands
from slowping.tui.command import Command, Commanded, shown_keys
from slowping.tui.commands import rows
from slowping.tui.places import PLACES

_KEYS_WIDTH: Final = 12
_LIST, _PLACES, _EVERYWHERE, _MOVES = "In every list", "Places", "Everywhere", "Moving about"


class _Topic(msgspec.Struct, frozen=True):
    """A heading, the commands under it, and why each of them is grey, if it is."""

    title: str
    commands: tuple[tuple[Command, str | None], ...]


class HelpModal(ModalScreen[None]):
    """The keys of a place, then those that are the same in others."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close"),
        Binding("down", "scroll(1)", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("pagedown", "scroll(10)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
        # With priority: the field, where they mean little, has the focus.
        Binding("home", "leap('home')", priority=True, show=False),
        Binding("end", "leap('end')", priority=True, show=False),
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

    def action_leap(self, to: str) -> None:
        """To the first line, or to the last one."""
        scroll = self.query_one(VerticalScroll)
        (scroll.scroll_home if to == "home" else scroll.scroll_end)(animate=False)

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
    here = getattr(screen, "help_title", "Here")
    order = (here, _LIST, _PLACES, _EVERYWHERE, _MOVES)
    found: dict[str, list[tuple[Command, str | None]]] = {title: [] for title in order}
    found[_PLACES] = [(place.command(), None) for place in PLACES]
    seen: set[str] = set()
    chain: list[DOMNode] = (
        list(screen.focused.ancestors_with_self) if screen.focused else [screen, screen.app]
    )
    for node in (each for each in chain if isinstance(each, Commanded)):
        for command, _ in node.answered.values():
            if command.id not in seen:
                seen.add(command.id)
                found[_section(command, here)].append((command, node.why_not(command)))
    order_of = [command.id for command in commands.every()]
    for title, answered in found.items():
        if answered:
            answered.sort(key=lambda each: order_of.index(each[0].id))
            yield _Topic(title, tuple(answered))


def _section(command: Command, here: str) -> str:
    """Where it stands, which is the same in every place."""
    if command in rows.MOVES:
        return _MOVES
    return {"list": _LIST, "everywhere": _EVERYWHERE}.get(command.where, here)


def _drawn(
    topic: _Topic, words: list[str], keymap: Mapping[str, str], width: int
) -> Content | None:
    lines = []
    for command, reason in topic.commands:
        keys = shown_keys(keymap.get(command.id, command.key))
        about = f"{topic.title} {command.name} {command.help} {command.key} {keys}".casefold()
        if all(word in about for word in words):
            lines.append(_line(keys, command, reason, width))
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

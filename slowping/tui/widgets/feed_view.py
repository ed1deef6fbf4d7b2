"""Draw the feed: one line an event, following what comes in or held still."""

import collections
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from slowping.core import category, text
from slowping.core.category import Category
from slowping.core.delivery import Delivery
from slowping.core.event import Event
from slowping.tui.command import on_command
from slowping.tui.commands import feed
from slowping.tui.feed.rows import Row, Rows
from slowping.tui.sifting import query
from slowping.tui.sifting.query import Query
from slowping.tui.widgets import drawing
from slowping.tui.widgets.moving import Moving

_STATE_WIDTH: Final = 8
_WITH_PROJECT: Final = 90
"""Columns from which on the project has one of its own."""

Look = tuple[str, int]
"""Emoji and colour of a category."""


class FeedView(Moving):
    """A list that grows at its end; any step up holds it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "feed--cursor", "feed--muted", "feed--failed", "feed--waiting", "feed--done",
    }  # fmt: skip

    following: reactive[bool] = reactive(True, repaint=False)
    new: reactive[int] = reactive(0, repaint=False)
    """How many came in, and pass the filter, since the list was held."""
    absolute: reactive[bool] = reactive(False)
    """Whether times are times of day."""
    with_project: reactive[bool] = reactive(True)

    class Moved(Message):
        """Another event is under the cursor, or none."""

    class Changed(Message):
        """Following, the count of new ones, or what passes the filter has changed."""

    class Uncertain(Message):
        """Of these events the feed tells only half: ask the server how they stand."""

        def __init__(self, event_ids: Sequence[str]) -> None:
            super().__init__()
            self.event_ids = event_ids

    class Missing(Message):
        """Events went by while the list was held, more than it keeps: load it anew."""

    def __init__(self, now_ms: Callable[[], int], **kwargs: str) -> None:
        super().__init__(**kwargs)
        self.rows = Rows()
        self._now_ms = now_ms
        self._looks: dict[tuple[str, str], Look] = {}
        """By project and category."""
        self._shared: frozenset[str] = frozenset()
        """Names of categories that several projects have."""
        self._was: str | None = None
        self._held_at = ""
        """The newest event when the list was held."""
        self._last: Row | None = None
        """The row that was under the cursor last, also where a filter has taken all away."""

    # What it is given -------------------------------------------------------------------------

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.rows.shown[self.cursor] if 0 <= self.cursor < len(self.rows.shown) else None

    def look(self, categories: Sequence[Category]) -> None:
        """Show these categories with their emoji and colour."""
        for each in categories:
            self._looks[each.project, each.name] = (each.emoji, each.color)
        homes = collections.Counter(name for _, name in self._looks)
        self._shared = frozenset(name for name, number in homes.items() if number > 1)
        for row in self.rows.shown:
            row.drawn = None
        self.refresh()

    @property
    def categories(self) -> frozenset[str]:
        """Names of those that are known."""
        return frozenset(name for _, name in self._looks)

    def look_of(self, event: Event) -> Look:
        """Emoji and colour that an event is shown with."""
        emoji, color = self._looks.get(
            (event.project, event.category), (category.DEFAULT_EMOJI, category.DEFAULT_COLOR)
        )
        return emoji, color if event.color is None else event.color

    def load(self, events: Sequence[Event]) -> None:
        """Show a page of events, with what was heard while it was loaded."""
        current = self.current
        self.rows.load(events)
        self._held_at = self._held_at or self.rows.newest
        self._settle(current)

    def forget(self) -> None:
        """Nothing is known, and what comes is followed."""
        self._looks.clear()
        self._shared = frozenset()
        self._last = None
        self.rows.expect()
        self.load(())
        self.follow()

    def extend(self, events: Sequence[Event]) -> None:
        """New events have come in."""
        added = self.rows.add(events)
        if self.following:
            self._settle(None)
        else:  # nothing that is in sight moves: only the end is further away
            self.new += added
            self.virtual_size = Size(self.size.width, len(self.rows.shown))

    def put_among(self, events: Sequence[Event]) -> int:
        """Older events were found; how many were not here. They stay as long as it is held."""
        current = self.current
        self.hold()
        found = self.rows.put_among(events)
        self._settle(current)
        return found

    def change(self, deliveries: Sequence[Delivery]) -> None:
        """Deliveries have changed."""
        changed = [row for each in deliveries if (row := self.rows.change(each))]
        unsure = {row.event.id for row in changed if not row.is_certain}
        if unsure:
            self.post_message(self.Uncertain(tuple(unsure)))
        if any(term.name == "state" for term in self.rows.query.terms) and changed:
            self.sift(self.rows.query)
        elif changed:
            self.refresh()

    def sift(self, query: Query) -> None:
        """Show what passes the filter; the cursor stays on its event where that is possible."""
        current = self.current
        self.rows.sift(query)
        self._settle(current)

    def tick(self) -> None:
        """Time has gone by."""
        if not self.absolute:
            top = self.scroll_offset.y
            self.refresh_lines(top, min(self.size.height, len(self.rows.shown) - top))

    # Moving about -----------------------------------------------------------------------------

    def count(self) -> int:
        """How many events are shown."""
        return len(self.rows.shown)

    def down(self) -> None:
        """One row down; from the last one on, follow."""
        if self.cursor >= len(self.rows.shown) - 1:
            self.follow()
        else:
            self.go(self.cursor + 1)

    def bottom(self) -> None:
        """To the end, and stay there."""
        self.follow()

    def follow(self) -> None:
        """To the end, and stay there."""
        lost = self.rows.lost
        self.following, self.rows.held, self._held_at = True, False, ""
        self.rows.trim()
        self._settle(None)
        if lost:
            self.post_message(self.Missing())

    @on_command(feed.FOLLOW)
    def toggle(self) -> None:
        """Follow, or hold."""
        if self.following:
            self.hold()
        else:
            self.follow()

    def hold(self) -> None:
        """Let nothing move any more."""
        if self.following:
            self.following, self.rows.held = False, True
            self._held_at = self.rows.newest
            self.post_message(self.Changed())

    def go(self, index: int) -> None:
        """Put the cursor on a row, and hold."""
        self.hold()
        super().go(index)

    def on_mouse_scroll_up(self) -> None:
        """Looking back holds."""
        self.hold()

    def on_resize(self) -> None:
        """Stay at the end, or with the cursor."""
        self._settle(self.current)

    # Drawing ----------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight."""
        index = y + self.scroll_offset.y
        width = self.size.width
        if index >= len(self.rows.shown):
            return Strip.blank(width, self.style_of(""))
        row = self.rows.shown[index]
        here = index == self.cursor
        now = self._now_ms()
        when = (drawing.clock if self.absolute else drawing.age)(row.event.received_at, now)
        key = (width, here and self.has_focus, here, when, self.with_project)
        if row.drawn is None or row.drawn[0] != key:
            row.drawn = (key, self._draw(row, width, when, here=here))
        return row.drawn[1]

    def notify_style_update(self) -> None:
        """The theme has changed."""
        super().notify_style_update()
        for row in self.rows.shown:
            row.drawn = None

    def watch_new(self) -> None:
        """Tell of what came in while held."""
        self.post_message(self.Changed())

    def _draw(self, row: Row, width: int, when: str, *, here: bool) -> Strip:
        event, counts = row.event, row.counts
        base = self.style_of("feed--cursor" if here else "")
        muted = base if here else base + self.style_of("feed--muted")
        emoji, color = self.look_of(event)
        parts = [
            (f"{'>' if here else ' '}{when:>{11 if self.absolute else 4}} ", muted),
            ("▍", base + Style(color=f"#{color:06x}")),
            (drawing.fit(text.one_line(emoji), 3), base),
            (f"{self._named(event, width)} ", base + _BOLD),
        ]
        if self.with_project and width >= _WITH_PROJECT:
            parts.append((drawing.fit(text.one_line(event.project), 10) + " ", muted))
        segments = [Segment(part, style) for part, style in parts]
        taken = sum(segment.cell_length for segment in segments)
        segments += self._said(event, width - taken - _STATE_WIDTH, base, muted)
        state = drawing.fit(f" {drawing.deliveries(counts)}", _STATE_WIDTH)
        tone = base if here else base + self.style_of(_TONES[query.standing(counts)])
        return Strip([*segments, Segment(state, tone)]).adjust_cell_length(width, base)

    def _named(self, event: Event, width: int) -> str:
        """The category; with its project where only that tells it from others."""
        name = text.one_line(event.category)
        if not (self.with_project and self._shared) or width >= _WITH_PROJECT:
            return drawing.fit(name, max(8, min(18, width // 6)))
        if event.category in self._shared:
            name = f"{text.one_line(event.project)}/{name}"
        return drawing.fit(name, width // 4)

    def _said(self, event: Event, room: int, base: Style, muted: Style) -> list[Segment]:
        """Description and fields in the room that is left."""
        said = text.one_line(event.description or "")
        if not said:
            return [Segment(drawing.fit(drawing.fields_line(event), room), base)]
        first = Segment(said, base)
        rest = room - first.cell_length - 2
        if rest < 8 or not event.fields:
            return [Segment(drawing.fit(said, room), base)]
        return [first, Segment(drawing.fit(f"  {drawing.fields_line(event)}", rest + 2), muted)]

    def _settle(self, current: Row | None) -> None:
        """Put cursor and scroll where they belong after the rows have changed."""
        shown = self.rows.shown
        self.virtual_size = Size(self.size.width, len(shown))
        if self.following:
            self.new, self.cursor = 0, len(shown) - 1
            self.scroll_to(y=len(shown), animate=False, force=True)
        else:
            self.new = self.rows.shown_since(self._held_at)
            self.cursor = _place_of(current or self._last, shown, self.cursor)
            self.keep_in_sight()
        self.refresh()
        self.tell()
        self.post_message(self.Changed())

    def tell(self) -> None:
        """Tell of another event under the cursor."""
        self._last = self.current or self._last
        now = self.current.event.id if self.current else None
        if now != self._was:
            self._was = now
            self.post_message(self.Moved())


_BOLD: Final = Style(bold=True)
_TONES: Final = {
    "failed": "feed--failed",
    "waiting": "feed--waiting",
    "delivered": "feed--done",
    "discarded": "feed--muted",
    "none": "feed--muted",
}


def _place_of(row: Row | None, shown: Sequence[Row], before: int) -> int:
    """Where the row is now, or what is nearest to where it was."""
    if row is not None:
        if 0 <= before < len(shown) and shown[before] is row:
            return before
        for index in range(len(shown) - 1, -1, -1):
            if shown[index].event.id <= row.event.id:
                return index
        return 0 if shown else -1
    last = len(shown) - 1
    return min(before, last) if before >= 0 else last  # there was none before the first were loaded

"""Draw a category: in its colour in a table, as a line of the feed, and with all there is to it."""

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.content import Content

from slowping.core import retention, text
from slowping.core.api_key import ApiKey
from slowping.core.category import Category
from slowping.core.event import Event
from slowping.core.overview import CategoryFigures
from slowping.tui.category import columns
from slowping.tui.category.surroundings import Known
from slowping.tui.figures import numbers
from slowping.tui.snippets import services
from slowping.tui.widgets import drawing
from slowping.tui.widgets.pane import heading
from slowping.tui.widgets.table import cell

ALL_CHANNELS: Final = "all"

_PREVIEWED: Final = 14
_LABEL: Final = 10
_NAMED: Final = 60
"""So much of a name stands within a sentence."""


def hexadecimal(color: int) -> str:
    """A colour as people write it: `#2ECC71`."""
    return f"#{color:06X}"


def cell_of(title: str, known: Known, now_ms: int, width: int) -> Text:
    """What stands below a title of `columns`, in a table that is so wide."""
    room = columns.room_for(title, width)
    category, counts = known.category, known.figures.events if known.figures else None
    match title:
        case columns.NAME:
            return _name(category, room)
        case columns.TODAY | columns.WEEK | columns.MONTH:
            count = getattr(counts, title.lower(), None)
            shown = numbers.NOTHING if count is None else numbers.whole(count, 6)
            return Text(shown, style="" if count else "dim", justify="right")
        case columns.HALF | columns.HOURS:
            return cell(_hours(known.figures, 12 if title == columns.HALF else 24))
        case columns.LAST:
            return cell(last(known, now_ms))
        case columns.CHANNELS:
            return cell(_clip(channels(category), room), "" if category.channels else "dim")
        case columns.PRIORITY:
            return cell(str(category.priority) if category.priority else "")
        case _:
            return cell(_clip(category.project, room), "dim")


def last(known: Known, now_ms: int) -> str:
    """How long ago its last event came; nothing where that is not known."""
    if known.last_at is not None:
        return drawing.age(known.last_at, now_ms)
    return "never" if known.figures is not None and not known.figures.events.total else ""


def channels(category: Category) -> str:
    """Where its events go: names, or that it is all."""
    return ", ".join(category.channels) or ALL_CHANNELS


def preview(emoji: str, name: str, color: str) -> Content:
    """How an event of the category would look in the feed."""
    return Content.assemble(
        (" now ", "$text-muted"),
        ("▍", color),
        drawing.fit(text.one_line(emoji), 3),
        (drawing.fit(text.one_line(name) or "…", _PREVIEWED), "bold"),
        " The first of many",
        ("  amount 49.99", "$text-muted"),
        ("  2/2", "$text-success"),
    )


def about(known: Known, now_ms: int) -> Content:
    """All there is to know."""
    category = known.category
    kept = retention.told(category.keep_days, category.keep_mb)
    title = Content.assemble(
        text.one_line(category.emoji), " ", (text.one_line(category.name), "bold")
    )
    facts = [
        ("project", Content(text.one_line(category.project))),
        ("colour", _color(category.color)),
        ("channels", Content(text.one_line(channels(category)))),
        ("priority", Content(str(category.priority))),
        *([("kept", Content(kept))] if kept else []),
        ("created", Content(f"{category.created_at.astimezone():%Y-%m-%d %H:%M:%S}")),
        ("id", Content(text.one_line(category.id))),
    ]
    blocks = [
        title,
        _figures(known.figures),
        _recent(known.recent, now_ms),
        _senders(known.senders),
        Content("\n").join([heading("The category"), *(_pair(*fact) for fact in facts)]),
    ]
    return Content("\n\n").join([block for block in blocks if block])


def what_hangs_on(known: Known, count: str) -> str:
    """What follows from removing a category that has so many events, in words."""
    events = f"It has {count} events" + ("" if count == "no" else ", which stay")
    keys = known.senders
    if keys is None:
        senders = "which API keys may send to it is not known"
    elif not keys:
        senders = "no live API key may send to it"
    else:
        senders = f"{len(keys)} live API key{'' if len(keys) == 1 else 's'} may send to it"
    name = text.shorten(text.one_line(known.category.name), _NAMED)
    return f"{events}; {senders}. {services.once_gone(name)}"


def _name(category: Category, room: int) -> Text:
    """Block, emoji and name, in the category's colour."""
    color = hexadecimal(category.color)
    return Text.assemble(
        ("▍", Style(color=color)),
        drawing.fit(text.one_line(category.emoji), 3),
        (_clip(text.one_line(category.name), room), Style(color=color, bold=True)),
        no_wrap=True,
        overflow="ellipsis",
    )


def _clip(line: str, room: int) -> str:
    return line if cell_len(line) <= room else drawing.fit(line, room)


def _hours(figures: CategoryFigures | None, most: int) -> str:
    """The last day in at most so many bars, the running hour at the end."""
    return drawing.sparkline(drawing.gathered(figures.hours, most)) if figures else ""


def _color(color: int) -> Content:
    shown = hexadecimal(color)
    return Content.assemble(("██", shown), f" {shown}")


def _pair(name: str, value: Content) -> Content:
    return Content.assemble((drawing.fit(name, _LABEL), "$text-muted"), value)


def _figures(figures: CategoryFigures | None) -> Content:
    if figures is None:
        return Content("")
    counts = figures.events
    rows = [("events", [float(each) for each in (counts.today, counts.week, counts.month)])]
    rows += [(each.field, [each.today, each.week, each.month]) for each in figures.sums]
    width = max(_LABEL, min(18, max(len(text.one_line(name)) for name, _ in rows) + 2))
    head = f"{'':{width}}{'today':>10} {'week':>10} {'month':>10}"
    lines = [heading("Figures"), Content.styled(head, "$text-muted")]
    for name, sums in rows:
        cells = " ".join(f"{numbers.amount(each, 10):>10}" for each in sums)
        label = drawing.fit(text.one_line(name), width)
        lines.append(Content.assemble((label, "$text-muted"), cells))
    total = f"{numbers.whole(counts.total)} events in all; numbers in fields are added up."
    if not figures.sums:
        total = f"{numbers.whole(counts.total)} events in all."
    return Content("\n").join([*lines, Content.styled(total, "$text-muted")])


def _senders(keys: Sequence[ApiKey] | None) -> Content:
    if keys is None:
        return Content("")
    title = heading("API keys that may send to it")
    if not keys:
        return Content("\n").join([title, Content("None yet: c shows code, and issues one.")])
    lines = [
        Content.assemble(
            text.one_line(key.name), (f"  {text.one_line(key.prefix)}…", "$text-muted")
        )
        for key in keys
    ]
    return Content("\n").join([title, *lines])


def _recent(events: Sequence[Event] | None, now_ms: int) -> Content:
    if events is None:
        return Content.styled("Loading the last events…", "$text-muted")
    title = heading("Last events")
    if not events:
        return Content("\n").join([title, Content("None yet: c shows code that sends the first.")])
    lines = [
        Content.assemble(
            (f"{drawing.age(event.received_at, now_ms):>4}  ", "$text-muted"),
            text.one_line(event.description or "") or drawing.fields_line(event) or "-",
        )
        for event in events
    ]
    return Content("\n").join([title, *lines])

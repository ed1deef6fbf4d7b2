"""Draw a group and a delivery as lines of columns, which give way where there is little room."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from rich.cells import cell_len

from slowping.core import text
from slowping.core.delivery import Delivery
from slowping.tui.delivery import words
from slowping.tui.delivery.errand import Scene
from slowping.tui.delivery.groups import Group, View
from slowping.tui.delivery.words import Schedules
from slowping.tui.sifting.standing import Standing
from slowping.tui.widgets import drawing
from slowping.tui.widgets.lines import GAP, Column, Piece

_WIDE: Final = 100
"""Columns from which on there is room for what one can do without."""

_ROOMY: Final = 70
"""Columns from which on there is room for both times of a group."""

_LEAST: Final = 12
"""Cells that the last column has at least."""
_FRONT: Final = 5
"""Cells before the first column: cursor, mark of the person, a space, state, a space."""


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """What lines are drawn with."""

    scene: Scene
    schedules: Schedules = {}
    emojis: Mapping[tuple[str, str], str] = {}
    """By project and category."""
    width: int = 0
    now_ms: int = 0
    with_project: bool = True


def group_columns(groups: Sequence[Group], view: View, given: Drawing) -> list[Column]:
    """The columns for these groups."""
    keys = [group.key for group in groups]
    columns = [Column("channel", _widest("channel", (key.channel for key in keys), 20))]
    if given.with_project:
        project = _widest("project", (key.project for key in keys), 14)
        columns.insert(0, Column("project", project))
    if given.width >= _WIDE:
        columns.append(Column("kind", _widest("kind", (group.kind for group in groups), 10)))
    number = _widest("count", (f"{group.count:,}" for group in groups), 9)
    columns.append(Column("count", number, right=True))
    if _has_oldest(view, given):
        columns.append(Column("oldest", 6, right=True))
    if view is not View.FAILED:
        due = (words.next_of_group(group, given.scene, given.now_ms) for group in groups)
        columns.append(Column("next try", _widest("next try", due, 13)))
    return _with_rest(columns, "error", given.width)


def group_cells(group: Group, view: View, given: Drawing) -> list[str]:
    """What the columns say of a group."""
    key = group.key
    return [
        *([text.one_line(key.project)] if given.with_project else []),
        text.one_line(key.channel),
        *([text.one_line(group.kind)] if given.width >= _WIDE else []),
        f"{group.count:,}",
        *([drawing.age(group.oldest_at, given.now_ms)] if _has_oldest(view, given) else []),
        *(
            [words.next_of_group(group, given.scene, given.now_ms)]
            if view is not View.FAILED
            else []
        ),
        text.one_line(key.error or "") or _no_error(group),
    ]


def delivery_columns(deliveries: Iterable[Delivery], given: Drawing) -> list[Column]:
    """The columns for the deliveries of one group."""
    found = list(deliveries)
    category = _widest("category", (each.category for each in found), 20)
    columns = [
        Column("category", category + 3),
        Column("made", 4, right=True),
        Column("tries", 5, right=True),
    ]
    if given.width >= _WIDE:
        columns.append(Column("id", 17))
    return _with_rest(columns, "stands", given.width)


def delivery_cells(delivery: Delivery, given: Drawing) -> list[str]:
    """What the columns say of a delivery."""
    emoji = text.one_line(given.emojis.get((delivery.project, delivery.category), ""))
    tries = words.tries_of(delivery, given.scene, given.schedules)
    return [
        drawing.fit(emoji, 3) + text.one_line(delivery.category),
        drawing.age(delivery.created_at, given.now_ms),
        str(delivery.attempts),
        *([text.one_line(delivery.id)] if given.width >= _WIDE else []),
        words.said_of(delivery, tries, given.scene, given.now_ms),
    ]


def title_line(columns: Sequence[Column]) -> str:
    """The titles of the columns, above them."""
    return " " * _FRONT + "".join(column.fit(column.title) for column in columns)


def line(
    look: words.Look, columns: Sequence[Column], cells: Sequence[str], *, is_marked: bool
) -> list[Piece]:
    """One line: the mark of the person, the mark of the state, the columns."""
    pieces = [("● " if is_marked else "  ", "strong"), (f"{look.mark} ", look.tone)]
    for column, cell in zip(columns, cells, strict=True):
        pieces.append((column.fit(cell), _TONES.get(column.title, "")))
    return pieces


_TONES: Final = {
    "project": "muted", "kind": "muted", "oldest": "muted", "made": "muted", "id": "muted",
    "channel": "strong", "category": "strong",
}  # fmt: skip


def _with_rest(columns: list[Column], title: str, width: int) -> list[Column]:
    """The columns, and a last one with all the room that they leave."""
    taken = _FRONT + sum(column.width + GAP for column in columns)
    return [*columns, Column(title, max(_LEAST, width - taken))]


def _widest(title: str, contents: Iterable[str], most: int) -> int:
    longest = max((cell_len(content[: 2 * most]) for content in contents), default=0)
    return min(most, max(cell_len(title), longest))


def _has_oldest(view: View, given: Drawing) -> bool:
    """Where there is little room, the next try is worth more."""
    return view is View.FAILED or given.width >= _ROOMY


def _no_error(group: Group) -> str:
    return "not tried yet" if group.key.standing is Standing.WAITING else "-"

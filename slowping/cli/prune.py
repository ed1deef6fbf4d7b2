"""Remove what has been kept for long enough, now instead of within the hour."""

import collections
from typing import TYPE_CHECKING

import rich_click as click

from slowping.cli import output, where
from slowping.cli.output import Column
from slowping.core.retention import MEGABYTE, Prune, Pruned, PrunedPart, What

if TYPE_CHECKING:
    from slowping.client.client import Client

_COLUMNS = (
    Column("PROJECT"),
    Column("WHAT"),
    Column("NUMBER", whole=True),
    Column("DELIVERIES", whole=True),
    Column("SIZE", whole=True),
)


@click.command()
@click.option("--dry-run", is_flag=True, help="Count, and remove nothing.")
@output.yes_option
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def prune(client: "Client", dry_run: bool, yes: bool, as_json: bool) -> None:
    """Remove what has been kept for long enough, or tell what would go.

    The server does the same by itself, every hour: see `retention` in its configuration, and
    `--keep-days` and `--keep-mb` of projects and categories. What has a delivery that waits stays.
    """
    found = await client.prune(Prune(dry_run=True))
    if not dry_run and found.parts:
        output.confirm(f"Remove {_words(found)} for good?", yes)
        found = await _prune(client)
    if as_json:
        output.as_json(found)
    elif found.parts:
        output.table("old things", _COLUMNS, [_row(part) for part in found.parts])
    if not found.parts:
        output.talk("Nothing is old enough to be removed.")
    else:
        output.talk(f"{'Would remove' if dry_run else 'Removed'} {_words(found)}.")


async def _prune(client: "Client") -> Pruned:
    """Ask until there is no more: the server does a part of it in each request."""
    parts: list[PrunedPart] = []
    while True:
        pruned = await client.prune(Prune())
        parts += pruned.parts
        if pruned.is_complete:
            return Pruned(parts=_together(parts), is_complete=True)
        output.talk(f"Removed {_words(pruned)} so far; there is more.")


def _together(parts: list[PrunedPart]) -> tuple[PrunedPart, ...]:
    """One part for each project and kind."""
    sums: dict[tuple[str | None, What], collections.Counter[str]] = {}
    for part in parts:
        counts = sums.setdefault((part.project, part.what), collections.Counter())
        counts.update(number=part.number, deliveries=part.deliveries, bytes=part.bytes)
    return tuple(
        PrunedPart(
            project=project,
            what=what,
            number=counts["number"],
            deliveries=counts["deliveries"],
            bytes=counts["bytes"],
        )
        for (project, what), counts in sums.items()
    )


def _words(pruned: Pruned) -> str:
    events = sum(part.number for part in pruned.parts if part.what is What.EVENTS)
    others = sum(part.number for part in pruned.parts if part.what is not What.EVENTS)
    size = _size(sum(part.bytes for part in pruned.parts))
    rest = f" and {output.counted(others, 'other thing', 'other things')}" if others else ""
    return f"{output.counted(events, 'event', 'events')}{rest}, about {size}"


def _row(part: PrunedPart) -> tuple[str, ...]:
    return (
        part.project or "-",
        part.what,
        f"{part.number:,}",
        f"{part.deliveries:,}" if part.what is What.EVENTS else "-",
        _size(part.bytes),
    )


def _size(size: int) -> str:
    return f"{size / MEGABYTE:,.1f} MB" if size >= MEGABYTE / 10 else f"{size / 1000:,.1f} kB"

"""Write lines for a shell: one that sends the first event, one that sends an event again."""

import json
import shlex
from typing import Final

import msgspec

from slowping.core.event import Event, NewEvent
from slowping.tui.snippets import keys

_FIRST: Final = {"category": "sale", "description": "The first of many"}


def first(server: str, project: str | None) -> str:
    """A line that sends an event to where there is none, whether or not its category is there."""
    told = _FIRST if project is None else {**_FIRST, "project": project}
    return (
        f"curl {_own(server)} -H 'Authorization: Bearer {keys.NO_KEY}' "
        f"-d {shlex.quote(json.dumps(told, separators=(',', ':')))}"
    )


def first_by_name(project: str | None) -> str:
    """The same by our own command, which finds a key where the server runs."""
    where = "" if project is None else f" --project {shlex.quote(project)}"
    return f"slowping send sale -d {shlex.quote(_FIRST['description'])}{where}"


def again(server: str, event: Event) -> str:
    """A line that would send the event again as it was; the key is left to be filled in."""
    draft = NewEvent(
        category=event.category,
        project=event.project,
        description=event.description,
        fields=event.fields or None,
        source=event.source,
        color=event.color,
        occurred_at=event.occurred_at,
        notify=event.notify,
    )
    told = {name: value for name, value in msgspec.to_builtins(draft).items() if value is not None}
    if event.notify:
        del told["notify"]  # as it goes without saying
    return (
        f"curl {_own(server)} "
        '-H "Authorization: Bearer $SLOWPING_API_KEY" -H "Content-Type: application/json" '
        f"-d {shlex.quote(json.dumps(told))}"
    )


def _own(server: str) -> str:
    return shlex.quote(f"{server.rstrip('/')}/slowping/v1/events")

"""Take in events that were accepted before, here or elsewhere: they keep ids and times."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from slowping.core import category, errors, event, ids, times
from slowping.core.event import EventDraft, Imported, KeptEvent
from slowping.server.ingest import Ingest
from slowping.store.port import EventRow, Inbox, StepwiseAct

_encode: Final = msgspec.json.Encoder().encode

_YEARS: Final = range(2025, 2094)  # those that ids can tell


class EventImport:
    """Imports events; nobody is told of them."""

    def __init__(self, inbox: Inbox, ingest: Ingest, *, now_ms: Callable[[], int]) -> None:
        self._inbox = inbox
        self._ingest = ingest
        self._now_ms = now_ms

    async def run(
        self, project_id: int, kept: Sequence[KeptEvent], act: StepwiseAct | None = None
    ) -> Imported:
        """Store events of one project, and the categories that they name: all of them, or none.

        `act` is written with those that are new.

        Raises:
            InvalidInput, InvalidJson: one of them cannot be kept, or the project has too many
                categories.
            ForeignProject: the project is gone.
            Unavailable: nothing can be stored now.
        """
        self._ingest.require_room()
        now = self._now_ms()
        drafts = [_draft(one) for one in kept]
        categories = await self._ingest.categories(project_id, drafts)
        rows = [
            _row(one, draft, now, project_id, categories[draft.category])
            for one, draft in zip(kept, drafts, strict=True)
        ]
        imported = await self._inbox.import_events(rows, now=now, act=act)
        return Imported(imported=imported, known=len(rows) - imported)


def _draft(kept: KeptEvent) -> EventDraft:
    """The event as it would be asked for now, within the same limits."""
    return EventDraft(
        category=category.checked_name(kept.category),
        description=None if kept.description is None else event.tidy_text(kept.description),
        fields=event.tidy_fields(kept.fields),
        source=None if kept.source is None else event.tidy_text(kept.source),
        color=kept.color,
        occurred_at=None if kept.occurred_at is None else times.to_ms(kept.occurred_at),
        notify=kept.notify,
    )


def _row(
    kept: KeptEvent, draft: EventDraft, now: int, project_id: int, category_id: int
) -> EventRow:
    received_at = times.to_ms(kept.received_at)
    if kept.received_at.year not in _YEARS or received_at > now:
        raise errors.InvalidInput("received_at: it is before 2025 or lies ahead.")
    fields = _encode(draft.fields).decode()
    return EventRow(
        _number(kept, received_at, now), project_id, category_id, None,
        event.tidy_text(kept.dialect), draft.source, draft.description, draft.color, fields,
        draft.occurred_at, received_at, draft.notify, len(fields) + len(draft.description or ""),
    )  # fmt: skip


def _number(kept: KeptEvent, received_at: int, now: int) -> int:
    """The id that it had; where it says none, one that its content decides."""
    if kept.id is None:
        content: Any = msgspec.structs.replace(kept, project=None)
        return ids.beside(ids.floor(received_at), hashlib.sha256(_encode(content)).digest())
    number = ids.parse(ids.EVENT, kept.id)
    if number is None:
        raise errors.InvalidInput(f"id: '{kept.id}' is no id of an event.")
    if number >= ids.floor(now):
        raise errors.InvalidInput("id: it is of a moment that lies ahead.")
    return number

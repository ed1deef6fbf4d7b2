"""Events: accept, list, show."""

import datetime as dt
import functools
from typing import Annotated, Any, Final

import msgspec

from slowping.core import category, errors, event, ids, search, times
from slowping.core.api_key import Scope
from slowping.core.audit import ActKind
from slowping.core.delivery import EventDetail
from slowping.core.event import (
    AcceptedEvent,
    AcceptedEvents,
    Event,
    EventDraft,
    EventFilter,
    Imported,
    KeptEvent,
    NewEvent,
    Receipt,
)
from slowping.core.page import Page
from slowping.server import auth, cors, http
from slowping.server.api import audit, listing, reach
from slowping.server.api.endpoint import Call, Endpoint
from slowping.server.api.listing import NoQuery, PageQuery
from slowping.server.ingest import Submission
from slowping.store.port import StoredProject

DIALECT: Final = "slowping"
"""The name under which events are kept that came this way."""

_YEARS: Final = range(1970, 9999)  # what can be written down as a date in any time zone

NewEvents = Annotated[list[NewEvent], msgspec.Meta(min_length=1, max_length=event.MAX_EVENTS)]
"""All are accepted, or none."""


KeptEvents = Annotated[list[KeptEvent], msgspec.Meta(min_length=1, max_length=event.MAX_IMPORT)]
"""Few, so that nobody who sends events waits for them."""


class EventQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events to list."""

    project: str | None = None
    """A project's id or name."""
    category: str | None = None
    source: str | None = None
    text: str | None = None
    """Words of the description, the source and the fields; all of them have to be there.

    `refund*` is the beginning of a word, and what stands between double quotes stands together.
    What has just been accepted is found within two seconds.
    """
    since: dt.datetime | None = None
    """Accepted at or after this moment."""
    until: dt.datetime | None = None
    """Accepted before this moment."""


async def send_events(
    call: Call[NoQuery, NewEvent | NewEvents],
) -> AcceptedEvent | AcceptedEvents:
    """Stored when this is answered, sent soon after."""
    sent, services = call.body, call.services
    events = sent if isinstance(sent, list) else [sent]
    target = _target(call, events)
    submission = Submission(
        drafts=tuple(map(draft_of, events)),
        principal=call.principal,
        project_id=target.id,
        dialect=DIALECT,
        create_categories=True,
        idempotency_key=http.idempotency_key(call.headers),
        has_quota=True,
    )
    try:
        await services.ingest.check_quota(target.id, len(events))
        receipt = await services.ingest.accept(submission)
    except errors.QuotaReached:
        # What was accepted before gets its first receipt again.
        first = await services.ingest.recall(submission)
        if first is None:
            raise
        receipt = first
    accepted = accepted_events(receipt)
    return AcceptedEvents(events=accepted) if isinstance(sent, list) else accepted[0]


async def import_events(call: Call[NoQuery, KeptEvents]) -> Imported:
    """All for one project: each is stored with the id and the times that it had, or none is.

    One that is there already stays as it is, so that the same events can be sent again. Nobody is
    told of them, they count for no month, and categories that are missing are made.
    """
    roster, names = call.services.roster, dict.fromkeys(one.project for one in call.body)
    first, *others = [reach.landing(roster, call.principal, name) for name in names]
    if any(other.id != first.id for other in others):
        raise errors.InvalidInput("All events of one request go to the same project.")
    act = audit.begun(call, ActKind.EVENTS_IMPORTED, project=first.name, counted="imported")
    return await call.services.event_import.run(first.id, call.body, act)


async def list_events(call: Call[EventQuery, None]) -> Page[Event]:
    """Those of the projects that the key may see."""
    query, services = call.query, call.services
    which = EventFilter(
        project_ids=reach.narrowed(services.roster, call.principal, query.project),
        category=query.category,
        source=query.source,
        text=() if query.text is None else search.phrases(query.text),
        since=None if query.since is None else times.to_ms(query.since),
        until=None if query.until is None else times.to_ms(query.until),
    )
    read = functools.partial(services.store.journal.list_events, which)
    return await listing.page_of(ids.EVENT, query, read, may_fall_short=True)


async def show_event(call: Call[NoQuery, None]) -> EventDetail:
    """With its deliveries and every attempt at them."""
    store = call.services.store
    which = EventFilter(project_ids=reach.seen(call.principal))
    read = functools.partial(store.journal.list_events, which)
    found = await listing.find(ids.EVENT, "event", call.id, read)
    deliveries = await store.outbox.deliveries_of(ids.decode(ids.EVENT, found.id))
    return EventDetail(event=found, deliveries=tuple(deliveries))


def draft_of(new: NewEvent) -> EventDraft:
    """The draft that is asked for.

    Raises:
        InvalidInput, InvalidJson: it is over a limit.
    """
    if new.occurred_at is not None and new.occurred_at.year not in _YEARS:
        raise errors.InvalidInput("occurred_at: the year is 1970 to 9998.")
    return EventDraft(
        category=category.checked_name(new.category),
        description=None if new.description is None else event.tidy_text(new.description),
        fields=event.tidy_fields(new.fields or {}),
        source=None if new.source is None else event.tidy_text(new.source),
        color=new.color,
        occurred_at=None if new.occurred_at is None else times.to_ms(new.occurred_at),
        notify=new.notify,
    )


def accepted_events(receipt: Receipt) -> tuple[AcceptedEvent, ...]:
    """What the sender is told of each event."""
    return tuple(
        AcceptedEvent(
            id=ids.encode(ids.EVENT, number),
            received_at=times.to_datetime(receipt.received_at),
            deduplicated=receipt.deduplicated,
        )
        for number in receipt.event_ids
    )


def _target(call: Call[NoQuery, Any], events: list[NewEvent]) -> StoredProject:
    """The one project that all the events are for.

    Raises:
        InvalidInput: they are for several.
        ForeignProject, ForeignOrigin: the key may not send there.
    """
    roster, principal = call.services.roster, call.principal
    names = dict.fromkeys(new.project for new in events)
    first, *others = [reach.landing(roster, principal, name) for name in names]
    if any(other.id != first.id for other in others):
        raise errors.InvalidInput("All events of one request go to the same project.")
    auth.check_origin(principal, first, cors.origin_of(call.headers))
    return first


ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    Endpoint(
        method="POST",
        path="/events",
        summary="Send an event, or up to 1,000 as an array: all are accepted, or none",
        scope=Scope.INGEST,
        handle=send_events,
        body=NewEvent | NewEvents,
        answer=AcceptedEvent | AcceptedEvents,
        status=201,
        repeatable=True,
        for_pages=True,
        refusals=(
            errors.ForeignProject,
            errors.ForeignOrigin,
            errors.IdempotencyKeyReused,
            errors.NotFound,
            errors.QuotaReached,
        ),
    ),
    Endpoint(
        method="POST",
        path="/events/import",
        summary="Import events that were exported, up to 200 at once",
        scope=Scope.ADMIN,
        handle=import_events,
        body=KeptEvents,
        answer=Imported,
        refusals=(errors.ForeignProject, errors.NotFound),
    ),
    Endpoint(
        method="GET",
        path="/events",
        summary="List events",
        scope=Scope.READ,
        handle=list_events,
        query=EventQuery,
        answer=Page[Event],
    ),
    Endpoint(
        method="GET",
        path="/events/{id}",
        summary="Show an event with its deliveries and every attempt",
        scope=Scope.READ,
        handle=show_event,
        answer=EventDetail,
    ),
)

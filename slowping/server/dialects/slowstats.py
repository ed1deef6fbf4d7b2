"""SlowStats: POST /api/slowstats/ingest-events, X-API-KEY, and the project named in the body."""

from collections.abc import Mapping
from typing import Any, Final, NoReturn

import msgspec

from slowping.core import discord_url, errors, event, ids, times
from slowping.core.api_key import Scope
from slowping.core.event import AdHocTarget, Color, Event, EventDraft, EventFilter, Receipt
from slowping.server.dialects.body import check_members, decode, whole
from slowping.server.dialects.port import (
    X_API_KEY,
    Call,
    Desk,
    Extra,
    Headers,
    Operation,
    Reading,
    Reply,
)
from slowping.store.port import ProjectFigures, StoredProject

_MAX_LISTED: Final = 1_000  # upstream does not page
_NO_PROJECT: Final = "Project ID is required."
_NO_PAYLOAD: Final = "Metric payload is required and must be an object."
_BAD_BODY: Final = "Invalid request body."

_WORDS: Final[Mapping[type[errors.SlowpingError], tuple[int, str]]] = {
    errors.NoCredential: (401, "Unauthorized: You must provide a valid API Key."),
    errors.UnknownApiKey: (401, "Unauthorized: You must provide a valid API Key."),
    errors.ForeignProject: (403, "Forbidden: You do not have access to this project."),
    errors.ForeignOrigin: (403, "Forbidden: This origin is not allowed."),
    errors.RateLimited: (429, "Too Many Requests"),
    errors.TooManyGuesses: (429, "Too Many Requests"),
    errors.TooLarge: (413, "Request body too large."),
    errors.SlowBody: (408, "Request Timeout"),
    errors.UnsupportedEncoding: (415, "Unsupported content encoding."),
    errors.InvalidJson: (400, _BAD_BODY),
    errors.InvalidInput: (400, _BAD_BODY),
    errors.IdempotencyKeyReused: (422, str(errors.IdempotencyKeyReused())),
    errors.UnknownPath: (404, "Not Found"),
    errors.WrongMethod: (405, "Method Not Allowed"),
    errors.Unavailable: (503, "Service unavailable. Please try again later."),
}
_FAULT: Final = (500, "An internal server error occurred.")


class SlowStatsWebhook(msgspec.Struct):
    """A Discord webhook to tell as well."""

    url: str
    title: str
    description: str | None = None
    color: Color | None = None


class SlowStatsEvent(msgspec.Struct, rename="camel"):
    """An event as SlowStats' clients send it."""

    project_id: str
    event_type: str
    description: str | None = None
    payload: dict[str, Any] | None = None
    color: Color | None = None
    discord_webhook: SlowStatsWebhook | None = None


class SlowStatsMetric(msgspec.Struct, rename="camel"):
    """A metric as SlowStats' clients send it."""

    project_id: str
    payload: dict[str, Any]


class SlowStatsAccepted(msgspec.Struct):
    """How it says yes."""

    message: str


class SlowStatsRefused(msgspec.Struct):
    """How it says no."""

    error: str


class SlowStatsProject(msgspec.Struct):
    """A project as it is listed."""

    id: str
    name: str
    created_at: str


class SlowStatsProjects(msgspec.Struct):
    """What get-projects answers."""

    projects: list[SlowStatsProject]


class SlowStatsStored(msgspec.Struct):
    """An event as it is listed."""

    id: str
    project_id: str
    type: str
    data: dict[str, Any]
    occurred_at: str


class SlowStatsEvents(msgspec.Struct):
    """What get-events answers, newest first."""

    events: list[SlowStatsStored]


class SlowStatsFigures(msgspec.Struct):
    """What get-metrics answers."""

    metrics: ProjectFigures


class SlowStats:
    """Every flaw of a body is the same 400; unknown members are ignored."""

    name = "slowstats"
    aliases = ("/api/slowstats/add-event",)  # the path in the first revision of its docs
    key_header = X_API_KEY
    destinations: tuple[str, ...] = ()
    has_quota = False
    creates_categories = True

    def __init__(self) -> None:
        self.operation = _INGEST_EVENTS
        self.extras = _EXTRAS

    def credentials(self, headers: Headers) -> str:
        """The header, trimmed."""
        key = headers.get(X_API_KEY, b"").strip()
        if not key:
            raise errors.NoCredential
        return key.decode("latin-1")

    def read(self, body: bytes) -> Reading:
        """One event, and perhaps a destination of its own."""
        sent = decode(body, _DECODER, _explain)
        check_members(body)
        if not sent.project_id or not sent.event_type:
            raise errors.InvalidInput(_BAD_BODY)
        webhook = sent.discord_webhook
        draft = EventDraft(
            category=sent.event_type,
            description=event.tidy_text(sent.description) if sent.description else None,
            fields=event.tidy_fields(sent.payload) if sent.payload else {},
            color=sent.color,
            ad_hoc=None if webhook is None else _target(webhook, sent.color),
        )
        return Reading(drafts=(draft,), project=sent.project_id)

    def receipt(self, receipt: Receipt, now_ms: int) -> Reply:
        """Always the same words."""
        del receipt, now_ms
        return _CREATED

    def refusal(self, error: errors.SlowpingError) -> Reply:
        """`{"error": …}`."""
        status, text = _WORDS.get(type(error), _FAULT)
        if isinstance(error, errors.InvalidInput) and error.issues:
            text = str(error.issues[0])  # the extras name what is missing
        return _say(status, SlowStatsRefused(error=text))


def _explain(value: Any) -> errors.InvalidInput:
    del value
    return errors.InvalidInput(_BAD_BODY)


def _target(webhook: SlowStatsWebhook, color: int | None) -> AdHocTarget:
    address = discord_url.parse_webhook_url(webhook.url)
    if address is None:
        raise errors.InvalidInput(_BAD_BODY)
    return AdHocTarget(
        kind="discord",
        target=address.target,
        settings={"url": address.url},
        title=event.tidy_text(webhook.title),
        description=event.tidy_text(webhook.description) if webhook.description else None,
        color=color if webhook.color is None else webhook.color,
    )


def _say(status: int, answer: msgspec.Struct) -> Reply:
    return Reply(status, msgspec.json.encode(answer))


# Extras -------------------------------------------------------------------------------------


async def _ingest_metric(call: Call, desk: Desk) -> Reply:
    sent = whole(call.body)
    members = sent if isinstance(sent, dict) else {}
    project = desk.project_of(call.principal, _named_project(members.get("projectId")), call.origin)
    payload = members.get("payload")
    if not isinstance(payload, dict):
        _refuse(_NO_PAYLOAD)
    await desk.accept_metric(project.id, event.tidy_fields(payload))
    return _say(200, SlowStatsAccepted(message="Metric ingested successfully."))


async def _get_projects(call: Call, desk: Desk) -> Reply:
    projects = [_project(project) for project in desk.projects_of(call.principal)]
    return _say(200, SlowStatsProjects(projects=projects))


async def _get_events(call: Call, desk: Desk) -> Reply:
    project = _project_in_query(call, desk)
    which = EventFilter(project_ids=(project.id,))
    stored = await desk.list_events(which, limit=_MAX_LISTED)
    project_id = ids.encode(ids.PROJECT, project.id)
    return _say(200, SlowStatsEvents(events=[_stored(one, project_id) for one in stored]))


async def _get_metrics(call: Call, desk: Desk) -> Reply:
    project = _project_in_query(call, desk)
    return _say(200, SlowStatsFigures(metrics=await desk.figures(project.id)))


def _project_in_query(call: Call, desk: Desk) -> StoredProject:
    return desk.project_of(call.principal, _named_project(call.query.get("projectId")), call.origin)


def _named_project(name: object) -> str:
    if not isinstance(name, str) or not name:
        _refuse(_NO_PROJECT)
    return name


def _refuse(text: str) -> NoReturn:
    raise errors.InvalidInput(text, (text,))


def _project(project: StoredProject) -> SlowStatsProject:
    return SlowStatsProject(
        id=ids.encode(ids.PROJECT, project.id),
        name=project.name,
        created_at=times.iso_ms(project.created_at),
    )


def _stored(one: Event, project_id: str) -> SlowStatsStored:
    return SlowStatsStored(
        id=one.id,
        project_id=project_id,
        type=one.category,
        data=one.fields,
        occurred_at=times.iso_ms(times.to_ms(one.occurred_at or one.received_at)),
    )


_REFUSALS: Final[Mapping[int, Any]] = dict.fromkeys(
    (400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 500, 503), SlowStatsRefused
)
_INGEST_EVENTS: Final = Operation(
    method="POST",
    path="/api/slowstats/ingest-events",
    summary="Send an event (SlowStats)",
    body=SlowStatsEvent,
    answers={**_REFUSALS, 200: SlowStatsAccepted},
)
_INGEST_METRICS: Final = Operation(
    method="POST",
    path="/api/slowstats/ingest-metrics",
    summary="Send a metric (SlowStats)",
    body=SlowStatsMetric,
    answers={**_REFUSALS, 200: SlowStatsAccepted},
)
_LIST_PROJECTS: Final = Operation(
    method="GET",
    path="/api/slowstats/get-projects",
    summary="List the key's projects (SlowStats)",
    answers={**_REFUSALS, 200: SlowStatsProjects},
)
_LIST_EVENTS: Final = Operation(
    method="GET",
    path="/api/slowstats/get-events",
    summary="List a project's events (SlowStats)",
    answers={**_REFUSALS, 200: SlowStatsEvents},
    query={"projectId": str},
)
_TELL_FIGURES: Final = Operation(
    method="GET",
    path="/api/slowstats/get-metrics",
    summary="Count a project's events (SlowStats)",
    answers={**_REFUSALS, 200: SlowStatsFigures},
    query={"projectId": str},
)
_EXTRAS: Final = (
    Extra(scope=Scope.INGEST, operation=_INGEST_METRICS, handle=_ingest_metric),
    Extra(scope=Scope.READ, operation=_LIST_PROJECTS, handle=_get_projects),
    Extra(scope=Scope.READ, operation=_LIST_EVENTS, handle=_get_events),
    Extra(scope=Scope.READ, operation=_TELL_FIGURES, handle=_get_metrics),
)
_DECODER: Final = msgspec.json.Decoder(SlowStatsEvent)
_CREATED: Final = _say(200, SlowStatsAccepted(message="Event created successfully."))

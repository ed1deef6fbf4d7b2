"""Have all that reads bodies read one, and hold what is accepted to what can be stored."""

import sqlite3
from typing import Any, Final

import msgspec

from slowping.core import errors, event
from slowping.core.event import EventDraft, NewEvent
from slowping.server import http
from slowping.server.api import ENDPOINTS, reading
from slowping.server.api.event import draft_of
from slowping.server.dialects import DIALECTS, body, choice
from slowping.server.ingest import Submission, promise_of

_DECODERS: Final = [
    msgspec.json.Decoder(wanted)
    for wanted in dict.fromkeys(one.body for one in ENDPOINTS if one.body is not None)
]
_REFUSED: Final = (errors.InvalidJson, errors.InvalidInput)
_AS_STORED: Final = "select value ->> 0, value ->> 1 from json_each(?)"
_AS_COUNTED: Final = "select count(*) from json_each(?)"

_database: Final = sqlite3.connect(":memory:")


def read_everywhere(sent: bytes) -> None:
    """Have every reader read a body, as the doors do; what is no refusal is raised."""
    content = sent.removeprefix(http.BYTE_ORDER_MARK)
    choice.chosen(None, None, content)
    for dialect in DIALECTS:
        try:
            told = dialect.read(content)
        except _REFUSED as refusal:
            dialect.refusal(refusal)
        else:
            _hold(told.drafts, dialect.name, told.idempotency_key)
    _read_metric(content)
    for decoder in _DECODERS:
        try:
            _read_own(reading.body(content, decoder))
        except _REFUSED as refusal:
            str(refusal)


def _read_metric(content: bytes) -> None:
    try:
        sent = body.whole(content)
        fields = event.tidy_fields(sent) if isinstance(sent, dict) else {}
    except _REFUSED:
        return
    _hold((EventDraft(category="metric", fields=fields),), "slowstats", None)


def _read_own(asked: Any) -> None:
    sent = asked if isinstance(asked, list) else [asked]
    drafts = tuple(draft_of(one) for one in sent if isinstance(one, NewEvent))
    _hold(drafts, "slowping", None)


def _hold(drafts: tuple[EventDraft, ...], dialect: str, key: str | None) -> None:
    """What is accepted can be written, and is read back as it was."""
    submission = Submission(
        drafts=drafts, principal=None, project_id=1, dialect=dialect, create_categories=True,
        idempotency_key=key or "key",
    )  # fmt: skip
    promise_of(submission)
    for draft in drafts:
        fields = msgspec.json.encode(draft.fields).decode()
        row = msgspec.json.encode([[draft.description, fields]]).decode()
        [stored] = _database.execute(_AS_STORED, (row,)).fetchall()
        if stored != (draft.description, fields):
            raise AssertionError(f"{stored} was stored for {draft}")
        _database.execute(_AS_COUNTED, (fields,)).fetchall()

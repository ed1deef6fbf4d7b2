"""What PingPanda and PingPilot share: upstream they are the same code under two names.

Schema errors are worded as zod 3.23 words them, because clients see them: `message` is a string
that holds a pretty-printed list of issues.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from slowping.core import errors, event, ids
from slowping.core.event import EventDraft, Receipt
from slowping.server.dialects.body import decode, whole
from slowping.server.dialects.port import AUTHORIZATION, Extra, Headers, Operation, Reading, Reply

FieldValue = str | int | float | bool

_Issue = dict[str, Any]  # as zod orders its keys, which differ from issue to issue

_BEARER: Final = b"Bearer "

_NOT_SET: Final = {
    "discord": "Please enter your discord ID in your account settings",
    "telegram": "Telegram username not set. Please set your telegram username in your account "
    "settings to receive notifications",
}

_WORDS: Final[Mapping[type[errors.SlowpingError], tuple[int, str]]] = {
    errors.NoCredential: (401, "Unauthorized"),
    errors.MalformedCredential: (
        401,
        "Invalid auth header format. Expected: 'Bearer [API_KEY]'",
    ),
    errors.EmptyCredential: (401, "Invalid API key"),
    errors.UnknownApiKey: (401, "Invalid API key"),
    errors.ForeignOrigin: (403, "Origin not allowed"),
    errors.ForeignProject: (403, "Project not allowed"),
    errors.QuotaReached: (
        429,
        "Monthly quota reached. Please upgrade your plan for more events",
    ),
    errors.TooLarge: (413, "Request body too large"),
    errors.SlowBody: (408, "Request timeout"),
    errors.UnsupportedEncoding: (415, "Unsupported content encoding"),
    errors.InvalidJson: (400, "Invalid JSON request body"),
    errors.IdempotencyKeyReused: (422, str(errors.IdempotencyKeyReused())),
    errors.UnknownPath: (404, "Not found"),
    errors.WrongMethod: (405, "Method not allowed"),
    errors.Unavailable: (503, "Service unavailable. Please try again later."),
}
_FAULT: Final = (500, "Internal server error")


class PingAccepted(msgspec.Struct, rename="camel"):
    """How both say yes."""

    message: str
    event_id: str


class PingRefused(msgspec.Struct):
    """How both say no."""

    message: str


class PingRateLimited(msgspec.Struct, rename="camel", omit_defaults=True):
    """How both say not now; without `retryAfter` it is the month that is used up."""

    message: str
    retry_after: int | None = None


ANSWERS: Final[Mapping[int, Any]] = {
    200: PingAccepted,
    **dict.fromkeys((400, 401, 403, 404, 405, 408, 413, 415, 422, 500, 503), PingRefused),
    429: PingRateLimited,
}


class CategoryRule(msgspec.Struct, frozen=True, kw_only=True):
    """Which category names a request may use, and what is said of others."""

    letters: re.Pattern[str]
    """Matches names of any length but zero."""
    other_letters: str
    max_length: int | None = None

    def admits(self, name: str) -> bool:
        """Whether a request may use the name."""
        fits = self.max_length is None or len(name) <= self.max_length
        return fits and self.letters.fullmatch(name) is not None


class PingEvent(msgspec.Struct):
    """What both take; each has a struct of its own that is documented and decoded."""

    category: str
    fields: dict[str, FieldValue] | None = None
    description: str | None = None


class PingFamily:
    """Everything but names, paths and the rule for categories."""

    aliases: tuple[str, ...] = ()
    key_header = AUTHORIZATION
    extras: tuple[Extra, ...] = ()
    has_quota: bool = True
    creates_categories: bool = False

    def __init__(
        self,
        *,
        operation: Operation,
        rule: CategoryRule,
        decoder: msgspec.json.Decoder[Any],  # of a struct with the members of PingEvent
    ) -> None:
        self.operation = operation
        self._rule = rule
        self._decoder: msgspec.json.Decoder[PingEvent] = decoder

    def credentials(self, headers: Headers) -> str:
        """The second word after `Bearer`; upstream splits at single spaces and is strict."""
        value = headers.get(AUTHORIZATION, b"").strip()
        if not value:
            raise errors.NoCredential
        if not value.startswith(_BEARER):
            raise errors.MalformedCredential
        key = value.split(b" ", 2)[1]
        if not key:
            raise errors.EmptyCredential
        return key.decode("latin-1")

    def read(self, body: bytes) -> Reading:
        """One event; null counts as left out, and so does an empty description."""
        sent = decode(body, self._decoder, self._explain)
        if not self._rule.admits(sent.category):
            raise self._explain(whole(body))
        draft = EventDraft(
            category=sent.category,
            description=event.tidy_text(sent.description) if sent.description else None,
            fields=event.tidy_fields(sent.fields) if sent.fields else {},
        )
        return Reading(drafts=(draft,))

    def receipt(self, receipt: Receipt, now_ms: int) -> Reply:
        """The event's id, the same one for a repeat."""
        del now_ms
        event_id = ids.encode(ids.EVENT, receipt.first_event_id)
        body = f'{{"message":"Event processed successfully","eventId":"{event_id}"}}'
        return Reply(200, body.encode())

    def refusal(self, error: errors.SlowpingError) -> Reply:
        """`{"message": …}`, which for schema errors holds zod's list as text."""
        if isinstance(error, errors.RateLimited):
            text = "Rate limit exceeded. Please try again later."
            return _say(429, PingRateLimited(message=text, retry_after=error.retry_after_s))
        status, message = _WORDS.get(type(error), _FAULT)
        if isinstance(error, errors.UnknownCategory):
            status, message = 404, f'You dont have a category named "{error.name}"'
        elif isinstance(error, errors.NoDestination):
            status, message = 403, _NOT_SET.get(error.kind, _NOT_SET["discord"])
        elif isinstance(error, errors.InvalidInput):
            status, message = 422, _pretty(error.issues or [_custom(error.problem)])
        return _say(status, PingRefused(message=message))

    def _explain(self, value: Any) -> errors.InvalidInput:
        issues = _issues(value, self._rule)
        return errors.InvalidInput("The event has another form than asked for.", issues)


def _say(status: int, answer: PingRefused | PingRateLimited) -> Reply:
    return Reply(status, msgspec.json.encode(answer))


def _pretty(issues: object) -> str:
    return msgspec.json.format(msgspec.json.encode(issues), indent=2).decode()


# What zod says ------------------------------------------------------------------------------


def _issues(value: Any, rule: CategoryRule) -> list[_Issue]:
    """Everything that is wrong with a JSON value, in zod's order: by schema, strangers last."""
    if not isinstance(value, dict):
        return [_wrong_type("object", value, [])]
    issues = _of_category(value, rule)
    if value.get("fields") is not None:
        issues += _of_fields(value["fields"])
    if not isinstance(value.get("description"), str | None):
        issues.append(_wrong_type("string", value["description"], ["description"]))
    strangers = [name for name in value if name not in PingEvent.__struct_fields__]
    if strangers:
        issues.append(_unrecognized(strangers))
    return issues


def _of_category(value: _Issue, rule: CategoryRule) -> list[_Issue]:
    path = ["category"]
    if "category" not in value:
        required = {"code": "invalid_type", "expected": "string", "received": "undefined"}
        return [{**required, "path": path, "message": "Required"}]
    name = value["category"]
    if not isinstance(name, str):
        return [_wrong_type("string", name, path)]
    found: list[_Issue] = []
    if not name:
        found.append(_size("too_small", "minimum", 1, "Category name is required."))
    if rule.max_length is not None and len(name) > rule.max_length:
        text = f"Category name can have at most {rule.max_length} characters."
        found.append(_size("too_big", "maximum", rule.max_length, text))
    if not rule.letters.fullmatch(name):
        kind = {"validation": "regex", "code": "invalid_string"}
        found.append({**kind, "message": rule.other_letters, "path": path})
    return found


def _size(code: str, bound: str, limit: int, text: str) -> _Issue:
    rest = {"type": "string", "inclusive": True, "exact": False}
    return {"code": code, bound: limit, **rest, "message": text, "path": ["category"]}


def _of_fields(fields: Any) -> list[_Issue]:
    if not isinstance(fields, dict):
        return [_wrong_type("object", fields, ["fields"])]
    if len(fields) > event.MAX_FIELDS:
        return [_custom(f"An event has at most {event.MAX_FIELDS} fields.", "fields")]
    return [
        _bad_union(value, ["fields", name])
        for name, value in fields.items()
        if not isinstance(value, FieldValue)
    ]


def _bad_union(value: Any, path: list[str]) -> _Issue:
    # Upstream: z.string().or(z.number()).or(z.boolean()), hence a union in a union.
    text_or_number = _union(
        path, _wrong_type("string", value, path), _wrong_type("number", value, path)
    )
    return _union(path, text_or_number, _wrong_type("boolean", value, path))


def _union(path: list[str], *issues: _Issue) -> _Issue:
    nested = [{"issues": [issue], "name": "ZodError"} for issue in issues]
    rest = {"path": path, "message": "Invalid input"}
    return {"code": "invalid_union", "unionErrors": nested, **rest}


def _wrong_type(expected: str, value: Any, path: list[str]) -> _Issue:
    received = _name_of_type(value)
    kind = {"code": "invalid_type", "expected": expected, "received": received}
    return {**kind, "path": path, "message": f"Expected {expected}, received {received}"}


def _unrecognized(names: list[str]) -> _Issue:
    listed = ", ".join(f"'{name}'" for name in names)
    text = f"Unrecognized key(s) in object: {listed}"
    return {"code": "unrecognized_keys", "keys": names, "path": [], "message": text}


def _custom(text: str, *path: str) -> _Issue:
    return {"code": "custom", "message": text, "path": list(path)}


def _name_of_type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    return "null" if value is None else "object"

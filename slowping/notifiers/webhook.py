"""Deliver as a signed HTTP POST, after Standard Webhooks 1.0.0."""

import base64
import binascii
import hashlib
import hmac
import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final

import msgspec

from slowping.config import WebhookSection
from slowping.core import ids, times
from slowping.core.delivery import Outcome, Rejected, Unusable
from slowping.core.notification import Notification
from slowping.notifiers import http
from slowping.notifiers.guard import Guard
from slowping.notifiers.port import (
    HttpAnswer,
    HttpFailure,
    Secret,
    Settings,
    Tools,
)

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what secrets start with, not a secret
OVERLAP_MS: Final = 24 * 3_600 * 1_000
"""How long a replaced secret signs beside the new one."""

_SECRET_BYTES: Final = 32
_SECRET_SIZES: Final = range(24, 65)  # bytes, as the specification demands


class WebhookSettings(Settings, frozen=True, kw_only=True):
    """A URL of your own, and the secret by which it knows us."""

    url: Annotated[
        Secret,  # many carry a token in their path or query
        msgspec.Meta(
            title="URL",
            description="An https address; http only where the operator allows it.",
            pattern="^https?://",
            max_length=2_000,
        ),
    ]
    secret: (
        Annotated[
            Secret,
            msgspec.Meta(
                title="Signing secret",
                description="Made for you where you give none; unset it to have another.",
            ),
        ]
        | None
    ) = None
    previous_secret: (
        Annotated[
            Secret,
            msgspec.Meta(title="Previous secret", extra_json_schema={"readOnly": True}),
        ]
        | None
    ) = None
    previous_secret_until: (
        Annotated[
            int,
            msgspec.Meta(
                ge=0,
                le=2**53,
                title="Previous secret signs until",
                extra_json_schema={"readOnly": True},
            ),
        ]
        | None
    ) = None

    def __post_init__(self) -> None:
        """Refuse a URL that names no host or a login, and a secret that cannot sign."""
        if not _is_clean(self.url):
            raise ValueError(
                "The setting 'url' is an http or https address with a host and without a login,"
                " such as https://example.com/hook"
            )
        if self.secret is not None and _key(self.secret) is None:
            raise ValueError(
                f"The setting 'secret' is '{SECRET_PREFIX}' and 24 to 64 bytes in base64; leave it"
                " out to have one made"
            )

    @classmethod
    def made(cls, given: Mapping[str, Any], random_bytes: Callable[[int], bytes]) -> dict[str, str]:
        """A signing secret, where there is none."""
        if given.get("secret"):
            return {}
        encoded = base64.b64encode(random_bytes(_SECRET_BYTES)).decode()
        return {"secret": f"{SECRET_PREFIX}{encoded}"}

    @classmethod
    def carried_over(
        cls, old: Mapping[str, Any], new: Mapping[str, Any], now_ms: int
    ) -> dict[str, Any]:
        """The old secret, which signs beside the new one for a day."""
        if not old.get("secret") or old["secret"] == new.get("secret"):
            return {}
        return {"previous_secret": old["secret"], "previous_secret_until": now_ms + OVERLAP_MS}


class Webhook:
    """Posts each notification as JSON."""

    kind: ClassVar[str] = "webhook"
    summary: ClassVar[str] = "A signed HTTP POST to a URL of your own"
    settings: ClassVar[type[Settings]] = WebhookSettings
    # The specification's own table: ten attempts in a little over three days.
    delays: ClassVar[tuple[float, ...]] = (
        5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
    )  # fmt: skip
    max_batch: ClassVar[int] = 1

    def __init__(self, tools: Tools) -> None:
        self._http = tools.guarded_http
        self._now_ms = tools.now_ms
        section: WebhookSection = tools.section
        self._timeout_s = section.timeout_s
        self._guard = Guard(section.allow_networks, allow_http=section.allow_http)

    def scopes(self, settings: WebhookSettings) -> tuple[str, ...]:
        """The host."""
        return (_scope(settings.url),)

    def problem_with(self, settings: WebhookSettings) -> str | None:
        """An address that the operator does not allow, where that shows before it is tried."""
        reason = self._guard.problem_with(settings.url)
        return reason and f"The setting 'url' is refused: {reason}"

    def fits(self, waiting: Sequence[Notification]) -> int:
        """One: a receiver counts and answers for each."""
        del waiting
        return 1

    async def deliver(self, batch: Sequence[Notification], settings: WebhookSettings) -> Outcome:
        """Post it."""
        [notification] = batch
        now_ms = self._now_ms()
        content = body_of(notification)
        keys = _live_secrets(settings, now_ms)
        webhook_id = ids.encode(ids.DELIVERY, notification.delivery_id)
        headers = {
            "content-type": "application/json",
            **signed(webhook_id, now_ms // 1_000, content, keys),
        }
        try:
            answer = await self._http.post(
                settings.url, content, headers, timeout_s=self._timeout_s
            )
        except HttpFailure as failure:
            return http.failure(failure)
        secrets = [*keys, settings.url]
        return judged(answer, scope=_scope(settings.url), now_ms=now_ms, secrets=secrets)

    async def close(self) -> None:
        """Nothing of its own is open."""


# What is sent --------------------------------------------------------------------------------


def body_of(notification: Notification) -> bytes:
    """The event as JSON; the same bytes on every attempt."""
    return msgspec.json.encode(
        {
            "type": f"event.{_type_name(notification.category)}",
            "timestamp": times.iso_ms(notification.occurred_at),
            "data": {
                "id": ids.encode(ids.EVENT, notification.event_id),
                "project": notification.project,
                "category": notification.category,
                "title": notification.title,
                "description": notification.body,
                "fields": notification.data,
                "color": notification.color,
                "source": notification.source,
                "occurred_at": times.iso_ms(notification.occurred_at),
                "received_at": times.iso_ms(notification.received_at),
                "dialect": notification.dialect,
            },
        }
    )


def signed(
    webhook_id: str, timestamp_s: int, content: bytes, secrets: Sequence[str]
) -> dict[str, str]:
    """The three headers of the specification; one signature for each secret.

    `webhook_id` stays the same over attempts; `timestamp_s` is this attempt's.
    """
    text = f"{webhook_id}.{timestamp_s}.".encode() + content
    signatures = [
        base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()
        for key in map(_key, secrets)
        if key
    ]
    headers = {"webhook-id": webhook_id, "webhook-timestamp": str(timestamp_s)}
    if signatures:
        headers["webhook-signature"] = " ".join(f"v1,{signature}" for signature in signatures)
    return headers


def _type_name(category: str) -> str:
    """The category in the characters that the specification allows in a type."""
    words = re.sub(r"[^A-Za-z0-9_.]+", "_", category).split(".")
    return ".".join(filter(None, words)) or "_"


def _live_secrets(settings: WebhookSettings, now_ms: int) -> list[str]:
    fading = settings.previous_secret_until or 0
    previous = settings.previous_secret if now_ms < fading else None
    return [secret for secret in (settings.secret, previous) if secret]


def _key(secret: str) -> bytes | None:
    """The bytes that a secret stands for; None where it is none."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if secret.startswith(SECRET_PREFIX) and len(key) in _SECRET_SIZES else None


# What comes back -----------------------------------------------------------------------------

_NEVER: Final = {400, 413, 415, 422}


def judged(answer: HttpAnswer, *, scope: str, now_ms: int, secrets: Sequence[str]) -> Outcome:
    """What an answer means: 410 and the header `webhook-delivery` say stop, most others later.

    401, 403 and 404 are what a receiver says while it is being set up, so they are tried again.
    """
    outcome = http.outcome_of(answer, scope=scope, now_ms=now_ms, secrets=secrets)
    if 200 <= answer.status < 300:
        return outcome
    wish = answer.headers.get("webhook-delivery", "").strip().lower()  # an extension of Svix
    said = f"the receiver answered with HTTP {answer.status}"
    if answer.status == 410 or wish == "disable":
        return Unusable(reason=f"{said}: it wants no more deliveries", answer=outcome.answer)
    if answer.status in _NEVER or wish == "abort-message":
        return Rejected(reason=f"{said}: it will not take this one", answer=outcome.answer)
    return outcome


def _scope(url: str) -> str:
    return f"webhook:{urllib.parse.urlsplit(url).hostname}"


def _is_clean(url: str) -> bool:
    if not url.isprintable() or " " in url:
        return False
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) and parts.username is None and port != 0

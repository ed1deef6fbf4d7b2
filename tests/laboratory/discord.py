"""A Discord that enforces its limits, those among them that it tells nobody of.

It runs on whichever clock it is given: on a socket by `behaviour`, or in place of HTTP by `post`.
"""

import asyncio
import collections
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from slowping.notifiers.port import HttpAnswer
from tests.notifiers.far_side import Behaviour, FarSide, reply

BUCKET: Final = 5
BUCKET_S: Final = 2.0
"""Requests of one webhook in so many seconds; headers tell of it."""

HIDDEN: Final = 30
HIDDEN_S: Final = 60.0
HIDDEN_WAIT_S: Final = 40.0
"""Requests to one channel, by whichever webhook; nothing tells of it but the 429, which asks for so
many seconds at least."""

OVERALL: Final = 50
OVERALL_S: Final = 1.0
"""Requests of one address to everything."""

INVALID: Final = 10_000
INVALID_S: Final = 600.0
BAN_S: Final = 3_600.0
"""So many refused requests of one address ban it for an hour."""

PAGE: Final = b"<!DOCTYPE html><title>Access denied | discord.com used Cloudflare</title>"

_ADDRESS: Final = "address"
_SCOPE: Final = "x-ratelimit-scope"
_PATH: Final = re.compile(r"/webhooks/([0-9]+)/[^/?]+(?:\?.*)?")


class Seen(msgspec.Struct, frozen=True):
    """A request, and what it was answered."""

    at_s: float
    webhook: str
    status: int
    told: tuple[str, ...]
    """The descriptions of its embeds."""


class Discord:
    """Takes what webhooks are sent, as fast as it allows, and keeps it."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        """`now_s` may begin anywhere."""
        self._now_s = now_s
        self.seen: list[Seen] = []
        self.channels: dict[str, str] = {}
        """The channel of a webhook, where that is not one of its own."""
        self.gone: set[str] = set()
        """Webhooks that were deleted."""
        self.broken: set[str] = set()
        """Webhooks that are answered by HTTP 500."""
        # When each was opened, and how many went into it.
        self._buckets: dict[str, tuple[float, int]] = {}
        self._passed: dict[str, collections.deque[float]] = collections.defaultdict(
            collections.deque
        )
        self._barred_until: dict[str, float] = {}
        self._ids = 0

    # How it is reached -----------------------------------------------------------------------

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout_s: float = 15.0
    ) -> HttpAnswer:
        """Answer in place of HTTP."""
        del headers, timeout_s
        await asyncio.sleep(0)  # as a network does, it lets others go on
        return self.answer(url[url.index("/webhooks/") :], content)

    def behaviour(self, far_side: FarSide) -> Behaviour:
        """Answer on the socket of a far side."""

        async def behave(writer: asyncio.StreamWriter) -> bool:
            request = far_side.requests[-1]
            answer = self.answer(request.path, request.body)
            return await reply(answer.status, answer.body, answer.headers)(writer)

        return behave

    def answer(self, path: str, body: bytes) -> HttpAnswer:
        """What a request is answered."""
        found = _PATH.fullmatch(path)
        webhook = found[1] if found else ""
        told = tuple(embed.get("description", "") for embed in json.loads(body)["embeds"])
        answer = self._answer(webhook)
        self.seen.append(Seen(self._now_s(), webhook, answer.status, told))
        if answer.status in (401, 403, 429) and answer.headers.get(_SCOPE) != "shared":
            self._count_invalid()
        return answer

    # What it has seen ------------------------------------------------------------------------

    @property
    def taken(self) -> list[str]:
        """The descriptions of all that was taken, in the order in which it came."""
        return [told for seen in self.seen if seen.status == 200 for told in seen.told]

    def refused(self) -> int:
        """Requests that were answered by 429."""
        return sum(seen.status == 429 for seen in self.seen)

    def ban(self) -> None:
        """Take nothing for an hour: a wall stands before it, and answers with a page."""
        self._barred_until[_ADDRESS] = self._now_s() + BAN_S

    # What it enforces ------------------------------------------------------------------------

    def _answer(self, webhook: str) -> HttpAnswer:
        now, channel = self._now_s(), f"channel {self.channels.get(webhook, webhook)}"
        for scope, refused in ((_ADDRESS, _page), (channel, _slow_down)):
            if (left_s := self._barred_until.get(scope, 0.0) - now) > 0:
                return refused(left_s)
        if webhook in self.gone or not webhook:
            return _json(404, {"message": "Unknown Webhook", "code": 10015})
        if webhook in self.broken:
            return _json(500, {"message": "500: Internal Server Error", "code": 0})
        return self._admitted(webhook, channel, now)

    def _admitted(self, webhook: str, channel: str, now: float) -> HttpAnswer:
        overall = self._window(_ADDRESS, now, OVERALL_S)
        if len(overall) >= OVERALL:
            return _slow_down(overall[0] + OVERALL_S - now, everywhere=True)
        opened, count = self._buckets.get(webhook, (now, 0))
        if now - opened >= BUCKET_S:
            opened, count = now, 0
        left_s = opened + BUCKET_S - now
        if count >= BUCKET:
            return _slow_down(left_s, _bucket(0, left_s))
        hidden = self._window(channel, now, HIDDEN_S)
        if len(hidden) >= HIDDEN:
            wait_s = max(HIDDEN_WAIT_S, hidden[0] + HIDDEN_S - now)
            self._barred_until[channel] = now + wait_s
            return _slow_down(wait_s)
        self._buckets[webhook] = (opened, count + 1)
        overall.append(now)
        hidden.append(now)
        self._ids += 1
        return _json(200, {"id": str(self._ids)}, _bucket(BUCKET - count - 1, left_s))

    def _window(self, scope: str, now: float, seconds: float) -> collections.deque[float]:
        passed = self._passed[scope]
        while passed and passed[0] <= now - seconds:
            passed.popleft()
        return passed

    def _count_invalid(self) -> None:
        now = self._now_s()
        invalid = self._window("invalid", now, INVALID_S)
        invalid.append(now)
        if len(invalid) >= INVALID:
            self.ban()


def _bucket(remaining: int, left_s: float) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(BUCKET),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset-after": f"{left_s:.3f}",
        "x-ratelimit-bucket": "80c17d2f203122d936070c88c8d10f33",
    }


def _slow_down(
    wait_s: float, headers: Mapping[str, str] | None = None, *, everywhere: bool = False
) -> HttpAnswer:
    told = {
        "message": "You are being rate limited.",
        "retry_after": math.ceil(wait_s * 1000) / 1000,
    }
    scope = "global" if everywhere else "user"
    heads = {"retry-after": str(math.ceil(wait_s)), _SCOPE: scope, **(headers or {})}
    return _json(429, {**told, "global": everywhere}, heads)


def _page(wait_s: float) -> HttpAnswer:
    return HttpAnswer(429, {"content-type": "text/html", "retry-after": str(round(wait_s))}, PAGE)


def _json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> HttpAnswer:
    return HttpAnswer(
        status, {"content-type": "application/json", **(headers or {})}, json.dumps(body).encode()
    )


def webhooks(count: int) -> Iterator[str]:
    """Addresses of so many webhooks, as people enter them."""
    for number in range(1, count + 1):
        yield f"https://discord.com/api/webhooks/{number}/secret-token-{number}"

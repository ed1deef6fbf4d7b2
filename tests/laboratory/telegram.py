"""A Telegram that enforces its limits, of which its answers tell nothing before they are reached.

It runs on whichever clock it is given: on a socket by `behaviour`, or in place of HTTP by `post`.
"""

import asyncio
import collections
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from slowping.notifiers.port import HttpAnswer
from tests.notifiers.far_side import Behaviour, FarSide, reply

CHAT_BURST: Final = 3
"""A chat takes a message a second; short bursts pass."""

GROUP: Final = 20
GROUP_S: Final = 60.0
OVERALL: Final = 30
OVERALL_S: Final = 1.0


class Seen(msgspec.Struct, frozen=True):
    """A request, and what it was answered."""

    at_s: float
    chat: int
    status: int
    text: str


class Telegram:
    """Takes what bots send, as fast as it allows, and keeps it."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        """`now_s` may begin anywhere."""
        self._now_s = now_s
        self.seen: list[Seen] = []
        self.moved: dict[int, int] = {}
        """The ids of supergroups that groups were made into."""
        self._passed: dict[object, collections.deque[float]] = collections.defaultdict(
            collections.deque
        )
        self._paid_until: dict[int, float] = {}

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout_s: float = 15.0
    ) -> HttpAnswer:
        """Answer in place of HTTP."""
        del url, headers, timeout_s
        await asyncio.sleep(0)  # as a network does, it lets others go on
        return self.answer(content)

    def behaviour(self, far_side: FarSide) -> Behaviour:
        """Answer on the socket of a far side."""

        async def behave(writer: asyncio.StreamWriter) -> bool:
            answer = self.answer(far_side.requests[-1].body)
            return await reply(answer.status, answer.body, answer.headers)(writer)

        return behave

    def answer(self, body: bytes) -> HttpAnswer:
        """What a request to send a message is answered."""
        asked = json.loads(body)
        answer = self._answer(asked["chat_id"])
        self.seen.append(Seen(self._now_s(), asked["chat_id"], answer.status, asked["text"]))
        return answer

    def taken(self, chat: int) -> list[str]:
        """What a chat was sent, in the order in which it came."""
        return [seen.text for seen in self.seen if seen.status == 200 and seen.chat == chat]

    def refused(self) -> int:
        """Requests that were answered by 429."""
        return sum(seen.status == 429 for seen in self.seen)

    def _answer(self, chat: int) -> HttpAnswer:
        if chat in self.moved:
            parameters = {"migrate_to_chat_id": self.moved[chat]}
            return _no(400, "Bad Request: group chat was upgraded to a supergroup chat", parameters)
        now = self._now_s()
        if wait_s := self._wait_s(chat, now):
            after = math.ceil(wait_s)
            return _no(429, f"Too Many Requests: retry after {after}", {"retry_after": after})
        self._window("overall", now, OVERALL_S).append(now)
        self._window(chat, now, GROUP_S).append(now)
        self._paid_until[chat] = max(self._paid_until.get(chat, now), now) + 1
        return _json(200, {"ok": True, "result": {"message_id": len(self.seen) + 1}})

    def _wait_s(self, chat: int, now: float) -> float:
        """How long the chat has to wait; 0 where it does not."""
        overall = self._window("overall", now, OVERALL_S)
        if len(overall) >= OVERALL:
            return overall[0] + OVERALL_S - now
        group = self._window(chat, now, GROUP_S)
        if chat < 0 and len(group) >= GROUP:
            return group[0] + GROUP_S - now
        return max(0.0, self._paid_until.get(chat, now) - now - (CHAT_BURST - 1))

    def _window(self, scope: object, now: float, seconds: float) -> collections.deque[float]:
        passed = self._passed[scope]
        while passed and passed[0] <= now - seconds:
            passed.popleft()
        return passed


def _no(code: int, description: str, parameters: Mapping[str, int]) -> HttpAnswer:
    told = {"ok": False, "error_code": code, "description": description}
    return _json(code, {**told, "parameters": parameters})


def _json(status: int, body: Any) -> HttpAnswer:
    return HttpAnswer(status, {"content-type": "application/json"}, json.dumps(body).encode())

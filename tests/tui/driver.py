"""Drive the live view by its keys, against a server whose answers and feed are scripted.

The client is the real one: only its transport is ours, and the time it waits.
"""

import asyncio
import contextlib
import datetime as dt
import re
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import msgspec
from textual.pilot import Pilot
from textual.widget import Widget

from slowping.client.client import Client
from slowping.client.stream import Patience
from slowping.core import ids, problem, times
from slowping.core.category import Category
from slowping.core.delivery import (
    Attempt,
    AttemptOutcome,
    Delivery,
    DeliveryDetail,
    DeliveryState,
    EventDetail,
)
from slowping.core.errors import SlowpingError
from slowping.core.event import Event
from slowping.core.feed import DeliveryChanged, EventAccepted, FeedItem
from slowping.core.page import Page
from slowping.core.problem import Problem
from slowping.tui.app import SlowpingApp
from slowping.tui.settings import Profile, Settings
from slowping.tui.widgets.feed_view import FeedView

NOW_MS = 1_795_000_000_000  # 2026-11-18
PROFILE = Profile(name="test", server="http://server.test:7464", api_key="slp_test")

Reply = Callable[[httpx.Request], msgspec.Struct | httpx.Response]


def event(number: int, **what: Any) -> Event:
    """An event that came `number` seconds after the start of a day."""
    given: dict[str, Any] = {
        "id": ids.encode(ids.EVENT, number),
        "project": "shop",
        "category": "sale",
        "description": f"event {number}",
        "fields": {},
        "source": None,
        "color": None,
        "dialect": "slowping",
        "occurred_at": None,
        "received_at": times.to_datetime(NOW_MS - 60_000 + number),
        "notify": True,
        "deliveries": {},
    }
    return msgspec.convert({**given, **what}, Event)


def events(first: int, last: int, **what: Any) -> list[Event]:
    """Events with these numbers, the last one included."""
    return [event(number, **what) for number in range(first, last + 1)]


def category(name: str, emoji: str = "🔔", color: int = 0x6C5CE7, **what: Any) -> Category:
    """A category of the project `shop`."""
    given = {
        "id": f"cat_{name}",
        "project": "shop",
        "name": name,
        "emoji": emoji,
        "color": color,
        "priority": 0,
        "channels": [],
        "created_at": times.to_datetime(NOW_MS),
    }
    return msgspec.convert({**given, **what}, Category)


def delivery(number: int, of: int, state: DeliveryState, **what: Any) -> Delivery:
    """A delivery of the event of that number."""
    given = {
        "id": ids.encode(ids.DELIVERY, number),
        "event_id": ids.encode(ids.EVENT, of),
        "project": "shop",
        "category": "sale",
        "channel": f"channel-{number}",
        "kind": "webhook",
        "state": state,
        "attempts": 1,
        "last_error": None,
        "due_at": None,
        "created_at": times.to_datetime(NOW_MS),
        "ended_at": None,
    }
    return msgspec.convert({**given, **what}, Delivery)


def attempt(
    no: int, outcome: AttemptOutcome, status: int | None, reason: str | None, excerpt: str | None
) -> Attempt:
    """An attempt that took 120 milliseconds."""
    return Attempt(
        no=no,
        started_at=times.to_datetime(NOW_MS),
        duration_ms=120,
        outcome=outcome,
        status=status,
        reason=reason,
        excerpt=excerpt,
    )


class ScriptedServer:
    """What the server has, and what its feed tells."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.deliveries: dict[str, tuple[DeliveryDetail, ...]] = {}
        self.categories: list[Category] = []
        self.refusing: dict[str, tuple[int, type[SlowpingError]]] = {}
        """Status and condition by the path that is refused."""
        self.answers: dict[str, msgspec.Struct | Reply] = {}
        """What else is answered, by method and path; a function is given the request."""
        self.asked: list[str] = []
        self.sent: dict[str, Any] = {}
        """The latest body by method and path."""
        self.queries: dict[str, str] = {}
        """The latest query by path."""
        self.every_query: list[str] = []
        """All paths with their queries."""
        self.gate = asyncio.Event()
        """Nothing is answered while this is not set."""
        self.gate.set()
        self.retry = asyncio.Event()
        """A lost line is tried again when this is set."""
        self.lines = 0
        """How often the feed was asked for."""
        self._told: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._place = 0

    def client(self, profile: Profile) -> Client:
        """The real client, with a transport of ours, and a patience that ends when we say."""
        return Client(
            profile.server,
            profile.api_key,
            transport=httpx.MockTransport(self.answer),
            patience=Patience(sleep=self._wait, jitter=lambda: 1.0),
        )

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as the server would."""
        path = request.url.path.removeprefix("/slowping/v1")
        self.asked.append(f"{request.method} {path}")
        self.queries[path] = str(request.url.params)
        self.every_query.append(f"{path}?{request.url.params}")
        if request.content:
            self.sent[f"{request.method} {path}"] = msgspec.json.decode(request.content)
        await self.gate.wait()
        if path in self.refusing:
            status, condition = self.refusing[path]
            return refusal(status, condition)
        scripted = self.answers.get(f"{request.method} {path}")
        if scripted is not None:
            told = scripted(request) if callable(scripted) else scripted
            if isinstance(told, httpx.Response):
                return told
            return httpx.Response(200, content=msgspec.json.encode(told))
        if request.method == "DELETE":
            return httpx.Response(204)
        if path == "/feed":
            return httpx.Response(
                200, headers={"content-type": "text/event-stream"}, content=self._line()
            )
        found = self._found(path, request.url.params)
        if found is None:
            return httpx.Response(404)
        return httpx.Response(200, content=msgspec.json.encode(found))

    def _found(self, path: str, query: Mapping[str, str]) -> msgspec.Struct | None:
        limit = int(query.get("limit", 50))
        if path == "/events":
            return Page(items=tuple(reversed(self.events))[:limit])
        if path == "/categories":
            return Page(items=tuple(self.categories))
        if path == "/deliveries":
            details = self.deliveries.get(query["event"], ())
            return Page(items=tuple(each.delivery for each in details))
        if path.startswith("/events/"):
            [one] = [each for each in self.events if path.endswith(each.id)]
            return EventDetail(event=one, deliveries=self.deliveries.get(one.id, ()))
        if path == "/health/ready":
            return msgspec.convert({"status": "ok", "version": "0"}, _Health)
        return Page(items=()) if path == "/keys" else None

    def tell(self, *items: FeedItem) -> None:
        """Let the feed tell this next."""
        for item in items:
            self._put(str(item.__struct_config__.tag), msgspec.json.encode(item))

    def stand(self, *, reset: bool = False) -> None:
        """Let the line stand."""
        self._put("reset" if reset else "", b"{}" if reset else b"")

    def lose(self) -> None:
        """Let the line break."""
        self._told.put_nowait(None)

    async def is_heard(self) -> None:
        """Wait until all was taken from the feed."""
        await self._told.join()

    def _put(self, name: str, data: bytes) -> None:
        self._place += 1
        event = b"event: %b\ndata: %b\n" % (name.encode(), data) if name else b""
        self._told.put_nowait(b"id: %d\n%b\n" % (self._place, event))

    async def _wait(self, seconds: float) -> None:
        await self.retry.wait()
        self.retry.clear()

    async def _line(self) -> AsyncIterator[bytes]:
        self.lines += 1
        while (block := await self._told.get()) is not None:
            yield block
            self._told.task_done()
        self._told.task_done()


class _Health(msgspec.Struct):
    status: str
    version: str


def refusal(
    status: int, condition: type[SlowpingError], detail: str = "It was refused.", **more: Any
) -> httpx.Response:
    """How the server says no; `more` are what else the condition has, such as `name`."""
    told = Problem(
        type=f"about:errors#{problem.condition_of(condition)}",
        title="refused",
        status=status,
        detail=detail,
        **more,
    )
    headers = {"content-type": problem.MEDIA_TYPE}
    return httpx.Response(status, content=msgspec.json.encode(told), headers=headers)


class Driver:
    """A running live view, its keys and its picture."""

    def __init__(self, app: SlowpingApp, pilot: Pilot[None], server: ScriptedServer) -> None:
        self.app = app
        self.pilot = pilot
        self.server = server
        self.copied: list[str] = []

    @property
    def feed(self) -> FeedView:
        """The list of the feed."""
        return self.app.screen_stack[0].query_one(FeedView)

    async def press(self, *keys: str) -> None:
        """Press keys, and wait until everything is done."""
        await self.pilot.press(*keys)
        await self.settle()

    async def write(self, words: str) -> None:
        """Type into the field that has the focus."""
        await self.press(*("space" if letter == " " else letter for letter in words))

    async def receives(self, *items: FeedItem | Event | Delivery) -> None:
        """Let the feed tell this, and show it."""
        self.server.tell(*map(_item, items))
        await self._heard()

    async def connects(self, *, reset: bool = False) -> None:
        """Let the line stand."""
        self.server.stand(reset=reset)
        await self._heard()

    async def loses_the_line(self) -> None:
        """Let the line break."""
        self.server.lose()
        await self._heard()

    async def tries_again(self, *, reset: bool = False) -> None:
        """Let the time until the next try pass, and the line stand."""
        self.server.retry.set()
        await self.connects(reset=reset)

    async def _heard(self) -> None:
        await self.server.is_heard()
        await self.pilot.pause()
        self.app.live.flush()
        await self.settle()

    async def settle(self) -> None:
        """Wait until nothing is under way but the feed, and what waits for a modal's answer."""
        for _ in range(3):
            await self.pilot.pause()
            while self.server.gate.is_set() and self._busy() > self._unanswered():
                await self.pilot.pause()
        await self.pilot.pause()

    def _busy(self) -> int:
        """How many workers are under way."""
        return sum(
            w.group not in {"line", "closing"} and not w.is_finished for w in self.app.workers
        )

    def _unanswered(self) -> int:
        """How many workers wait for a modal to be answered: `push_screen_wait`."""
        waiting = [
            callback.future
            for screen in self.app.screen_stack
            for callback in screen._result_callbacks
        ]
        return sum(future is not None and not future.done() for future in waiting)

    def picture(self) -> str:
        """What is on the screen, as text."""
        return picture(self.app.export_screenshot())

    def shows(self, *words: str) -> None:
        """See that these words are on the screen."""
        shown = self.picture()
        for word in words:
            assert word in shown, shown

    async def comes_to_show(self, *words: str) -> None:
        """See that these words are on the screen, if not at once: what the palette has found."""
        for _ in range(100):
            if all(word in self.picture() for word in words):
                return
            await self.pilot.pause(0.01)
        self.shows(*words)

    def hides(self, *words: str) -> None:
        """See that these words are not on the screen."""
        shown = self.picture()
        for word in words:
            assert word not in shown, shown

    def toasts(self) -> list[str]:
        """What toasts say."""
        return [f"{each.title} {each.message}".strip() for each in self.app._notifications]

    def has_focus(self, widget: type[Widget]) -> bool:
        """Whether such a widget has the focus."""
        return isinstance(self.app.focused, widget)


def _item(given: FeedItem | Event | Delivery) -> FeedItem:
    if isinstance(given, Event):
        return EventAccepted(id=given.id, event=given)
    if isinstance(given, Delivery):
        return DeliveryChanged(id=given.id, delivery=given)
    return given


@contextlib.asynccontextmanager
async def running(
    server: ScriptedServer,
    *,
    size: tuple[int, int] = (80, 24),
    settings: Settings | None = None,
    profile: Profile | None = PROFILE,
    now_ms: Callable[[], int] = lambda: NOW_MS,
) -> AsyncIterator[Driver]:
    """Run the live view on a terminal of that size."""
    app = SlowpingApp(
        settings or Settings(), profile, dial=server.client, now_ms=now_ms, tick_s=3600
    )
    app.animation_level = "none"  # what is seen does not depend on when it is looked at
    async with app.run_test(size=size, notifications=True) as pilot:
        driver = Driver(app, pilot, server)
        await driver.settle()
        yield driver


def picture(svg: str) -> str:
    """The text of a screenshot: every `<text>` element at the place of its x and its line."""
    lines: dict[int, dict[int, str]] = {}
    drawn = [e for e in ET.fromstring(svg).iter() if e.tag.endswith("}text") and e.get("clip-path")]  # noqa: S314 - our own
    for element in drawn:
        line = re.search(r"line-(\d+)\)", element.get("clip-path", ""))
        if line is not None:
            x = round(float(element.get("x", "0")) / 12.2)
            lines.setdefault(int(line[1]), {})[x] = (element.text or "").replace("\xa0", " ")
    height = max(lines, default=-1) + 1
    return "\n".join(_joined(lines.get(number, {})) for number in range(height))


def _joined(parts: dict[int, str]) -> str:
    from rich.cells import cell_len

    line = ""
    for x, part in sorted(parts.items()):
        line += " " * (x - cell_len(line)) + part
    return line.rstrip()


def moment(seconds: float) -> dt.datetime:
    """So many seconds after the moment at which the tests take place."""
    return times.to_datetime(NOW_MS + round(seconds * 1000))

"""Send to a hundred far sides, while one more takes every request and never answers."""

import asyncio
import contextlib
import json
import statistics
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from slowping.client.client import Client
from slowping.core.api_key import NewApiKey
from slowping.core.category import NewCategory
from slowping.core.channel import NewChannel
from tests.acceptance.program import Machine
from tests.notifiers.far_side import FarSide, Request, reply, silence
from tests.torture import stage
from tests.torture.bar import Bar, Figure, Run, enough, never
from tests.torture.clients import Line, post

HEALTHY: Final = 100
A_SECOND: Final = 40
"""Events; each goes to one healthy far side and to one that all of them go to."""

PHASES: Final = ("calm", "dark", "dark", "calm") * 6
"""Where else events go, in short turns: what the machine does besides falls on both alike."""

PHASE_S: Final = 4.0
SHORTEST_PHASE_S: Final = 0.5
DELIVERED_WITHIN_S: Final = 1.0
WORSE: Final = 20.0
"""Percent that accepting may take longer."""

LINES: Final = 8
ARRIVE_WITHIN_S: Final = 20.0


Lines = asyncio.Queue[Line]


class Meeting:
    """When each event was sent, and when it arrived at its healthy far side."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}
        self.arrived: dict[str, float] = {}
        self.black_hole = FarSide(silence())
        self.took_s: list[tuple[str, list[float]]] = []
        """How long accepting took, in each phase."""

    def late_s(self, phase: str) -> list[float]:
        """How long it took from sending an event to its arrival at its healthy far side."""
        return [
            at_s - self.sent[mark] for mark, at_s in self.arrived.items() if mark.startswith(phase)
        ]


class _Noted(list[Request]):
    """Requests to a healthy far side: only when each event came is kept."""

    def __init__(self, meeting: Meeting) -> None:
        super().__init__()
        self._meeting = meeting

    def append(self, request: Request) -> None:
        """One more has arrived."""
        now = asyncio.get_running_loop().time()
        mark = json.loads(request.body)["data"]["description"]
        self._meeting.arrived.setdefault(mark, now)


async def run(run: Run) -> Sequence[Figure]:
    """Send in turns with the black hole and without it."""
    meeting = Meeting()
    async with (
        contextlib.AsyncExitStack() as stack,
        stage.serving(Machine(run.folder / "home"), run.folder) as server,
        server.client() as client,
    ):
        key = await _set_up(client, stack, meeting)
        async with _lines(server.url) as lines:
            for phase in PHASES[: max(2, run.times(len(PHASES)))]:
                await _switch(client, dark=phase == "dark")
                seconds = max(SHORTEST_PHASE_S, PHASE_S * min(1.0, run.scale))
                await _send(meeting, lines, key, phase, seconds)
            run.say(f"{len(meeting.sent)} events sent, {len(meeting.arrived)} have arrived")
            await _arrive(meeting)
        waiting = (await client.overview()).channels
    return _figures(meeting, {each.channel: each.waiting for each in waiting})


async def _set_up(client: Client, stack: contextlib.AsyncExitStack, meeting: Meeting) -> str:
    for channel in (await client.list_channels()).items:
        await client.remove_channel(channel.id)
    for name, far_side in (("calm", FarSide(reply(204))), ("dark", meeting.black_hole)):
        await stack.enter_async_context(far_side.running())
        await client.create_channel(_channel(name, far_side))
    for no in range(HEALTHY):
        far_side = await stack.enter_async_context(FarSide(reply(204)).running())
        far_side.requests = _Noted(meeting)
        await client.create_channel(_channel(f"healthy-{no}", far_side))
        for other in ("calm", "dark"):
            channels = (f"healthy-{no}", other)
            await client.create_category(NewCategory(name=f"{other}-{no}", channels=channels))
    return (await client.issue_api_key(NewApiKey(name="load", rate_limit=0))).value


def _channel(name: str, far_side: FarSide) -> NewChannel:
    return NewChannel(kind="webhook", name=name, settings={"url": far_side.url})


async def _switch(client: Client, *, dark: bool) -> None:
    """Have the black hole be there, or not."""
    [channel] = (await client.list_channels(name="dark")).items
    await (client.resume_channel(channel.id) if dark else client.pause_channel(channel.id))


@contextlib.asynccontextmanager
async def _lines(url: str) -> AsyncIterator[Lines]:
    """Connections that are free."""
    lines = [await Line.to(url) for _ in range(LINES)]
    free: Lines = asyncio.Queue()
    for line in lines:
        free.put_nowait(line)
    try:
        yield free
    finally:
        for line in lines:
            line.close()


async def _send(meeting: Meeting, lines: Lines, key: str, phase: str, seconds: float) -> None:
    """Send evenly, to one healthy far side after the other."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    meeting.took_s.append((phase, []))
    async with asyncio.TaskGroup() as sending:
        for no in range(round(A_SECOND * seconds)):
            await asyncio.sleep(max(0.0, started + no / A_SECOND - loop.time()))
            sending.create_task(_ask(meeting, lines, key, phase, no % HEALTHY))


async def _ask(meeting: Meeting, lines: Lines, key: str, phase: str, far_side: int) -> None:
    loop = asyncio.get_running_loop()
    mark = f"{phase} {len(meeting.sent)}"
    meeting.sent[mark] = began = loop.time()
    body = {"category": f"{phase}-{far_side}", "description": mark}
    line = await lines.get()
    answer = await line.ask(post("/slowping/v1/events", f"Authorization: Bearer {key}", body))
    lines.put_nowait(line)
    assert answer.status == 201, answer
    meeting.took_s[-1][1].append(loop.time() - began)


async def _arrive(meeting: Meeting) -> None:
    """Wait until all that healthy far sides are owed has come, or until it is too late."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + ARRIVE_WITHIN_S
    while len(meeting.arrived) < len(meeting.sent) and loop.time() < deadline:  # noqa: ASYNC110 - a bound, too
        await asyncio.sleep(0.05)


def _figures(meeting: Meeting, waiting: Mapping[str, int]) -> Sequence[Figure]:
    # One hiccup of the machine is in one phase.
    calm, dark = (
        statistics.median(_p99(took_s) for phase, took_s in meeting.took_s if phase == wanted)
        for wanted in ("calm", "dark")
    )
    owed = sum(len(took_s) for phase, took_s in meeting.took_s if phase == "dark")
    return [
        enough("requests that the black hole took", len(meeting.black_hole.requests), 1),
        never(
            "events that healthy far sides did not get", len(meeting.sent) - len(meeting.arrived)
        ),
        never("events for the black hole that do not wait for it", owed - waiting["dark"]),
        Figure(
            what="healthy deliveries, p99, beside the black hole",
            measured=round(_p99(meeting.late_s("dark")), 3),
            bar=DELIVERED_WITHIN_S,
            unit="s",
            is_timing=True,
        ),
        Figure(
            what=f"accepting, p99, longer than without it ({1000 * calm:.1f} ms)",
            measured=round(100 * (dark / calm - 1), 1),
            bar=WORSE,
            unit="%",
            is_timing=True,
        ),
    ]


def _p99(took_s: Sequence[float]) -> float:
    return sorted(took_s)[len(took_s) * 99 // 100]


BAR = Bar(
    name="isolation",
    promise="A far side that takes requests and never answers slows down nobody else.",
    run=run,
)

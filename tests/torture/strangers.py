"""Let strangers do their worst: silence, slow bodies, endless heads, bodies that are a trap."""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from tests.acceptance.program import SLOWPING, Machine, Server
from tests.torture import stage
from tests.torture.bar import Bar, Figure, Run, enough, never
from tests.torture.clients import Answer, Ledger, Line
from tests.torture.flood import Memory, Probe, meanwhile, p99_s
from tests.torture.power_cut import NOBODY

SECONDS = 15.0
IDLE = 3_000
SLOW_BODIES = 500
ENDLESS_HEADS = 500
TRAPS_AT_ONCE = 8
GOOD = 20
"""Good requests at least, however slow the machine."""

MEMORY_MIB = 256.0
ANSWERED_S = 3.0

DESCRIPTORS = 256
CALLERS = 600
"""More than the descriptors of a server that may have so few."""

_HEAD: Final = "POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n"

Ill = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class _Toll(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to be judged in the end."""

    probe: Probe
    ledger: Ledger
    connected: int
    """Strangers who got a connection to hold, once at least."""
    growth_mib: float
    trapped: Sequence[Answer]
    """What those were answered whose bodies were a trap."""
    called: Ledger
    """What was answered to more callers than there are descriptors."""


async def run(run: Run) -> Sequence[Figure]:
    """Have all of them at once; and then more than there are descriptors for."""
    machine, ledger = Machine(run.folder / "home"), Ledger()
    trapped: list[Answer] = []
    connected: set[int] = set()
    async with stage.serving(machine, run.folder) as server:
        key = await stage.set_up(server, NOBODY, ("waiting",))
        memory, probe = Memory(server.pid), Probe(server.url, key, ledger)
        crowd = _crowd(run, server.url, key, trapped, connected)
        async with meanwhile(memory.watch()), meanwhile(probe.run()), meanwhile(crowd):
            await asyncio.sleep(max(2.0, SECONDS * run.scale))
            await probe.has_seen(GOOD)
        run.say(f"{len(probe.seen)} good requests, {len(trapped)} traps")
        await stage.stopped(server)
    limited = ("bash", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "bash", *SLOWPING)
    async with machine.serving(run.folder / "data", program=limited, **stage.ENVIRON) as server:
        called = await _call_all_at_once(server, key)
    return _figures(
        run,
        _Toll(
            probe=probe, ledger=ledger, connected=len(connected), growth_mib=memory.growth_mib,
            trapped=trapped, called=called,
        )
    )  # fmt: skip


async def _crowd(run: Run, url: str, key: str, trapped: list[Answer], connected: set[int]) -> None:
    """All strangers, each of whom comes back when he is shown out."""
    whole_head = _HEAD.format("none").encode()
    slow_body = whole_head + b"Content-Length: 900000\r\n\r\n" + b"x" * 200_000
    numbers = itertools.count()
    async with asyncio.TaskGroup() as group:
        for count, said in (
            (run.times(IDLE), b""),
            (run.times(SLOW_BODIES), slow_body),
            (run.times(ENDLESS_HEADS), whole_head + b"X-A: " + b"a" * 60_000),
        ):
            for _ in range(count):
                group.create_task(_linger(url, said, next(numbers), connected))
        for _ in range(TRAPS_AT_ONCE):
            group.create_task(_trap(url, key, trapped))


async def _linger(url: str, said: bytes, number: int, connected: set[int]) -> None:
    """Say something that has no end, wait until cut off, come again."""
    while True:
        with contextlib.suppress(OSError):
            async with Line.on(url) as line:
                connected.add(number)
                await line.say_and_wait(said)
        await asyncio.sleep(0.5)


async def _trap(url: str, key: str, trapped: list[Answer]) -> None:
    """Send bodies that cost much where nobody looks first."""
    bodies = (
        b"[" * 900_000,
        b'{"a":' * 150_000,
        b'{"category":"bug","fields":{"a":' + b"[" * 500_000,
        b"[" + b"{}," * 300_000 + b"{}]",
        b'{"category":"bug","fields":{' + b",".join(b'"k%d":1' % n for n in range(70_000)) + b"}}",
        b'{"category":"bug","fields":{"a":' + b"9" * 900_000 + b"}}",
        b'"' + b"\\" * 900_001,
        b"x" * 5_000_000,
    )
    while True:
        for body in bodies:
            head = f"{_HEAD.format(key)}Content-Length: {len(body)}\r\n\r\n"
            with contextlib.suppress(OSError, EOFError):
                async with Line.on(url) as line:
                    trapped.append(await line.ask(head.encode() + body))
            await asyncio.sleep(0.05)


async def _call_all_at_once(server: Server, key: str) -> Ledger:
    """Connect from more sides than there is room for; everybody asks once he is connected."""
    ledger = Ledger("c")

    async def call() -> None:
        await Probe(server.url, key, ledger).send()

    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return ledger


def _figures(run: Run, toll: _Toll) -> Sequence[Figure]:
    good, called = toll.probe.seen, toll.called
    taken = sum(one.answer is not None and one.answer.status == 200 for one in good)
    return (
        enough("strangers who hold a connection", toll.connected, run.times(IDLE)),
        enough("good requests meanwhile", len(good), GOOD),
        never("good requests not taken", len(good) - taken),
        enough("traps answered", len(toll.trapped), 10),
        never(
            "traps answered with neither 4xx nor a proper 503",
            sum(not 400 <= one.status < 500 and not one.is_refusal for one in toll.trapped),
        ),
        Figure(what="memory grown by", measured=round(toll.growth_mib), bar=MEMORY_MIB, unit="MiB"),
        Figure(
            what="99 of 100 good requests answered within",
            measured=round(p99_s(good), 2),
            bar=ANSWERED_S,
            unit="s",
            is_timing=True,
        ),
        enough("callers answered, more than there are descriptors", called.answers, CALLERS),
        never("callers answered with neither a yes nor a 503", len(called.odd)),
    )


BAR = Bar(
    name="strangers",
    promise="Whoever holds connections, heads or bodies back makes room for everybody else.",
    run=run,
)

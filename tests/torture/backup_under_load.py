"""Back a server up while events come in, put the last copy back, and count what is missing."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from tests.acceptance.program import Machine, Ran, Server
from tests.notifiers.far_side import FarSide, reply
from tests.torture import found, stage
from tests.torture.bar import Bar, Figure, Run, enough, never
from tests.torture.clients import PINGPANDA, Crowd, Ledger, Line
from tests.torture.flood import meanwhile
from tests.torture.found import Found

BACKUPS = 10
EVENTS = 300_000
"""In the database before it begins: a copy of a few events would be over at once."""

RATE = 500
PAUSE_S = 0.06
"""How long each of the clients rests: all of them together send somewhat more than `RATE`."""

PROBE_EVERY_S = 0.02
SLOW_MS = 100
DRILL_S = 300
BEFORE_S = 5.0

_FATTEN = """
with recursive counting (i) as (select 1 union all select i + 1 from counting where i < :events)
insert into event (id, project_id, category_id, dialect, description, fields, received_at, notify,
                   size)
select (1000000000000 + i) << 12, category.project_id, category.id, 'old',
       'No. ' || i || printf('%.400c', 'x'), '{"amount":' || i || '}', 1767225600000 + i, 1, 430
  from counting, (select id, project_id from category where removed_at is null limit 1) as category
"""


class _Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A copy, and what had to be in it."""

    ran: Ran
    folder: Path
    acknowledged: frozenset[str]
    """What had been when it was begun."""
    took_s: float
    events: int
    """How many came while it was made."""


async def run(run: Run) -> Sequence[Figure]:
    """Load, copy, copy; stop; put the last copy back, and start on it."""
    machine, ledger, probe = Machine(run.folder / "home"), Ledger(), Probe()
    async with FarSide(reply(204)).running() as far_side:
        async with stage.serving(machine, run.folder) as server:
            key = await stage.set_up(server, far_side.url)
            await stage.stopped(server)
        stage.counting(far_side)
        _fatten(run.folder / "data" / found.DATABASE, run.times(EVENTS))
        async with stage.serving(machine, run.folder) as server:
            crowd = Crowd(key, ledger, pause_s=PAUSE_S)
            async with crowd.sending(server.url), probe.watching(server.url, key):
                await asyncio.sleep(BEFORE_S * max(run.scale, 0.1))
                probe.mark()
                backups = [await _back_up(machine, server, run, no, ledger) for no in _numbers(run)]
            await stage.stopped(server)
        copies = [await asyncio.to_thread(found.look, each.folder, 0) for each in backups]
        drill_s, restored = await _drill(machine, run, backups[-1])
    return _figures(run, ledger, probe, backups, copies, drill_s, restored)


def _numbers(run: Run) -> range:
    return range(run.times(BACKUPS))


def _fatten(database: Path, events: int) -> None:
    """Fill a database with events that came long ago."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as opened:
        opened.execute(_FATTEN, {"events": events})


async def _back_up(
    machine: Machine, server: Server, run: Run, number: int, ledger: Ledger
) -> _Backup:
    folder = run.folder / f"copy-{number}"
    folder.mkdir()
    acknowledged = frozenset(ledger.acknowledged)
    started = time.monotonic()
    ran = await machine.slowping(
        "backup", folder / found.DATABASE,
        SLOWPING_SERVER=server.url, SLOWPING_API_KEY=server.admin_key,
    )  # fmt: skip
    took_s = time.monotonic() - started
    events = len(ledger.acknowledged) - len(acknowledged)
    run.say(f"copy {number + 1}: {took_s:.1f} s, {events:,} events meanwhile")
    return _Backup(
        ran=ran, folder=folder, acknowledged=acknowledged, took_s=took_s, events=events
    )  # fmt: skip


async def _drill(machine: Machine, run: Run, backup: _Backup) -> tuple[float, Found]:
    """Put a copy back and start on it; how long that took, and what is there then."""
    started = time.monotonic()
    ran = await machine.slowping(
        "restore", backup.folder / found.DATABASE, "--data", run.folder / "data", "--yes"
    )
    assert ran.code == 0, ran.stderr
    async with stage.serving(machine, run.folder) as server:
        drill_s = time.monotonic() - started
        await stage.stopped(server)
    return drill_s, await asyncio.to_thread(found.look, run.folder / "data", 0)


class Probe:
    """Sends an event now and then, and notes how long the answer took."""

    def __init__(self) -> None:
        self.before_ms: list[float] = []
        self.during_ms: list[float] = []
        self.failed = 0
        """Requests that were not answered with a yes."""
        self._now = self.before_ms

    def mark(self) -> None:
        """What follows is while copies are made."""
        self._now = self.during_ms

    @contextlib.asynccontextmanager
    async def watching(self, url: str, key: str) -> AsyncIterator[None]:
        """Send until the block ends."""
        line = await Line.to(url)
        try:
            async with meanwhile(self._watch(line, key)):
                yield
        finally:
            line.close()

    async def _watch(self, line: Line, key: str) -> None:
        request = PINGPANDA.write(key, ("probe",), None)
        while True:
            started = time.perf_counter()
            try:
                answer = await line.ask(request)
            except (OSError, EOFError):
                self.failed += 1
                return
            self._now.append(1000 * (time.perf_counter() - started))
            self.failed += answer.status != 200
            await asyncio.sleep(PROBE_EVERY_S)


def _percentile(latencies: Sequence[float]) -> float:
    return round(sorted(latencies)[len(latencies) * 99 // 100], 1)


def _figures(
    run: Run,
    ledger: Ledger,
    probe: Probe,
    backups: Sequence[_Backup],
    copies: Sequence[Found],
    drill_s: float,
    restored: Found,
) -> Sequence[Figure]:
    pairs = list(zip(backups, copies, strict=True))
    rate = sum(each.events for each in backups) / sum(each.took_s for each in backups)
    before, during = _percentile(probe.before_ms), _percentile(probe.during_ms)
    good = sum(each.ran.code == 0 for each in backups)
    return (
        enough("backups under load", good, run.times(BACKUPS)),
        enough(
            "of them made while events came in",
            sum(each.events > 0 for each in backups),
            run.times(BACKUPS),
        ),
        Figure(
            what="events a second meanwhile",
            measured=round(rate),
            bar=RATE,
            at_least=True,
            is_timing=True,
        ),
        never(
            "requests that were refused, failed or not answered",
            ledger.refused.total() + len(ledger.odd) + ledger.ended.total() + probe.failed,
        ),
        never(
            "events acknowledged before a copy began, and missing in it",
            sum(copy.lost(each.acknowledged) for each, copy in pairs),
        ),
        never("copies that are damaged", sum(not copy.is_sound for copy in copies)),
        never(
            "events missing after the last was put back", restored.lost(backups[-1].acknowledged)
        ),
        never("databases that are damaged then", int(not restored.is_sound)),
        Figure(
            what=f"answer meanwhile, p99 ({before:g} ms before)",
            measured=during,
            bar=SLOW_MS,
            unit="ms",
            is_timing=True,
        ),
        Figure(
            what="from the copy to a server that is ready",
            measured=round(drill_s, 1),
            bar=DRILL_S,
            unit="s",
            is_timing=True,
        ),
    )


BAR = Bar(
    name="backup_under_load",
    promise="A backup under load holds up nobody, and has all that was acknowledged before it.",
    run=run,
)

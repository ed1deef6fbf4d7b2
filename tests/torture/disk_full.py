"""Fill the disk to its last byte, limit how large files may be, and let a sync fail."""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from slowping.client.client import Client
from slowping.core import errors
from slowping.core.disk import OVER
from slowping.server.process.disk import BALLAST_FILE, CALM_LOOKS, LOOK_EVERY_S
from slowping.store.sqlite.writer import EXIT_CODE
from tests.acceptance.eventually import eventually
from tests.acceptance.program import Machine, Server, signalled
from tests.laboratory import small_disk
from tests.laboratory.small_disk import SmallDisk
from tests.notifiers.far_side import FarSide, reply
from tests.torture import found, stage
from tests.torture.bar import Bar, Figure, Run, enough, left_out, never
from tests.torture.clients import Crowd, Ledger
from tests.torture.stage import Arrivals

ROUNDS = 6
DISK_BYTES = 96_000_000
FIXED_BYTES = 1_000_000
LOW_SHARE: Final = 20
"""Of a disk as small as this, a twentieth has to be free."""

ROOM = 200_000
"""More than is too little: so much may come in before it is."""

PAUSE_S = 0.5
"""How long each client rests after an answer."""

HELD_S = 2.5
"""How long it stays full."""

WITH_BALLAST: Final = 1.0
"""The scale from which on it is tried too: a server takes its time before it has one."""

LARGEST_FILE = 100_000
"""Bytes, where there is a limit."""

RECOVERY_S = 10.0


class _Toll(msgspec.Struct, kw_only=True):
    """What there is to be judged of one kind of trouble."""

    ledger: Ledger = msgspec.field(default_factory=Ledger)
    troubles: int = 0
    unread: int = 0
    """Reads that were not answered while nothing could be written."""
    green: int = 0
    """Troubles that the health of the server did not tell of."""
    recovered_s: list[float] = msgspec.field(default_factory=list)
    unrecovered: int = 0
    notices: int = 0
    stuck: int = 0
    """Whether results could not be written though there was a ballast."""
    unsettled: int = 0
    """Whether deliveries wait for nothing in the end."""
    lost: int = 0
    unaccounted: int = 0
    damaged: int = 0
    ended: int = 0
    """Whether the server had ended by itself."""


async def run(run: Run) -> Sequence[Figure]:
    """Fill a small disk, then limit the size of files, then let a sync fail."""
    return (
        *await _on_small_disk(run),
        *_figures(run, "a limit of file size, or read-only", await _under_limit(run)),
        *await _with_failing_sync(run),
    )


# A disk that is full -----------------------------------------------------------------------------


async def _on_small_disk(run: Run) -> Sequence[Figure]:
    if reason := small_disk.why_not():
        return (left_out("a full disk", reason),)
    with small_disk.mounted(run.folder / "disk", DISK_BYTES) as disk:
        toll = await _fill_again_and_again(run, disk)
    with small_disk.mounted(run.folder / "fixed", FIXED_BYTES, read_only=True) as fixed:
        machine = Machine(run.folder / "home")
        ran = await machine.slowping("serve", "--data", fixed.folder / "data", "--port", "0")
    says = ran.code == 1 and "Read-only file system" in ran.stderr and "Traceback" not in ran.stderr
    return (
        *_figures(run, "a full disk", toll),
        *_ballast(run, toll),
        never("starts on a read-only disk without a plain word", not says),
    )


def _ballast(run: Run, toll: _Toll) -> Sequence[Figure]:
    if run.scale < WITH_BALLAST:
        return ()
    return (never("a full disk: results not written from the ballast", toll.stuck),)


async def _fill_again_and_again(run: Run, disk: SmallDisk) -> _Toll:
    toll = _Toll()
    async with _under_load(run, disk.folder / "data", toll) as (server, client):
        if run.scale >= WITH_BALLAST:
            await _write_from_ballast(disk, server, client, toll)
        for number in range(run.times(ROUNDS)):
            disk.leave(DISK_BYTES // LOW_SHARE + ROOM)
            await _refuses(toll)
            if number % 2:
                disk.fill()
            await _in_trouble(toll, client)
            await _recovers(toll, disk.clear)
            run.say(f"full {toll.troubles} times, {len(toll.ledger.acknowledged):,} acknowledged")
        toll.notices = await _notices(client)
    return toll


async def _write_from_ballast(disk: SmallDisk, server: Server, client: Client, toll: _Toll) -> None:
    """With a ballast what becomes of deliveries is written though the disk is full."""
    await asyncio.sleep(LOOK_EVERY_S * (CALM_LOOKS + 2))
    has_ballast = (server.data / BALLAST_FILE).exists()
    disk.fill()
    await _refuses(toll)
    toll.stuck = int(not (has_ballast and await stage.settles(server)))
    disk.clear()
    await eventually(lambda: _is_ready(client))


# A limit of file size, and a file system that has become read-only --------------------------------


async def _under_limit(run: Run) -> _Toll:
    toll = _Toll()
    async with _under_load(run, run.folder / "limited", toll) as (server, client):
        for number in range(run.times(ROUNDS)):
            trouble = contextlib.ExitStack()
            if number % 2 and shutil.which("strace"):
                trouble.enter_context(small_disk.read_only(server.pid))
            else:
                # Less than they are: a log that is written from its start again needs no room.
                trouble.enter_context(small_disk.no_larger_files(server.pid, LARGEST_FILE))
            await _refuses(toll)
            await _in_trouble(toll, client)
            await _recovers(toll, trouble.close)
            run.say(
                f"limited {toll.troubles} times, {len(toll.ledger.acknowledged):,} acknowledged"
            )
        toll.notices = await _notices(client)
    return toll


# What both go through ----------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _under_load(run: Run, data: Path, toll: _Toll) -> AsyncIterator[tuple[Server, Client]]:
    """A server that is sent to by clients of all dialects; what it has made of it is judged."""
    machine = Machine(run.folder / "home")
    async with FarSide(reply(204)).running() as far_side:
        async with machine.serving(data, **stage.ENVIRON) as server, server.client() as client:
            crowd = Crowd(await stage.set_up(server, far_side.url), toll.ledger, pause_s=PAUSE_S)
            arrivals = stage.counting(far_side)
            async with crowd.sending(server.url):
                yield server, client
            toll.unsettled = int(not await stage.settles(server))
            toll.ended = int(await stage.stopped(server) != 0)
        _judge(data, toll, arrivals)


def _judge(data: Path, toll: _Toll, arrivals: Arrivals) -> None:
    seen = found.look(data, len(stage.CHANNELS))
    toll.lost = seen.lost(toll.ledger.acknowledged) + seen.ill_delivered
    toll.unaccounted = seen.unaccounted(arrivals.counted.keys())
    toll.damaged = int(not seen.is_sound)


async def _refuses(toll: _Toll) -> None:
    """Wait until events are refused."""
    before = toll.ledger.refused.total()
    await eventually(lambda: toll.ledger.refused.total() > before)


async def _in_trouble(toll: _Toll, client: Client) -> None:
    """Look at what still works while nothing can be written."""
    toll.troubles += 1
    with contextlib.suppress(AssertionError):
        await eventually(lambda: _is_not_ready(client))
    toll.green += int(await _is_ready(client))
    ends_at = asyncio.get_running_loop().time() + HELD_S
    while asyncio.get_running_loop().time() < ends_at:
        try:
            await client.list_events(limit=10)
            await client.overview()
        except errors.SlowpingError:
            toll.unread += 1
        await asyncio.sleep(0.1)


async def _recovers(toll: _Toll, end_trouble: Callable[[], object]) -> None:
    """End the trouble, and see how long it takes until events are accepted again."""
    loop = asyncio.get_running_loop()
    before, since = len(toll.ledger.acknowledged), loop.time()
    end_trouble()
    try:
        await eventually(lambda: len(toll.ledger.acknowledged) > before)
    except AssertionError:
        toll.unrecovered += 1
    toll.recovered_s.append(loop.time() - since)


async def _is_ready(client: Client) -> bool:
    try:
        return (await client.health()).status == "ok"
    except errors.Unavailable:
        return False


async def _is_not_ready(client: Client) -> bool:
    return not await _is_ready(client)


async def _notices(client: Client) -> int:
    """How often slowping has told its owner of trouble: a moment after the end at last."""

    async def told() -> int:
        found = await client.list_events(category="slowping", limit=100)
        return sum(not (one.description or "").startswith(OVER) for one in found.items)

    with contextlib.suppress(AssertionError):
        return await eventually(told)
    return 0


def _figures(run: Run, what: str, toll: _Toll) -> Sequence[Figure]:
    times = run.times(ROUNDS)
    return (
        enough(f"{what}: times", toll.troubles, times),
        enough(f"{what}: events acknowledged", len(toll.ledger.acknowledged), times),
        never(f"{what}: acknowledged events lost", toll.lost),
        enough(
            f"{what}: requests refused with 503 and Retry-After", toll.ledger.refused[503], times
        ),
        never(f"{what}: other answers, or none", len(toll.ledger.odd) + toll.ledger.ended.total()),
        never(f"{what}: reads not answered", toll.unread),
        never(f"{what}: times that the health is green", toll.green),
        never(f"{what}: no notice to the owner", int(not toll.notices)),
        Figure(what=f"{what}: notices within an hour", measured=toll.notices, bar=1),
        never(f"{what}: deliveries that ended without arriving", toll.unaccounted),
        never(f"{what}: deliveries that wait for nothing", toll.unsettled),
        never(f"{what}: not recovered without a restart", toll.unrecovered),
        Figure(
            what=f"{what}: accepting again, the slowest",
            measured=round(max(toll.recovered_s), 1),
            bar=RECOVERY_S,
            unit="s",
            is_timing=True,
        ),
        never(f"{what}: databases damaged, servers ended", toll.damaged + toll.ended),
    )


# A sync that fails -------------------------------------------------------------------------------


async def _with_failing_sync(run: Run) -> Sequence[Figure]:
    """Let the kernel answer each sync of a server under load with an error, from some moment on."""
    if shutil.which("strace") is None:
        return (left_out("failed syncs", "strace is not installed"),)
    machine, data, ledger = Machine(run.folder / "home"), run.folder / "lies", Ledger()
    async with FarSide(reply(204)).running() as far_side:
        async with machine.serving(data, **stage.ENVIRON) as server:
            crowd = Crowd(await stage.set_up(server, far_side.url), ledger, pause_s=PAUSE_S)
        codes = [await _lied_to(machine, data, crowd, ledger) for _ in range(run.times(ROUNDS))]
    seen = found.look(data, len(stage.CHANNELS))
    times = run.times(ROUNDS)
    return (
        enough("failed syncs", len(codes), times),
        never(
            "failed syncs: servers that went on, or ended otherwise",
            sum(code != EXIT_CODE for code in codes),
        ),
        never(
            "failed syncs: acknowledged events lost",
            seen.lost(ledger.acknowledged) + seen.ill_delivered,
        ),
        never("failed syncs: other answers", len(ledger.odd)),
        never("failed syncs: databases damaged", not seen.is_sound),
    )


async def _lied_to(machine: Machine, data: Path, crowd: Crowd, ledger: Ledger) -> int:
    """Let syncs fail while clients send; with which code the server has ended."""
    before = len(ledger.acknowledged)
    async with machine.serving(data, **stage.ENVIRON) as server, crowd.sending(server.url):
        await eventually(lambda: len(ledger.acknowledged) > before)
        return await _ended_by(server)


async def _ended_by(server: Server) -> int:
    """Let no sync succeed any more; with which code the server has ended."""
    process = await asyncio.create_subprocess_exec(
        "strace", "-f", "-p", str(server.pid), "-o", "/dev/null",
        "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO",
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        return await server.ended()
    finally:
        signalled(process, signal.SIGINT)
        await process.wait()


BAR = Bar(
    name="disk_full",
    promise="A disk that is full, or fails, loses nothing that was acknowledged.",
    run=run,
)

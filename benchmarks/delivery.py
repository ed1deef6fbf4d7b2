"""Measure how soon a message arrives, what it costs with many channels, and what idling costs."""

import asyncio
import contextlib
import http.client
import json
import pathlib
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import httpx

from benchmarks import processor, webhooks, with_channels
from benchmarks.bar import Bar
from benchmarks.subjects import Server
from benchmarks.webhooks import FarSide

MESSAGES: Final = 200
"""Each waits for the one before."""
WARM_UP: Final = 20

IDLE_S: Final = 60.0
"""So long that what a server does once a minute is in it, whenever that is."""

_BETWEEN_S: Final = 0.02
"""After a message: what came of it is written down, and all is idle again."""

_QUIET_S: Final = 3.0


def bars(folder: pathlib.Path) -> Sequence[Bar]:
    """Webhooks on this machine, which answer at once, in a process of their own."""
    with contextlib.ExitStack() as stack:
        far_side = stack.enter_context(webhooks.far_side(folder))
        servers = {
            channels: stack.enter_context(
                webhooks.server(folder / str(channels), far_side, channels)
            )
            for channels in with_channels.CHANNELS
        }
        few, many = min(servers), max(servers)
        soon = soonness(servers[few], far_side)
        growth = with_channels.growth(servers, far_side)
        waiting = webhooks.send_in_vain(servers[many].api, far_side, range(many))
        idle = idle_percent({"idle": servers[few], f"{waiting:,} wait": servers[many]})
    return [
        Bar(what="acknowledged to arrived / httpx POST", measured=soon, bar=3, at_most=True),
        *(
            Bar(
                what=f"a delivery's cost, {many:,} channels / {few}, {how}",
                measured=ratio,
                bar=1.3,
                at_most=True,
            )
            for how, ratio in growth.items()
        ),
        *(
            Bar(what=f"percent of a processor, {which}", measured=share, bar=0.5, at_most=True)
            for which, share in idle.items()
        ),
    ]


# How soon it arrives -------------------------------------------------------------------------


def soonness(server: Server, far_side: FarSide) -> float:
    """From a sender's answer to the arrival, as a ratio to one POST from and to this machine."""
    taken: dict[str, list[float]] = {name: [] for name in ("sent", "acknowledged", "httpx POST")}
    with asyncio.Runner() as runner, _sender(server) as sender, _posting(runner) as client:
        for number in range(WARM_UP + MESSAGES):
            sent, acknowledged = _send(sender, server.key)
            [arrived] = far_side.await_arrivals(1)
            time.sleep(_BETWEEN_S)
            posted = runner.run(_post(client, far_side.url))
            far_side.await_arrivals(1)
            if number >= WARM_UP:
                taken["sent"].append(arrived / 1e9 - sent)
                taken["acknowledged"].append(arrived / 1e9 - acknowledged)
                taken["httpx POST"].append(posted)
    return _told(taken)


@contextlib.contextmanager
def _sender(server: Server) -> Iterator[http.client.HTTPConnection]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        yield connection


def _send(sender: http.client.HTTPConnection, key: str) -> tuple[float, float]:
    """Send an event; the moments when it went, and when the whole answer was there."""
    body = json.dumps(webhooks.event(0))
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    sent = time.monotonic()
    sender.request("POST", "/slowping/v1/events", body, headers)
    sender.getresponse().read()
    return sent, time.monotonic()


@contextlib.contextmanager
def _posting(runner: asyncio.Runner) -> Iterator[httpx.AsyncClient]:
    """What the server posts with, as anybody would use it."""
    client = httpx.AsyncClient(trust_env=False)
    try:
        yield client
    finally:
        runner.run(client.aclose())


async def _post(client: httpx.AsyncClient, url: str) -> float:
    """Seconds of a request from beginning to answer, on a connection that is there."""
    started = time.monotonic()
    await client.post(url, json=webhooks.event(0))
    return time.monotonic() - started


def _told(taken: Mapping[str, Sequence[float]]) -> float:
    """Print the figures, and give the ratio of the medians."""
    posted = statistics.median(taken["httpx POST"])
    print("{:<30} {:>8} {:>8} {:>8}".format("until it arrives, from", "p50 ms", "p99 ms", "/POST"))
    for name, times in taken.items():
        p50, p99 = statistics.median(times), sorted(times)[len(times) * 99 // 100]
        print(f"{name:<30} {1000 * p50:8.2f} {1000 * p99:8.2f} {p50 / posted:8.2f}")
    print()
    return statistics.median(taken["acknowledged"]) / posted


# What idling costs ---------------------------------------------------------------------------


def idle_percent(servers: Mapping[str, Server]) -> Mapping[str, float]:
    """The share of a processor that each takes where nobody asks anything, all at one time."""
    time.sleep(_QUIET_S)
    before = {name: processor.seconds(server.pid) for name, server in servers.items()}
    time.sleep(IDLE_S)
    shares = {
        name: 100 * (processor.seconds(server.pid) - before[name]) / IDLE_S
        for name, server in servers.items()
    }
    print("{:<30} {:>8}".format("nobody asks anything", "percent"))
    for name, share in shares.items():
        print(f"{name:<30} {share:8.2f}")
    print()
    return shares

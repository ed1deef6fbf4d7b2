"""Measure what a delivery costs a server that has few channels, and one that has many."""

import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from benchmarks import processor, webhooks
from benchmarks.subjects import Server
from benchmarks.webhooks import FarSide

CHANNELS: Final = (10, 100, 1_000)
ROUNDS: Final = 3

DELIVERIES: Final = 1_000
"""Of each round, spread over all channels."""

STEPS: Final = (10, 1_000)
"""How many are due at once: where it is the same for all, only the number of channels differs."""


def growth(servers: Mapping[int, Server], far_side: FarSide) -> Mapping[str, float]:
    """The cost with the most channels, as a ratio to that with the fewest.

    `servers` are those with so many channels. Each of them takes its turn in each round.
    """
    costs: dict[tuple[int, int], list[float]] = {}
    for number in range(ROUNDS + 1):
        for step in STEPS:
            for channels, server in servers.items():
                cost = _cost_s(server, far_side, channels, step)
                if number:  # the first round prepares the channels
                    costs.setdefault((step, channels), []).append(cost)
        print(f"round {number} of {ROUNDS} done", file=sys.stderr)
    return _told(costs)


def _cost_s(server: Server, far_side: FarSide, channels: int, step: int) -> float:
    """Processor time of a delivery: of events that are delivered, less that of events alone."""
    alone = _taken_s(server, far_side, channels, step, notify=False)
    delivered = _taken_s(server, far_side, channels, step, notify=True)
    return (delivered - alone) / DELIVERIES


def _taken_s(server: Server, far_side: FarSide, channels: int, step: int, *, notify: bool) -> float:
    before = processor.seconds(server.pid)
    for numbers in spread(DELIVERIES, channels, step):
        webhooks.send(server.api, numbers, notify=notify)
        if notify:
            far_side.await_arrivals(len(numbers))
    processor.settle(server.pid)
    return processor.seconds(server.pid) - before


def spread(deliveries: int, channels: int, step: int) -> Iterator[Sequence[int]]:
    """Channels for so many deliveries, a step at a time; each has its turn as often as another."""
    for first in range(0, deliveries, step):
        yield [number % channels for number in range(first, min(first + step, deliveries))]


def _told(costs: Mapping[tuple[int, int], Sequence[float]]) -> Mapping[str, float]:
    """Print the figures, and give the ratios of the medians by what was due at once."""
    few, many = min(CHANNELS), max(CHANNELS)
    medians = {case: statistics.median(times) for case, times in costs.items()}
    titles = ("processor time of a delivery", "µs", "spread", f"/{few} ch.")
    print("{:<30} {:>8} {:>14} {:>8}".format(*titles))
    for (step, channels), times in costs.items():
        name = f"{channels:,} channels, {step:,} at once"
        spread = f"{1e6 * min(times):.0f}-{1e6 * max(times):.0f}"
        median = medians[step, channels]
        print(f"{name:<30} {1e6 * median:8.0f} {spread:>14} {median / medians[step, few]:8.2f}")
    print()
    return {f"{step:,} at once": medians[step, many] / medians[step, few] for step in STEPS}

"""Say what a run has to reach, and what it has reached."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was counted or measured, and what it has to be."""

    what: str
    """Such as `acknowledged events lost`."""
    measured: float
    bar: float
    at_least: bool = False
    """Whether it has to be as much as the bar; else it may be no more."""
    unit: str = ""
    is_timing: bool = False
    """Whether a short run on a busy machine says nothing about it: the tests leave it out."""
    is_left_out: bool = False
    """Whether this machine did not let us try it, so that nothing is shown by it."""

    @property
    def is_met(self) -> bool:
        """Whether it is what it has to be."""
        return self.measured >= self.bar if self.at_least else self.measured <= self.bar


def never(what: str, times: int) -> Figure:
    """Something that may not happen a single time."""
    return Figure(what=what, measured=times, bar=0)


def enough(what: str, measured: float, bar: float) -> Figure:
    """So much has to have happened: with less, the other figures of the run show nothing."""
    return Figure(what=what, measured=measured, bar=bar, at_least=True)


def left_out(what: str, reason: str) -> Figure:
    """Something that cannot be tried on this machine; `reason` goes on where `since` stands."""
    return Figure(what=f"{what}: not tried, since {reason}", measured=0, bar=0, is_left_out=True)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """How a bar is to be run."""

    folder: Path
    """Empty, and gone afterwards."""
    scale: float = 1.0
    """How long: 1 is the whole of it."""
    say: Callable[[str], None] = print
    """Told how far it has come."""

    def times(self, count: int) -> int:
        """So many at full length, so many as the scale asks for; one at least."""
        return max(1, round(count * self.scale))


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A promise, and the run that tries to break it."""

    name: str
    """How it is asked for."""
    promise: str
    """One sentence."""
    run: Callable[[Run], Awaitable[Sequence[Figure]]]


def missed(figures: Sequence[Figure]) -> list[Figure]:
    """What a short run must not miss: everything but timings."""
    return [figure for figure in figures if not figure.is_timing and not figure.is_met]

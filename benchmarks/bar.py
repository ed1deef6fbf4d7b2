"""Say what a benchmark has to reach, what it has reached, and what it reached before."""

import json
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

KEPT: Final = pathlib.Path(__file__).with_name("baseline.json")
"""What was measured before, by the names of the bars."""

WORSE_BY: Final = 1.1
"""A ratio that is worse by more than a tenth is a regression; less is the machine's noise."""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that was measured, nearly always as a ratio within one run."""

    what: str
    measured: float
    bar: float | None = None
    """What has to be reached; None where only its change is looked at."""
    at_most: bool = False
    """Whether less is better."""
    is_kept: bool = True
    """Whether it is compared with what it was before: a count that has to be 0 is not."""

    @property
    def is_met(self) -> bool:
        """Whether it is reached."""
        if self.bar is None:
            return True
        return self.measured <= self.bar if self.at_most else self.measured >= self.bar

    def is_worse_than(self, before: float) -> bool:
        """Whether it is worse by more than a tenth."""
        if self.at_most:
            return self.measured > before * WORSE_BY
        return self.measured < before / WORSE_BY


def never(what: str, times: float) -> Bar:
    """Something that may not happen a single time."""
    return Bar(what=what, measured=times, bar=0, at_most=True, is_kept=False)


Part = Callable[[pathlib.Path], Sequence[Bar]]
"""Measures something; the folder is empty, and gone afterwards."""


def before(path: pathlib.Path = KEPT) -> Mapping[str, float]:
    """What was measured before; nothing where nothing was kept."""
    if not path.exists():
        return {}
    found: dict[str, float] = json.loads(path.read_text())
    return found


def keep(bars: Iterable[Bar], path: pathlib.Path = KEPT) -> None:
    """Write down what later runs are compared with; figures of other parts stay."""
    known = {**before(path), **{bar.what: round(bar.measured, 4) for bar in bars if bar.is_kept}}
    path.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n")


def lines(bars: Sequence[Bar], known: Mapping[str, float]) -> list[str]:
    """A table: each figure, what it has to be, what it was."""
    width = max((len(bar.what) for bar in bars), default=0)
    return [_line(bar, known.get(bar.what), width) for bar in bars]


def _line(bar: Bar, was: float | None, width: int) -> str:
    sign = "≤" if bar.at_most else "≥"
    has_to_be = "" if bar.bar is None else f"{sign} {bar.bar:g}"
    verdict = "" if bar.bar is None else ("met" if bar.is_met else "MISSED")
    change = ""
    if was is not None and bar.is_kept:
        change = f"was {was:.2f}" + (", WORSE" if bar.is_worse_than(was) else "")
    return f"{bar.what:<{width}} {bar.measured:9.2f}  {has_to_be:<9} {verdict:<7} {change}".rstrip()

"""Put the figures of a run into a page, between two marks: those of other parts stay."""

import pathlib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.bar import Bar

START: Final = "<!-- figures -->"
END: Final = "<!-- end of figures -->"

_TITLES: Final = ("| part | figure | measured | has to be |", "|---|---|---|---|")
_ROW: Final = re.compile(r"\| `(\w+)` \|")


def write(page: pathlib.Path, machine: str, measured: Mapping[str, Sequence[Bar]]) -> None:
    """Write what each part has measured into the page."""
    page.write_text(filled(page.read_text("utf-8"), machine, measured), "utf-8")


def filled(text: str, machine: str, measured: Mapping[str, Sequence[Bar]]) -> str:
    """The page with the rows of these parts in the place of those that it had of them."""
    found = re.search(f"{START}(.*?){END}", text, flags=re.DOTALL)
    if found is None:
        sys.exit(f"the page has no {START} and {END}")
    known: dict[str, list[str]] = {}
    for line in found[1].splitlines():
        if row := _ROW.match(line):
            known.setdefault(row[1], []).append(line)
    known |= {part: [_row(part, bar) for bar in bars] for part, bars in measured.items()}
    rows = [row for part in sorted(known) for row in known[part]]
    table = "\n".join((START, f"{machine}:", "", *_TITLES, *rows, END))
    return text[: found.start()] + table + text[found.end() :]


def _row(part: str, bar: Bar) -> str:
    sign = "≤" if bar.at_most else "≥"
    has_to_be = "" if bar.bar is None else f"{sign} {bar.bar:g}"
    missed = "" if bar.is_met else " **missed**"
    return f"| `{part}` | {bar.what} | {bar.measured:,.2f}{missed} | {has_to_be} |"

"""Run them all, or those that are named; exit 1 where a figure misses its bar."""

import argparse
import asyncio
import functools
import importlib
import platform
import re
import sqlite3
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests import torture
from tests.torture.bar import Bar, Figure, Run, never

START: Final = "<!-- figures -->"
END: Final = "<!-- end of figures -->"

_TITLES: Final = (
    "| what is promised | figure | measured | has to be | command | took |",
    "|---|---|---|---|---|---|",
)
_COMMAND: Final = re.compile(r"`python -m tests\.torture (\w+)`")


def main() -> None:
    """Run, print, judge; with `--write` put the table into a document as well."""
    bars = {bar.name: bar for bar in map(_load, torture.BARS)}
    asked = _arguments(list(bars))
    print(machine())
    started, missed, left_out = time.monotonic(), [], []
    for name in asked.names or bars:
        figures, took_s = _run(bars[name], asked.scale)
        if not all(figure.is_met for figure in figures):
            missed.append(name)
        if any(figure.is_left_out for figure in figures):
            left_out.append(name)
        if asked.write is not None:  # at once: a machine may be switched off before the last one
            _write(asked.write, bars[name], rows(bars[name], figures, took_s))
    print(f"\ntook {(time.monotonic() - started) / 60:.0f} min")
    for what, names in {"missed": missed, "not tried, or in part": left_out}.items():
        print(f"{what}: {', '.join(names) or 'none'}")
    sys.exit(1 if missed else 0)


def machine() -> str:
    """What the figures were measured on."""
    return (
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}"
    )


def rows(bar: Bar, figures: Sequence[Figure], took_s: float) -> list[str]:
    """The lines of the table that tell of a bar."""
    return [
        f"| {bar.promise if no == 0 else ''} | {figure.what} | {_shown(figure)} "
        f"| {_limit(figure)} | {f'`python -m tests.torture {bar.name}`' if no == 0 else ''} "
        f"| {f'{took_s:.0f} s' if no == 0 else ''} |"
        for no, figure in enumerate(figures)
    ]


def _load(module: str) -> Bar:
    bar: Bar = importlib.import_module(f"tests.torture.{module}").BAR
    return bar


def _arguments(names: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is the whole of it")
    parser.add_argument("--write", type=Path, metavar="FILE", help="a document with a table")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(names):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if asked.write is not None and asked.scale < 1:
        parser.error("only a whole run is written down: leave --scale away")
    return asked


def _run(bar: Bar, scale: float) -> tuple[Sequence[Figure], float]:
    print(f"\n{bar.name}: {bar.promise}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="slowping-") as folder:
        run = Run(folder=Path(folder), scale=scale, say=functools.partial(print, " ", flush=True))
        figures = _figures(bar, run)
    took_s = time.monotonic() - started
    for figure in figures:
        verdict = "LEFT OUT" if figure.is_left_out else "met" if figure.is_met else "MISSED"
        print(f"  {figure.what:<56} {_shown(figure):>14}  {_limit(figure):<14} {verdict}")
    print(f"  took {took_s:.0f} s", flush=True)
    return figures, took_s


def _figures(bar: Bar, run: Run) -> Sequence[Figure]:
    """What the run has measured; one that breaks off is told of, and the others go on."""

    async def gathered() -> Sequence[Figure]:
        return await bar.run(run)

    try:
        return asyncio.run(gathered())
    except Exception:  # noqa: BLE001 - whatever it is, the other runs are wanted as well
        run.say(traceback.format_exc())
        return [never("runs that broke off", 1)]


def _shown(figure: Figure) -> str:
    if figure.is_left_out:
        return "nothing"
    return f"{figure.measured:,.10g} {figure.unit}".strip()


def _limit(figure: Figure) -> str:
    if figure.is_left_out:
        return ""
    sign = "≥" if figure.at_least else "≤"
    return f"{sign} {figure.bar:,.10g} {figure.unit}".strip()


def _write(document: Path, bar: Bar, lines: Sequence[str]) -> None:
    text = document.read_text(encoding="utf-8")
    document.write_text(filled(text, bar.name, lines), encoding="utf-8")


def filled(text: str, name: str, lines: Sequence[str]) -> str:
    """The document with these lines in the place of those that the bar has between the marks."""
    found = re.search(f"{START}(.*?){END}", text, flags=re.DOTALL)
    if found is None:
        sys.exit(f"the document has no {START} and {END}")
    known: dict[str, list[str]] = {}
    of = ""
    for line in found[1].splitlines():
        if command := _COMMAND.search(line):
            of = command[1]
        if of:
            known.setdefault(of, []).append(line)
    known[name] = list(lines)
    table = [line for each in torture.BARS for line in known.get(each, ())]
    told = "\n".join((START, f"{machine()}:", "", *_TITLES, *table, END))
    return text[: found.start()] + told + text[found.end() :]


if __name__ == "__main__":
    main()

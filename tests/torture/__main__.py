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
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests import torture
from tests.torture.bar import Bar, Figure, Run

START: Final = "<!-- figures -->"
END: Final = "<!-- end of figures -->"


def main() -> None:
    """Run, print, judge; with `--write` put the table into a document as well."""
    bars = {bar.name: bar for bar in map(_load, torture.BARS)}
    asked = _arguments(list(bars))
    print(machine())
    results = [(bars[name], *_run(bars[name], asked.scale)) for name in asked.names or bars]
    if asked.write is not None:
        _write(asked.write, [row for result in results for row in rows(*result)])
    sys.exit(0 if all(figure.is_met for _, figures, _ in results for figure in figures) else 1)


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
    return asked


def _run(bar: Bar, scale: float) -> tuple[Sequence[Figure], float]:
    print(f"\n{bar.name}: {bar.promise}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="slowping-") as folder:
        run = Run(folder=Path(folder), scale=scale, say=functools.partial(print, " ", flush=True))
        figures = asyncio.run(_gathered(bar, run))
    took_s = time.monotonic() - started
    for figure in figures:
        verdict = "met" if figure.is_met else "MISSED"
        print(f"  {figure.what:<56} {_shown(figure):>14}  {_limit(figure):<14} {verdict}")
    print(f"  took {took_s:.0f} s", flush=True)
    return figures, took_s


async def _gathered(bar: Bar, run: Run) -> Sequence[Figure]:
    return await bar.run(run)


def _shown(figure: Figure) -> str:
    return f"{figure.measured:,.10g} {figure.unit}".strip()


def _limit(figure: Figure) -> str:
    sign = "≥" if figure.at_least else "≤"
    return f"{sign} {figure.bar:,.10g} {figure.unit}".strip()


def _write(document: Path, lines: Sequence[str]) -> None:
    """Replace what stands between the two marks."""
    table = [
        machine() + ":", "",
        "| what is promised | figure | measured | has to be | command | took |",
        "|---|---|---|---|---|---|", *lines,
    ]  # fmt: skip
    text = document.read_text(encoding="utf-8")
    filled = "\n".join((START, *table, END))
    replaced, count = re.subn(f"{START}.*?{END}", lambda _: filled, text, flags=re.DOTALL)
    if not count:
        sys.exit(f"{document} has no {START} and {END}")
    document.write_text(replaced, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Run all benchmarks, or the parts that are named; exit 1 where a figure misses its bar."""

import argparse
import importlib
import os
import pathlib
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata
from typing import Final

from benchmarks import bar, page
from benchmarks.bar import Bar, Part

PARTS: Final[tuple[str, ...]] = (
    "instructions", "command_line", "start", "live_view", "footprint", "delivery", "ingest",
    "batches", "scale",
)  # fmt: skip
"""The modules that measure a part each, in the order in which they run."""

_PACKAGES: Final = (
    "slowping", "litestar", "msgspec", "uvicorn", "httptools", "uvloop", "httpx", "textual",
    "fastapi", "sqlalchemy",
)  # fmt: skip


def main() -> None:
    """Measure, print, judge; say what is worse than before, and what is missed."""
    asked = _arguments()
    print(f"{machine()}\n")
    known = bar.before()
    measured: dict[str, Sequence[Bar]] = {}
    for name in asked.parts or PARTS:
        part: Part = importlib.import_module(f"benchmarks.{name}").bars
        with tempfile.TemporaryDirectory() as folder:
            measured[name] = part(pathlib.Path(folder))
        if asked.write is not None:  # at once: a machine may be switched off before the last part
            page.write(asked.write, machine(), measured)
    bars = [each for part_bars in measured.values() for each in part_bars]
    print(*bar.lines(bars, known), sep="\n")
    worse = [
        each.what
        for each in bars
        if each.is_kept and each.what in known and each.is_worse_than(known[each.what])
    ]
    missed = [each.what for each in bars if not each.is_met]
    compared = "; ".join(worse) or "nothing" if known else "there is nothing to compare with"
    print(f"\nworse by more than a tenth: {compared}")
    print(f"missed: {'; '.join(missed) or 'nothing'}")
    if asked.keep:
        bar.keep(bars)
    sys.exit(1 if missed else 0)


def machine() -> str:
    """What this is measured on."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES if _has(name))
    return (
        f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--keep", action="store_true", help="compare later runs with this one")
    parser.add_argument(
        "--write", type=pathlib.Path, metavar="FILE", help="a page with a table of figures"
    )
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return asked


def _has(package: str) -> bool:
    """Whether it is installed; what slowping is compared with is asked for by `ingest` alone."""
    return any(True for _ in metadata.distributions(name=package))


if __name__ == "__main__":
    main()

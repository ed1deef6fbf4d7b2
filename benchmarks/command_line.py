"""Time what everybody waits for: `slowping --version` and `slowping --help`."""

import os
import pathlib
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks import compiled
from benchmarks.bar import Bar

ROUNDS: Final = 40

_SCRIPT: Final = pathlib.Path(sysconfig.get_path("scripts")) / "slowping"
_BASELINE: Final = "python -c 'import click'"
_COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    _BASELINE: (sys.executable, "-c", "import click"),
    "slowping --version": (str(_SCRIPT), "--version"),
    "slowping --help": (str(_SCRIPT), "--help"),
}


def bars(_: pathlib.Path) -> Sequence[Bar]:
    """How long a person waits for the command line."""
    found = ratios()
    return [
        Bar(
            what=f"slowping {option} / import click",
            measured=found[f"slowping {option}"],
            bar=bar,
            at_most=True,
        )
        for option, bar in (("--version", 2), ("--help", 3.5))
    ]


def ratios() -> Mapping[str, float]:
    """Processor time of each command, as a ratio to what importing click takes in the same run.

    Processor time, because none of them waits for anything but a processor.
    """
    taken: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    with compiled.once() as variables:
        for number in range(ROUNDS + 1):
            for name, command in _COMMANDS.items():
                seconds = _processor_s(command, {**os.environ, **variables})
                if number:  # the first round fills the caches
                    taken[name].append(seconds)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    print("{:<30} {:>8} {:>14} {:>8}".format("command line", "ms", "spread", "/click"))
    for name, times in taken.items():
        spread = f"{1000 * min(times):.0f}-{1000 * max(times):.0f}"
        ratio = medians[name] / medians[_BASELINE]
        print(f"{name:<30} {1000 * medians[name]:8.1f} {spread:>14} {ratio:8.2f}")
    print()
    return {name: median / medians[_BASELINE] for name, median in medians.items()}


def _processor_s(command: Sequence[str], environ: Mapping[str, str]) -> float:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environ)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_utime + usage.ru_stime

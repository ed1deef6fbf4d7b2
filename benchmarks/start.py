"""Time how soon a server that was started is ready, and count what is loaded on the way."""

import contextlib
import http.client
import os
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, Final

from benchmarks import compiled, subjects
from benchmarks.bar import Bar

ROUNDS: Final = 9

_BASELINE: Final = "python -c 'import litestar'"
_AGAIN: Final = "slowping serve"
_FIRST: Final = "slowping serve, first start"
_VERSION: Final = "slowping --version"

_PATIENCE_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.002


def bars(folder: pathlib.Path) -> Sequence[Bar]:
    """How long one waits for a server, and what else one would wait for: modules are counted."""
    with compiled.once() as variables:
        environ = {**os.environ, **variables}
        ratios = readiness(folder, environ)
        counts = modules(folder / "counted", environ)
    return [
        Bar(what="ready / import litestar", measured=ratios[_AGAIN], bar=3, at_most=True),
        Bar(what="ready, first start / import litestar", measured=ratios[_FIRST], at_most=True),
        *(
            Bar(what=f"modules that {command} loads", measured=count, at_most=True)
            for command, count in counts.items()
        ),
    ]


# How soon it is ready ------------------------------------------------------------------------


def readiness(folder: pathlib.Path, environ: Mapping[str, str]) -> Mapping[str, float]:
    """Time from a start to the first answer that the server is ready, against an import's.

    A first start makes the database, the keys and a project besides.
    """
    taken: dict[str, list[float]] = {name: [] for name in (_BASELINE, _AGAIN, _FIRST)}
    for number in range(ROUNDS + 1):
        fresh = folder / str(number)
        seconds = {
            _BASELINE: _import_s(environ),
            _FIRST: _ready_s(fresh, environ),
            _AGAIN: _ready_s(fresh, environ),
        }
        if number:  # the first round fills the caches
            for name, each in seconds.items():
                taken[name].append(each)
    return _told(taken)


def _import_s(environ: Mapping[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import litestar"], env=environ, check=True)
    return time.perf_counter() - started


def _ready_s(folder: pathlib.Path, environ: Mapping[str, str]) -> float:
    started = time.perf_counter()
    with _ready(folder, environ):
        return time.perf_counter() - started


@contextlib.contextmanager
def _ready(
    folder: pathlib.Path, environ: Mapping[str, str], stderr: BinaryIO | None = None
) -> Iterator[None]:
    """A server on a data folder, which is ready."""
    port = subjects.free_port()
    command = [sys.executable, "-m", "slowping", "serve"]
    command += ["--data", str(folder), "--port", str(port)]
    quiet = {**environ, "SLOWPING_LOG__LEVEL": "warning"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, env=quiet) as process:
        try:
            _await_readiness(port, process)
            yield
        finally:
            process.terminate()


def _await_readiness(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        if _is_ready(port):
            return
        time.sleep(_LOOK_EVERY_S)
    raise RuntimeError("the server does not become ready")


def _is_ready(port: int) -> bool:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        try:
            connection.request("GET", "/slowping/v1/health/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False


def _told(taken: Mapping[str, Sequence[float]]) -> Mapping[str, float]:
    """Print the figures, and give the ratios of the medians to the baseline's."""
    medians = {name: statistics.median(times) for name, times in taken.items()}
    print("{:<30} {:>8} {:>14} {:>8}".format("until it is ready", "ms", "spread", "/import"))
    for name, times in taken.items():
        spread = f"{1000 * min(times):.0f}-{1000 * max(times):.0f}"
        ratio = medians[name] / medians[_BASELINE]
        print(f"{name:<30} {1000 * medians[name]:8.0f} {spread:>14} {ratio:8.2f}")
    print()
    return {name: median / medians[_BASELINE] for name, median in medians.items()}


# What is loaded ------------------------------------------------------------------------------


def modules(folder: pathlib.Path, environ: Mapping[str, str]) -> Mapping[str, int]:
    """How many modules are loaded until a command has ended, or a server is ready.

    Those that Python loads by itself do not count. A number says more than a time does: it is the
    same on every machine, and a heavy import that came back shows in it.
    """
    verbose = {**environ, "PYTHONPROFILEIMPORTTIME": "1"}
    own = _loaded_by(["-c", ""], verbose)
    path = folder.with_name("imports")
    with path.open("wb") as file, _ready(folder, verbose, file):
        serving = imports_in(path.read_bytes())
    return {
        _VERSION: _loaded_by(["-m", "slowping", "--version"], verbose) - own,
        _AGAIN: serving - own,
    }


def _loaded_by(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    ran = subprocess.run([sys.executable, *arguments], env=environ, capture_output=True, check=True)
    return imports_in(ran.stderr)


def imports_in(said: bytes) -> int:
    """How many imports Python has told of: a line each, below a heading.

    Raises:
        ValueError: it has told of none, not even of its own.
    """
    lines = [line for line in said.splitlines() if line.startswith(b"import time:")]
    if not lines:
        raise ValueError("no import is told of")
    return len(lines) - 1

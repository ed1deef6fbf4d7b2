"""Send every door bodies that are wrong: each is answered, and none is the server's fault."""

import asyncio
import contextlib
import itertools
import random
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.memory import pss_mib
from tests.acceptance.program import Machine, Server
from tests.torture.bar import Bar, Figure, Run, enough, never
from tests.torture.clients import Line
from tests.torture.coverage_guided import IS_GUIDED, MOST_BYTES
from tests.torture.wrong_bodies import RIGHT, bodies, vector_bodies

_BEARER: Final = "Authorization: Bearer {0}"
_API_KEY: Final = "X-API-Key: {0}"
# With both of them every door opens, and the body says whose it is where that is open.
_KEYS: Final = (f"{_BEARER}\r\n{_API_KEY}", _BEARER, _API_KEY)

KNOWN: Final = 36 * len(RIGHT) * len(_KEYS)
GENERATED: Final = 10_000
ACCEPTED: Final = 100
"""Where all are refused at once, little is read."""

GUIDED: Final = 1_000_000
CONNECTIONS: Final = 2
WARM_UP: Final = 500
SEED: Final = 9

_GUIDED_BODIES: Final = (
    "bodies guided by coverage" if IS_GUIDED else "bodies read without a guide: no atheris here"
)
_DONE: Final = re.compile(r"Done (\d+) runs")


class Answered(msgspec.Struct, frozen=True):
    """What came back, and how long that took; status 0 where nothing did."""

    status: int
    is_json: bool
    took_s: float


class Sender:
    """Sends one request at a time on a connection, and connects again where that has ended."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._line: Line | None = None

    async def post(self, path: str, keys: str, body: bytes) -> Answered:
        """Send a body, and read the answer."""
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{keys}\r\nContent-Length: {len(body)}\r\n\r\n"
        if self._line is None:
            self._line = await Line.to(self._url)
        started = time.perf_counter()
        try:
            answer = await self._line.ask(head.encode() + body)
        except (OSError, EOFError):
            self.close()
            return Answered(0, False, time.perf_counter() - started)
        took_s = time.perf_counter() - started
        if answer.is_last:
            self.close()
        return Answered(answer.status, _is_json(answer.body), took_s)

    def close(self) -> None:
        """Have a new connection next time."""
        if self._line is not None:
            self._line.close()
        self._line = None


async def run(asked: Run) -> Sequence[Figure]:
    """Over sockets first, then within a process, guided by coverage."""
    machine = Machine(asked.folder / "home")
    async with machine.serving(asked.folder / "data", SLOWPING_LOG__LEVEL="error") as server:
        figures = [*await _known(server), *await _generated(server, asked)]
    return [*figures, *await _guided(asked)]


async def _known(server: Server) -> Sequence[Figure]:
    """The bodies that are known to bite, at each path and with every way to send a key."""
    requests = itertools.product(RIGHT, _KEYS, vector_bodies())
    answers = await _posted(server, requests)
    return [
        enough("known bodies, at each path and with each way to send a key", len(answers), KNOWN),
        never("known bodies: answers of 500 or above", _faults(answers)),
        never("known bodies: connections dropped", _dropped(answers)),
    ]


async def _generated(server: Server, asked: Run) -> Sequence[Figure]:
    chance = random.Random(SEED)
    requests = _wrong_requests(chance)
    await _posted(server, itertools.islice(requests, asked.times(WARM_UP)))
    before_mib = pss_mib(server.pid)
    answers = await _posted(server, itertools.islice(requests, asked.times(GENERATED)))
    grown_mib = pss_mib(server.pid) - before_mib
    took_ms = sorted(1000 * answer.took_s for answer in answers)
    refused = [answer for answer in answers if answer.status >= 400]
    garbled = sum(not answer.is_json for answer in refused)
    accepted = sum(200 <= answer.status < 300 for answer in answers)
    p99_ms = took_ms[len(took_ms) * 99 // 100]
    return [
        enough("generated bodies", len(answers), asked.times(GENERATED)),
        enough("of them accepted after all", accepted, asked.times(ACCEPTED)),
        never("answers of 500 or above", _faults(answers)),
        never("connections dropped", _dropped(answers)),
        never("refusals that are no JSON", garbled),
        Figure(what="p99", measured=round(p99_ms, 1), bar=50, unit="ms", is_timing=True),
        Figure(what="growth of memory", measured=round(grown_mib, 1), bar=20, unit="MiB"),
    ]


def _wrong_requests(chance: random.Random) -> Iterator[tuple[str, str, bytes]]:
    by_path = {path: bodies(path, chance) for path in RIGHT}
    for path in itertools.cycle(RIGHT):
        yield path, chance.choices(_KEYS, (8, 1, 1))[0], next(by_path[path])


async def _posted(server: Server, requests: Iterable[tuple[str, str, bytes]]) -> Sequence[Answered]:
    """Post all of them, on a few connections at once."""
    waiting, answers = iter(requests), []

    async def post_on() -> None:
        with contextlib.closing(Sender(server.url)) as sender:
            for path, keys, body in waiting:
                answers.append(await sender.post(path, keys.format(server.admin_key), body))

    await asyncio.gather(*(post_on() for _ in range(CONNECTIONS)))
    return answers


async def _guided(asked: Run) -> Sequence[Figure]:
    """Have a fuzzer look for bodies that break a reader."""
    corpus = asked.folder / "corpus"
    corpus.mkdir()
    for number, body in enumerate(itertools.chain(vector_bodies(), *RIGHT.values())):
        if len(body) <= MOST_BYTES:
            (corpus / str(number)).write_bytes(body)
    wanted = asked.times(GUIDED)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.torture.coverage_guided", corpus,
        f"-runs={wanted}", f"-seed={SEED}", f"-max_len={MOST_BYTES}", "-timeout=10",
        "-rss_limit_mb=1024", f"-artifact_prefix={asked.folder}/broke-",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, told = await process.communicate()
    said = told.decode(errors="replace")
    done = _DONE.search(said)
    if process.returncode != 0:
        asked.say(_broken(said, asked.folder))
    count = int(done[1]) if done else 0
    return [
        enough(_GUIDED_BODIES, count, wanted),
        never("of them broke a reader", int(process.returncode != 0)),
    ]


def _broken(said: str, folder: Path) -> str:
    found = [path.read_bytes() for path in folder.glob("broke-*")]
    return "\n".join([*said.splitlines()[-60:], *map(repr, found)])


def _faults(answers: Iterable[Answered]) -> int:
    return sum(answer.status >= 500 for answer in answers)


def _dropped(answers: Iterable[Answered]) -> int:
    return sum(not answer.status for answer in answers)


def _is_json(content: bytes) -> bool:
    try:
        msgspec.json.decode(content)
    except msgspec.DecodeError:
        return False
    return True


BAR = Bar(
    name="malformed_bodies",
    promise="No body, however wrong, breaks the server or a connection.",
    run=run,
)

"""Count the bytecode instructions that an event takes: they are the same on a busy machine.

What is counted is all that the loop runs, from the bytes of a request to those of its answer. What
the writer's thread does, and what is not Python, is not in it.
"""

import asyncio
import contextlib
import functools
import io
import pathlib
import statistics
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from types import FrameType
from typing import Any, Final

from benchmarks import dialects, load
from benchmarks.bar import Bar
from slowping.config import Config
from slowping.core import api_key, ids
from slowping.core.api_key import ApiKeyKind, Scope
from slowping.core.category import NewCategory
from slowping.core.project import NewProject
from slowping.server import serving
from slowping.server.app import House, World, running
from slowping.store.port import ApiKeyRecord, ChannelRecord

TIMES: Final = 21
WARM_UP: Final = 20

_PORT: Final = 7464
_KEY: Final = api_key.mint(bytes(32))


def bars(folder: pathlib.Path) -> Sequence[Bar]:
    """Each dialect, with an API key, a rate limit, an idempotency key and two channels."""
    counts = asyncio.run(_counted(folder))
    return [
        Bar(what=f"thousands of instructions for an event, {name}", measured=count, at_most=True)
        for name, count in counts.items()
    ]


async def _counted(folder: pathlib.Path) -> dict[str, float]:
    async with _protocols(folder) as protocol:
        return {name: await _of_dialect(protocol(), name) for name in dialects.NAMES}


async def _of_dialect(protocol: Any, name: str) -> float:
    """Thousands of instructions, the median."""
    line = _Line()
    protocol.connection_made(line)
    request, found = dialects.request(name, _PORT, _KEY), []
    for number in range(WARM_UP + TIMES):
        own = f"{name}-{number}".ljust(len(load.NUMBER), "-").encode()
        numbered = request.replace(load.NUMBER, own)
        with _counting() as counter:
            protocol.data_received(numbered)
            answer = await line.answered()
        if not answer.startswith(b"HTTP/1.1 2"):
            raise ValueError(answer.decode("latin-1"))
        if number >= WARM_UP:
            found.append(counter.count / 1000)
    protocol.connection_lost(None)
    return statistics.median(found)


class _Line(asyncio.Transport):
    """A connection on which the server writes its answers."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", _PORT)})
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()

    async def answered(self) -> bytes:
        """The next answer, which is written at once."""
        return await self._answers.get()

    def write(self, data: Any) -> None:
        """Take an answer."""
        self._answers.put_nowait(bytes(data))

    def get_write_buffer_size(self) -> int:
        """All of it was taken."""
        return 0

    def is_closing(self) -> bool:
        """It stays open."""
        return False

    def can_write_eof(self) -> bool:
        """It ends at once."""
        return False

    def close(self) -> None:
        """Nothing lies in it."""


class _Counter:
    """Counts what the interpreter does in frames that begin from now on."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> "_Counter":
        """Take note of what happens."""
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        self.count += event == "opcode"
        return self


@contextlib.contextmanager
def _counting() -> Iterator[_Counter]:
    counter, before = _Counter(), sys.gettrace()
    sys.settrace(counter)
    try:
        yield counter
    finally:
        sys.settrace(before)


@contextlib.asynccontextmanager
async def _protocols(folder: pathlib.Path) -> AsyncIterator[Callable[[], Any]]:
    """What makes what a server has for each connection, on a server that can be sent to."""
    config = Config()
    async with running(config, folder, World(terminal=io.StringIO())) as house:
        await _set_up(house)
        server = serving.server_for(house, config)
        server.config.load()
        make: Any = server.config.http_protocol_class
        yield functools.partial(
            make, config=server.config, server_state=server.server_state, app_state={}
        )


async def _set_up(house: House) -> None:
    directory, now = house.store.directory, 0
    project = await directory.create_project(NewProject(name=dialects.PROJECT), now=now)
    number = ids.decode(ids.PROJECT, project.id)
    await directory.create_category(number, NewCategory(name=dialects.CATEGORY), now=now)
    for name in ("out", "other"):
        record = ChannelRecord(name=name, kind="console", settings={}, secrets={})
        made = await directory.create_channel(number, record, now=now)
        await directory.pause_channel(ids.decode(ids.CHANNEL, made.id), "for now", now=now)
    key = ApiKeyRecord(
        name="sender",
        digest=api_key.digest(_KEY),
        prefix=api_key.shown(_KEY),
        kind=ApiKeyKind.SECRET,
        scopes=(Scope.INGEST,),
        home_project_id=number,
        rate_limit=1_000_000,
    )
    await directory.create_api_key(key, now=now)
    await house.roster.renew()

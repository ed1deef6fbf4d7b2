"""Run the real program: `python -m slowping` in processes of their own, in a clean environment."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from slowping.client.client import Client

DEADLINE_S: Final = 40.0
"""For anything that is waited for; nothing takes so long on an idle machine."""

SLOWPING: Final = (sys.executable, "-m", "slowping")
"""The program, as it is started."""

_READY: Final = re.compile(r"^slowping \S+ is ready on (\S+) ", re.MULTILINE)


def signalled(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Send a signal to a process, unless it has ended.

    Not by the process's own methods: they collect its exit code, which asyncio then waits for in
    vain.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


class Ran(msgspec.Struct, frozen=True):
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """What it printed, read."""
        assert self.code == 0, self.stderr
        return json.loads(self.stdout)


class Machine:
    """A home folder with nothing in it, in which programs run."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(exist_ok=True)

    async def run(
        self, *command: str | Path, given: str | None = None, **environ: str | Path
    ) -> Ran:
        """Run a command to its end."""
        process = await self._start(command, environ, given=given is not None)
        try:
            async with asyncio.timeout(DEADLINE_S):
                out, err = await process.communicate(None if given is None else given.encode())
        finally:
            if process.returncode is None:
                signalled(process, signal.SIGKILL)
                await process.wait()
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())

    async def slowping(
        self, *arguments: str | Path, given: str | None = None, **environ: str | Path
    ) -> Ran:
        """Run a slowping command to its end."""
        return await self.run(*SLOWPING, *arguments, given=given, **environ)

    @contextlib.asynccontextmanager
    async def serving(
        self,
        data: Path,
        *options: str | Path,
        program: Sequence[str | Path] = SLOWPING,
        **environ: str | Path,
    ) -> AsyncIterator["Server"]:
        """Serve a data folder on a free port, from the ready line until the block ends."""
        command = (*program, "serve", "--data", data, "--port", "0")
        process = await self._start((*command, *options), environ, given=False)
        server = Server(process, data)
        try:
            await server.is_ready()
            yield server
        finally:
            await server.killed()

    async def start(
        self, *command: str | Path, stdout: int, stderr: int = asyncio.subprocess.DEVNULL
    ) -> asyncio.subprocess.Process:
        """Start a program and let it run."""
        return await asyncio.create_subprocess_exec(
            *map(str, command),
            cwd=self.home,
            env=self._environment({}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )

    async def _start(
        self, command: Iterable[str | Path], environ: Mapping[str, str | Path], *, given: bool
    ) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *map(str, command),
            cwd=self.home,
            env=self._environment(environ),
            stdin=asyncio.subprocess.PIPE if given else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    def _environment(self, environ: Mapping[str, str | Path]) -> dict[str, str]:
        """Nothing of the tests' own but where programs and modules are.

        So there is no SLOWPING variable, no proxy and no configuration file.
        """
        return {
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            **{name: str(value) for name, value in environ.items()},
        }


class Server:
    """A server in a process of its own, and what it prints."""

    def __init__(self, process: asyncio.subprocess.Process, data: Path) -> None:
        self.data = data
        self.url = ""
        self.stdout = ""
        self.stderr = ""
        self._process = process
        self._printed = asyncio.Condition()
        self._closed: set[str] = set()
        self._readers = [asyncio.create_task(self._read(name)) for name in ("stdout", "stderr")]

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def admin_key(self) -> str:
        """The key that the first start left for local use."""
        return (self.data / "admin.key").read_text(encoding="ascii").strip()

    @property
    def ingest_key(self) -> str:
        """The same for senders."""
        return (self.data / "ingest.key").read_text(encoding="ascii").strip()

    def client(self) -> Client:
        """A client that may do everything."""
        return Client(self.url, self.admin_key)

    async def is_ready(self) -> None:
        """Wait for the ready line."""
        await self.prints("is ready on")
        found = _READY.search(self.stdout)
        assert found, self.stdout
        self.url = found[1]

    async def prints(self, words: str) -> None:
        """Wait until these words stand on its standard output."""
        async with asyncio.timeout(DEADLINE_S), self._printed:
            await self._printed.wait_for(lambda: words in self.stdout or "stdout" in self._closed)
        assert words in self.stdout, f"{self.stdout}\n{self.stderr}"

    def terminate(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to stop."""
        signalled(self._process, number)

    async def ended(self) -> int:
        """Wait for its end; its exit code."""
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.gather(*self._readers)
            return await self._process.wait()

    async def killed(self) -> None:
        """End it by SIGKILL, at once."""
        signalled(self._process, signal.SIGKILL)
        await self.ended()

    async def _read(self, name: str) -> None:
        stream: asyncio.StreamReader = getattr(self._process, name)
        while line := await stream.readline():
            async with self._printed:
                setattr(self, name, getattr(self, name) + line.decode())
                self._printed.notify_all()
        async with self._printed:
            self._closed.add(name)
            self._printed.notify_all()

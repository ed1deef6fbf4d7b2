"""Have programs that are not ours, and not in Python, read what we send.

They are Node packages: `make readers` puts them where this finds them.
"""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent / "node"
_LONGEST_LINE: Final = 16 * 1024 * 1024


def are_here() -> bool:
    """Whether they are installed."""
    return bool(shutil.which("node")) and (_FOLDER / "node_modules").is_dir()


class Readers:
    """Answers what it is asked, one after the other."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, kind: str, **given: Any) -> Mapping[str, Any]:
        """What each of them says, by its name."""
        to, answers = self._process.stdin, self._process.stdout
        assert to is not None
        assert answers is not None
        to.write(json.dumps({"kind": kind, **given}).encode() + b"\n")
        await to.drain()
        said: Mapping[str, Any] = json.loads(await answers.readline())
        return said


@contextlib.asynccontextmanager
async def reading() -> AsyncIterator[Readers]:
    """Have them ready until the block ends."""
    process = await asyncio.create_subprocess_exec(
        "node", "readers.js",
        cwd=_FOLDER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )  # fmt: skip
    try:
        yield Readers(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()

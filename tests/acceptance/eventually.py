"""Wait for what a real program does in its own time: ask again until it is so, or fail."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar, overload

T = TypeVar("T")

DEADLINE_S: Final = 20.0
"""For a machine that has other work; nothing takes so long on an idle one."""

_PAUSE_S: Final = 0.02


@overload
async def eventually(condition: Callable[[], Awaitable[T]]) -> T: ...
@overload
async def eventually(condition: Callable[[], T]) -> T: ...
async def eventually(condition: Callable[[], T | Awaitable[T]]) -> T:
    """The first answer of `condition` that is true; fails with the last one at the deadline.

    This is the only sleep of these tests. Others' processes and sockets ring no bell of ours, so
    it asks again every 20 ms: a test is over as soon as the thing has happened, and only a test
    that fails waits until the deadline.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE_S
    while True:
        asked = condition()
        answer: T = await asked if inspect.isawaitable(asked) else asked
        if answer:
            return answer
        assert loop.time() < deadline, f"not so after {DEADLINE_S:g} s, the last answer: {answer!r}"
        await asyncio.sleep(_PAUSE_S)

"""Name servers that lie, fail, or stay silent, as resolvers that stand in for the system's."""

import asyncio
import socket
from collections.abc import Sequence

from slowping.notifiers.dialling import Resolve


def finding(*addresses: str) -> Resolve:
    """These addresses, whatever is asked for."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


def changing(*answers: Resolve) -> Resolve:
    """Another answer each time; the last one stays."""
    left = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        answer = left.pop(0) if len(left) > 1 else left[0]
        return await answer(host, port)

    return resolve


def late(seconds: float, answer: Resolve) -> Resolve:
    """The same, after so long."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(seconds)
        return await answer(host, port)

    return resolve


def no_such_name() -> Resolve:
    """NXDOMAIN."""
    return _failing(socket.EAI_NONAME, "Name or service not known")


def server_failure() -> Resolve:
    """SERVFAIL, or no name server that answers at all."""
    return _failing(socket.EAI_AGAIN, "Temporary failure in name resolution")


def silence() -> Resolve:
    """No answer, ever."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return ()

    return resolve


def _failing(code: int, words: str) -> Resolve:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(code, words)

    return resolve

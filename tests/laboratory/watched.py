"""Run slowping where each connection it asks for is noted, and a play stands in for name servers.

`python -m tests.laboratory.watched COMMAND …`, with the path of the play in `WATCHED_PLAY`. No
connection leaves this machine: what is not in the play's `open` is noted and refused.
"""

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

VARIABLE: Final = "WATCHED_PLAY"


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """What the program meets with."""

    asked: str
    """The path of a file that gets a line for each connection: address and port."""
    names: dict[str, list[list[str]]]
    """What each name leads to, one answer after the other; the last one stays."""
    open: list[str]
    """Addresses that may really be connected to."""


def main() -> None:
    """Put the play on, then do as slowping does."""
    # Its connections pass by Python's sockets, and so by whoever watches these.
    sys.modules["uvloop"] = None  # type: ignore[assignment]
    play = msgspec.json.decode(Path(os.environ[VARIABLE]).read_bytes(), type=Play)
    _watch_connections(play)
    _play_name_server(play)

    from slowping.cli import main as slowping

    slowping()


def asked(file: Path) -> Iterator[tuple[str, int]]:
    """Which connections were asked for, in this order."""
    with contextlib.suppress(FileNotFoundError):
        for line in file.read_text(encoding="ascii").splitlines():
            address, port = line.split()
            yield address, int(port)


def _watch_connections(play: Play) -> None:
    """Note them where Python hands them to the system; nothing gets past an audit hook."""
    notes = os.open(play.asked, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def hook(event: str, details: tuple[Any, ...]) -> None:
        if event != "socket.connect" or not isinstance(details[1], tuple):
            return
        host, port, *_ = details[1]
        os.write(notes, f"{host} {port}\n".encode())
        if host not in play.open:
            raise ConnectionRefusedError(f"{host} is not part of the play")

    sys.addaudithook(hook)


def _play_name_server(play: Play) -> None:
    real, left = socket.getaddrinfo, {name: list(found) for name, found in play.names.items()}

    def getaddrinfo(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host not in left:
            return real(host, port, *rest, **more)
        answers = left[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [found for address in addresses for found in real(address, port, *rest, **more)]

    socket.getaddrinfo = getaddrinfo


if __name__ == "__main__":
    main()

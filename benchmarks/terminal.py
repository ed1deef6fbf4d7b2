"""Run a program on a pseudo-terminal, see what it draws, press its keys."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

_KEPT: Final = 200_000


class Terminal:
    """A program, and all that it has drawn lately."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self._master = master
        self._drawn = b""

    def press(self, keys: bytes) -> None:
        """Press keys; what was drawn before is forgotten."""
        self._drawn = b""
        os.write(self._master, keys)

    def sees(self, words: bytes, within_s: float) -> bool:
        """Whether the words are drawn in that time."""
        deadline = time.perf_counter() + within_s
        while words not in self._drawn:
            left_s = deadline - time.perf_counter()
            if left_s <= 0 or not self._read(left_s):
                return False
        return True

    def watch(self, seconds: float) -> None:
        """Take what is drawn in that time."""
        deadline = time.perf_counter() + seconds
        while (left_s := deadline - time.perf_counter()) > 0:
            self._read(left_s)

    def _read(self, seconds: float) -> bool:
        if select.select([self._master], [], [], seconds)[0]:
            try:
                self._drawn = (self._drawn + os.read(self._master, 65_536))[-_KEPT:]
            except OSError:
                return False  # the program has ended
        return True


@contextlib.contextmanager
def running(
    command: Sequence[str], size: tuple[int, int], environ: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """Run a command on a terminal of so many columns and lines."""
    master, slave = pty.openpty()
    columns, lines = size
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environ or {})},
    )  # fmt: skip
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)

"""Run a program on a pseudo-terminal, judge every byte that it writes, and see what it shows."""

import asyncio
import codecs
import contextlib
import fcntl
import functools
import itertools
import os
import pty
import re
import signal
import struct
import termios
import unicodedata
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from pathlib import Path
from typing import Final

import msgspec
from rich.cells import cell_len

from tests.acceptance.program import DEADLINE_S, signalled

Size = tuple[int, int]
"""Columns and lines."""

# What Textual and Rich write of their own accord. All that stands in them is digits, so that none
# can carry a word of anybody's.
_LAWFUL: Final = re.compile(
    r"""\x1b\[(?:
        [0-9;]*m                                    # colours
      | [0-9]*;?[0-9]*H                             # go to a place
      | \?(?:7|25|1000|1003|1004|1006|1015|1049|2004|2026|2048)[hl]
      | \?(?:2026|2048)\$p                          # ask what the terminal can do
      | (?:>[0-9]+|<)u                              # how keys are told
    )
  | \x1b\]22;(?:default|pointer|text)\x07           # what the mouse looks like
  | \n(?=\x1b\[[0-9]+;[0-9]+H)                      # no end of a line: where to go on is said
    """,
    re.VERBOSE,
)
_COPY: Final = re.compile(r"\x1b\]52;c;([A-Za-z0-9+/]*={0,2})\x07")
_NOTICE: Final = re.compile(r"\x1b\]9;([^\x00-\x1f\x7f-\x9f]*)\x07")
_UNFINISHED: Final = re.compile(
    r"""\n(?:\x1b(?:\[[0-9;]*)?)?
      | \x1b(?:\[[0-9;<=>?$]*|\](?:[0-9]*|(?:9|22|52);[^\x00-\x1f\x7f-\x9f]*))?
    """,
    re.VERBOSE,
)
_TEXT: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")

# Control, format, surrogate, and both separators of lines and paragraphs.
_ORDERS: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# These of them belong to words and emoji, and order a terminal nothing.
_WORDY: Final = {"\u00ad", "\u200d"}


_STILL_S: Final = 0.2
"""Whoever has drawn nothing for so long has nothing to draw."""

# A picture is looked at when all of it is there.
_MAY_I_SAY_WHEN: Final = "\x1b[?2026$p"
_BEGIN: Final = "\x1b[?2026h"
_END: Final = "\x1b[?2026l"


class Offence(msgspec.Struct, frozen=True):
    """Something that a terminal was sent and should not have been."""

    what: str
    where: str
    """What was written around it."""


class Judge:
    """Takes a program's output apart, and lets nothing pass that it does not know."""

    def __init__(self, *, lines: bool = False) -> None:
        """`lines` is for programs that end lines, rather than go to places."""
        self.offences: list[Offence] = []
        self.copied: list[str] = []
        """What was sent to the clipboard, in base64."""
        self.notices: list[str] = []
        self._lines = lines
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._left = ""

    def parts(self, data: bytes) -> list[str]:
        """Texts and lawful sequences, in order; each begins with ESC or is text or a line end."""
        try:
            self._left += self._decoder.decode(data)
        except UnicodeDecodeError:
            # An eight-bit C1 control is no UTF-8.
            self._object("bytes that are no UTF-8", repr(data))
            self._decoder.reset()
        parts, at = [], 0
        while at < len(self._left):
            part = self._part(at)
            if part is None:
                break
            if part:
                parts.append(part)
            at += max(1, len(part))
        self._left = self._left[at:]
        return parts

    def _part(self, at: int) -> str | None:
        """What stands there; nothing where it is unlawful, None where the rest is to come."""
        if text := _TEXT.match(self._left, at):
            self._look_at(text[0])
            return text[0]
        if self._left[at] == "\n" and self._lines:
            return "\n"
        for form, told in ((_LAWFUL, None), (_COPY, self.copied), (_NOTICE, self.notices)):
            if found := form.match(self._left, at):
                if told is not None:
                    told.append(found[1])
                    self._look_at(found[1])
                return found[0]
        if _UNFINISHED.fullmatch(self._left, at):
            return None
        self._object(repr(self._left[at]), self._left[max(0, at - 40) : at + 40])
        return ""

    def _look_at(self, text: str) -> None:
        for letter in set(text):
            if not is_harmless(letter):
                self._object(f"U+{ord(letter):04X}", text)

    def _object(self, what: str, where: str) -> None:
        self.offences.append(Offence(what, where[:200]))


@functools.lru_cache(maxsize=10_000)
def is_harmless(letter: str) -> bool:
    """Whether a character is only something to look at."""
    return letter in _WORDY or unicodedata.category(letter) not in _ORDERS


class Picture:
    """What a terminal shows after all that was written.

    There is room beyond its edge: emoji of several characters are taken for wider than they are.
    """

    def __init__(self, size: Size) -> None:
        self._width, self._height = size
        self._cells: list[list[str]] = []
        self._column, self._line = 0, 0
        self._wipe()

    @property
    def lines(self) -> list[str]:
        """What can be read, from the top."""
        return ["".join(row).rstrip() for row in self._cells]

    def draw(self, part: str) -> None:
        """Take in what a judge has let pass."""
        if part.endswith("H") and part.startswith("\x1b["):
            line, _, column = part[2:-1].partition(";")
            self._line, self._column = int(line or 1) - 1, int(column or 1) - 1
            if not self._column and self._line < self._height:
                self._cells[self._line][self._width :] = [" "] * self._width
        elif part in ("\x1b[?1049h", "\x1b[?1049l"):
            self._wipe()
        elif not part.startswith(("\x1b", "\n")):
            for letter in part:
                self._put(letter)

    def _wipe(self) -> None:
        self._cells = [[" "] * self._width * 2 for _ in range(self._height)]

    def _put(self, letter: str) -> None:
        row = self._cells[min(self._line, self._height - 1)]
        width = cell_len(letter)
        if not width:
            row[max(0, min(self._column, len(row)) - 1)] += letter
            return
        for offset, shown in enumerate((letter, *[""] * (width - 1))):
            if self._column + offset < len(row):
                row[self._column + offset] = shown
        self._column += width


class Terminal:
    """A program on a pseudo-terminal, and what it has written there."""

    def __init__(
        self, process: asyncio.subprocess.Process, master: int, size: Size, *, lines: bool
    ) -> None:
        self.judge = Judge(lines=lines)
        self._written: list[str] = []
        self._prints_lines = lines
        self._is_drawing = False
        self._process = process
        self._master = master
        self._picture = Picture(size)
        self._drawn = asyncio.Event()
        asyncio.get_running_loop().add_reader(master, self._read)

    @property
    def shown(self) -> str:
        """What can be read now."""
        return self.written if self._prints_lines else "\n".join(self._picture.lines)

    @property
    def written(self) -> str:
        """All text of a program that prints lines."""
        return "".join(self._written)

    async def shows(self, *words: str) -> None:
        """Wait until all of these can be read, each within a line."""
        await self._until(lambda shown: [each for each in words if each not in shown])

    async def hides(self, words: str) -> None:
        """Wait until this can be read nowhere."""
        await self._until(lambda shown: [words] if words in shown else [])

    async def notifies(self, *words: str) -> None:
        """Wait until there have been notices on the desktop that say so."""
        await self._until(
            lambda _: [each for each in words if not any(each in n for n in self.judge.notices)]
        )

    async def shows_in_turn(self, keys: Sequence[str], words: Iterable[str]) -> None:
        """Press these keys, round and round, until each of the words could be read at some time."""
        missing = set(words)

        def look(shown: str) -> Collection[str]:
            missing.difference_update([each for each in missing if each in shown])
            return missing

        await self._until(look, itertools.cycle(keys))

    async def _until(
        self, look: Callable[[str], Collection[str]], keys: Iterator[str] | None = None
    ) -> None:
        """Wait until nothing is missing any more; press a key whenever something was drawn.

        A key by which nothing is drawn is not waited for.
        """
        missing: Collection[str] = ()
        try:
            async with asyncio.timeout(DEADLINE_S):
                while self._is_drawing or (missing := look(self.shown)):
                    self._drawn.clear()
                    if keys is not None and not self._is_drawing:
                        self.press(next(keys))
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._drawn.wait(), _STILL_S if keys else None)
        except TimeoutError:
            raise AssertionError(f"not so: {sorted(missing)}\n{self.shown[:10_000]}") from None

    def press(self, keys: str) -> None:
        """Press keys, one after the other."""
        os.write(self._master, keys.encode())

    def interrupt(self) -> None:
        """Do what Ctrl+C does."""
        signalled(self._process, signal.SIGINT)

    async def ended(self) -> int:
        """Wait for its end; its exit code."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await self._process.wait()
        except TimeoutError:
            raise AssertionError(f"it goes on:\n{self.shown[:10_000]}") from None

    def _read(self) -> None:
        try:
            data = os.read(self._master, 1 << 14)
        except OSError:  # the program has ended, and with it the terminal
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
        for part in self.judge.parts(data):
            self._take(part)
        if not self._is_drawing:
            self._drawn.set()

    def _take(self, part: str) -> None:
        if part == _MAY_I_SAY_WHEN:
            self.press("\x1b[?2026;2$y")
        elif part in (_BEGIN, _END):
            self._is_drawing = part == _BEGIN
        elif not self._prints_lines:
            self._picture.draw(part)
        elif not part.startswith("\x1b"):
            self._written.append(part)


@contextlib.asynccontextmanager
async def terminal(
    *command: str | Path,
    folder: Path,
    environ: Mapping[str, str],
    size: Size = (80, 24),
    lines: bool = False,
) -> AsyncIterator[Terminal]:
    """Run a program until the block ends; `lines` are for those that go to no places."""
    master, slave = pty.openpty()
    columns, rows = size
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    attributes = termios.tcgetattr(slave)
    attributes[1] &= ~termios.OPOST  # so that what is read is what was written
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdin=slave, stdout=slave, stderr=slave, cwd=folder,
        env={**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    opened = Terminal(process, master, size, lines=lines)
    try:
        yield opened
    finally:
        signalled(process, signal.SIGKILL)
        await process.wait()
        asyncio.get_running_loop().remove_reader(master)
        os.close(master)

"""A time of day that a test sets while a program runs on it, and waits as long as ever."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

LIBRARIES: Final = tuple(
    folder / "faketime" / "libfaketimeMT.so.1"
    for folder in (
        *Path("/usr/lib").glob("*-linux-gnu"), Path("/usr/lib"), Path("/usr/local/lib"),
        Path("/usr/lib64"),
    )
)  # fmt: skip


_FRESH_S: Final = 2.0
"""What was begun before a step may be seen so long after it."""


def why_not() -> str | None:
    """Why no clock can be set here, or None where it can."""
    return None if _library() else "libfaketime is not installed (Debian: faketime)"


def _library() -> Path | None:
    return next((library for library in LIBRARIES if library.exists()), None)


class SetClock:
    """The time of day of the programs that are started with `environ`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.offset_s = 0.0
        """Between the machine's clock and theirs."""
        self.set(0.0)

    @property
    def environ(self) -> Mapping[str, str]:
        """What a program has to be started with."""
        return {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Else each wait of one thread for another lasts for ever, or not at all.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }

    def set(self, offset_s: float) -> None:
        """Set it to so many seconds after the machine's."""
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{offset_s:+.0f}\n", encoding="ascii")
        draft.replace(self._file)
        self._before_s, self.offset_s = self.offset_s, offset_s
        self._set_at = time.monotonic()

    def age_s(self, moment_s: float) -> float:
        """How old a moment of theirs is, or how far ahead; right after a step, by either clock."""
        offsets = (self.offset_s, self._before_s) if self._is_fresh() else (self.offset_s,)
        return min(abs(time.time() + offset - moment_s) for offset in offsets)

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._set_at < _FRESH_S

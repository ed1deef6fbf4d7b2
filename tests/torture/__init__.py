"""Long runs that try to break what is promised: `python -m tests.torture`."""

from typing import Final

BARS: Final[tuple[str, ...]] = ("kill_loop",)
"""The modules that hold one each, in the order in which they run."""

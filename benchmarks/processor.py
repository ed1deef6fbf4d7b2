"""Read how much of a processor another process has taken, and wait until it takes no more."""

import time
from typing import Final

_LOOK_S: Final = 0.2
_STILL: Final = 0.1
_REST_S: Final = 2.5
"""A server of ours tidies up from one to two seconds after the last event."""
_PATIENCE_S: Final = 60.0


def seconds(pid: int) -> float:
    """Processor time of a running process, all of its threads, to the nanosecond.

    `/proc/PID/stat` counts in hundredths of a second, of which an idle server takes few. The id of
    a process's clock is made of its own as `clock_getcpuclockid` does on Linux: `~pid << 3`, and 2
    for what the scheduler has counted.
    """
    return time.clock_gettime((~pid << 3) | 2)


def settle(pid: int) -> None:
    """Wait until a server has done what it does after it has answered.

    Raises:
        RuntimeError: it does not come to rest.
    """
    deadline = time.monotonic() + _PATIENCE_S
    before, rested_s = seconds(pid), 0.0
    while rested_s < _REST_S:
        if time.monotonic() > deadline:
            raise RuntimeError(f"process {pid} does not come to rest")
        time.sleep(_LOOK_S)
        now = seconds(pid)
        rested_s = rested_s + _LOOK_S if now - before <= _STILL * _LOOK_S else 0.0
        before = now

"""Long runs that try to break what is promised: `python -m tests.torture`.

A run is a module with a `BAR`, named below, and `test_<name>.py` is its short version. What may not
happen is a `never` among its figures; what has to have happened for that to mean something, an
`enough`.
"""

from typing import Final

BARS: Final[tuple[str, ...]] = (
    "kill_loop",
    "shutdown",
    "overload",
    "strangers",
    "soak",
    "power_cut",
    "sync_trace",
    "disk_full",
    "clock_steps",
    "conformance",
    "fault_matrix",
    "forbidden_addresses",
    "canaries",
    "malformed_bodies",
    "open_api",
    "state_machine",
    "backup_under_load",
    "migrations",
    "discord_burst",
    "isolation",
)
"""The modules that hold one each, in the order in which they run."""

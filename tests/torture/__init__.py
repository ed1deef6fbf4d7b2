"""Long runs that try to break what is promised: `python -m tests.torture`."""

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

"""Door one: five foreign shapes, spoken to the letter, and the pipeline they share.

Dialects are strangers to each other: each imports `port`, `body` and, for the two that upstream
share their code, `ping_family`. To add one, copy `slowstats.py`, list it in `DIALECTS`, name its
paths in `choice.nearest` and add cases to its tests.
"""

from typing import Final

from slowping.server.dialects.adwize import Adwize
from slowping.server.dialects.intake import Intake
from slowping.server.dialects.pingpanda import PingPanda
from slowping.server.dialects.pingpilot import PingPilot
from slowping.server.dialects.port import Dialect
from slowping.server.dialects.slowstats import SlowStats

DIALECTS: Final[tuple[Dialect, ...]] = (
    SlowStats(),
    PingPanda(),
    PingPilot(),
    Intake(),
    Adwize(),
)
"""All of them, in the order in which they are documented."""

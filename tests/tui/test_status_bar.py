"""What the line on top says, and what of it goes first where there is little room."""

import pytest
from textual.content import Content

from slowping.tui.live import Lamp, Link
from slowping.tui.widgets.status_bar import StatusBar
from tests.tui.driver import NOW_MS, ScriptedServer, running

LIVE = Link(lamp=Lamp.LIVE)
FULL = Link(lamp=Lamp.LIVE, hindrance="The disk is nearly full.")
OFFLINE = Link(
    lamp=Lamp.OFFLINE,
    reason="Nothing answers at http://ping.example.test:7464.",
    retry_at_ms=NOW_MS + 30_000,
    as_of_ms=NOW_MS,
)
SINCE = "○ offline, as of 11:06:40, next try in 30 s"


@pytest.mark.parametrize(
    ("link", "columns", "left", "right"),
    [
        (LIVE, 50, "● live  a-project-of-some-length", "0.0/s"),
        (LIVE, 60, "● live  a-project-of-some-length", "12 waiting · 3 failed"),
        (LIVE, 80, "● live  a-project-of-some-length", "12 waiting · 3 failed             0.0/s"),
        (
            LIVE,
            100,
            "● live  ping.example.test:7464 · a-project-of-some-length",
            "12 waiting · 3 failed             0.0/s",
        ),
        (FULL, 80, "✗ accepts no events  a-project-of-some-length", "12 waiting · 3 failed  0.0/s"),
        (
            FULL,
            100,
            "✗ accepts no events  a-project-of-some-length  The disk …",
            "12 waiting · 3 failed             0.0/s",
        ),
        (OFFLINE, 60, f"{SINCE}  a-project-of…", ""),
        (OFFLINE, 80, f"{SINCE}  a-project-of-some-length", ""),
        (OFFLINE, 100, f"{SINCE}  a-project-of-some-length  Nothing answers at http://…", ""),
    ],
)
async def test_the_project_and_what_is_wrong_go_before_the_address(
    server: ScriptedServer, link: Link, columns: int, left: str, right: str
) -> None:
    async with running(server, size=(columns, 18)) as live:
        bar = live.app.screen.query_one(StatusBar)
        bar.server, bar.project = "http://ping.example.test:7464", "a-project-of-some-length"
        bar.link, bar.backlog = link, (12, 3)
        drawn = bar.render()
        assert isinstance(drawn, Content)
        gap = " " * (columns - len(left) - len(right) - 2)
        assert drawn.plain == f" {left}{gap}{right} "

import contextlib
import json
import math
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from slowping.core import errors
from slowping.core.errors import SlowpingError
from slowping.core.overview import Counts, FieldSum, Overview
from slowping.tui.widgets.overview import lines
from slowping.tui.widgets.overview.figure_list import FigureList
from tests.tui.driver import (
    NOW_MS,
    Driver,
    ScriptedServer,
    category,
    delivery,
    event,
    moment,
    running,
)
from tests.tui.figures import BUSY, category_figures, channel_figures, overview, shop

LooksLike = Callable[[str, str], None]
SIZES = {"60x18": (60, 18), "80x24": (80, 24), "160x45": (160, 45), "200x60": (200, 60)}


@contextlib.asynccontextmanager
async def looking(
    server: ScriptedServer, counted: Overview | None = None, **how: Any
) -> AsyncIterator[Driver]:
    """A live view that shows the overview."""
    if counted is not None:
        server.answers["GET /overview"] = counted
    async with running(server, **how) as live:
        await live.connects()
        await live.press("5")
        yield live


def cursor(live: Driver) -> str:
    """The line under the cursor."""
    marked = [line for line in live.picture().splitlines() if ">" in line[:1] + line[80:81]]
    return marked[0].strip() if marked else ""


# Pictures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_a_good_day(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    async with looking(server, shop(), size=SIZES[size]) as live:
        looks_like(live.picture(), f"overview-full-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_the_last_channel(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    async with looking(server, shop(), size=SIZES[size]) as live:
        await live.press("tab", "G")
        looks_like(live.picture(), f"overview-channels-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_no_events_yet(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    new = overview(
        categories=(category_figures("sale", "💰", events=Counts(), hours=(0,) * 24),),
        channels=(channel_figures("console", kind="console", delivered=0, hours=(0,) * 24),),
    )
    async with looking(server, new, size=SIZES[size]) as live:
        looks_like(live.picture(), f"overview-empty-{size}")


@pytest.mark.parametrize("size", ["60x18", "160x45"])
async def test_what_could_not_be_loaded(
    server: ScriptedServer, looks_like: LooksLike, size: str
) -> None:
    server.refusing["/overview"] = (503, errors.Unavailable)
    async with looking(server, size=SIZES[size]) as live:
        looks_like(live.picture(), f"overview-error-{size}")
        assert any("Loading the overview failed" in toast for toast in live.toasts())


@pytest.mark.parametrize("size", ["60x18", "160x45"])
async def test_an_offline_overview(
    server: ScriptedServer, looks_like: LooksLike, size: str
) -> None:
    async with looking(server, shop(), size=SIZES[size]) as live:
        server.refusing["/feed"] = (503, errors.Unavailable)
        await live.loses_the_line()
        for _ in range(3):
            server.retry.set()
            await live.settle()
        live.shows("as of 11:06:40", "offline")
        assert live.app.screen.has_class("-stale")
        looks_like(live.picture(), f"overview-offline-{size}")


# What is said ---------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", [errors.UnknownPath, errors.NotFound])
async def test_an_old_server_is_told_by_its_name(
    server: ScriptedServer, condition: type[SlowpingError]
) -> None:
    server.refusing["/overview"] = (404, condition)
    async with looking(server) as live:
        live.shows("This server has no overview.", "It takes slowping 0.1.0 or later")
        assert live.toasts() == []


async def test_what_comes_in_is_shown_before_the_server_has_counted_it(
    server: ScriptedServer,
) -> None:
    day = overview(
        events=Counts(today=9, week=9, month=9, total=9),
        categories=(category_figures("sale", events=Counts(today=9, week=9, month=9)),),
        channels=(channel_figures("ops", delivered=119, troubled=1),),
    )
    async with looking(server, day) as live:
        await live.receives(
            event(1, received_at=moment(1)),
            delivery(1, 1, "delivered", channel="ops", ended_at=moment(1)),  # type: ignore[arg-type]  # as it travels
        )
        live.shows("10        10        10", "1 of 121", "1/h")
        assert server.asked.count("GET /overview") == 1


async def test_a_project_is_named_where_all_are_looked_at(server: ScriptedServer) -> None:
    async with looking(server, shop()) as live:
        live.shows("question support", "email · shop")
        live.app.project = "shop"
        await live.connects()
        live.hides("question support", "email · shop")


async def test_hostile_names_are_harmless(server: ScriptedServer) -> None:
    bad = "a\x1b]0;owned\x07[red]b[/]\nc"
    hostile = overview(
        events=Counts(total=1),
        categories=(
            category_figures(bad, bad, project=bad, sums=(FieldSum(field=bad, today=1.0),)),
        ),
        channels=(
            channel_figures(bad, project=bad, kind=bad, last_error=bad, last_error_at=moment(-5)),
        ),
    )
    async with looking(server, hostile, size=(160, 45)) as live:
        live.shows("a␛]0;owned␇[red]b[/] c", "last error 5s ago: a␛]0;owned")
        assert "\x1b" not in live.picture()


# The keyboard ---------------------------------------------------------------------------------


async def test_the_cursor_walks_the_rows_and_tab_changes_sides(server: ScriptedServer) -> None:
    async with looking(server, shop(), size=(160, 45)) as live:
        assert "sale" in cursor(live)
        await live.press("j", "j")
        assert "question" in cursor(live)
        await live.press("j")
        assert "question" in cursor(live)
        await live.press("g")
        assert "sale" in cursor(live)
        await live.press("tab", "j")
        assert live.app.focused is live.app.screen.query_one("#channels", FigureList)
        assert "paused    mail" in live.picture()
        await live.press("G", "k")
        assert live.app.screen.query_one("#channels", FigureList).current == "chn_desk"


async def test_below_each_other_the_cursor_goes_on_in_the_next_list(
    server: ScriptedServer,
) -> None:
    async with looking(server, shop(), size=(60, 18)) as live:
        live.shows("Today", "This month")
        await live.press("j", "j", "j")
        assert "ops" in cursor(live)
        live.hides("This month")
        await live.press("k")
        assert "question" in cursor(live)
        await live.press("k", "k")
        live.shows("Today", "This month")


async def test_half_pages_go_over_several_rows(server: ScriptedServer) -> None:
    many = overview(
        events=Counts(total=1), categories=tuple(category_figures(f"c{n:02}") for n in range(60))
    )
    async with looking(server, many) as live:
        await live.press("ctrl+d")
        assert "c12" in cursor(live)
        await live.press("ctrl+d", "ctrl+d")
        assert "c36" in cursor(live)
        await live.press("ctrl+u")
        assert "c24" in cursor(live)
        await live.press("G")
        assert "c59" in cursor(live)
        await live.press("g")
        live.shows("Today", "c00")


async def test_enter_shows_the_events_of_a_category(server: ScriptedServer) -> None:
    server.events = [
        event(1, category="sale"), event(2, category="bug"), event(3, category="bug-eu"),
        event(4, category="bug", project="blog"),
    ]  # fmt: skip
    server.categories = [category("sale"), category("bug")]
    async with looking(server, shop()) as live:
        await live.press("j", "enter")
        live.shows("project:=shop", "category:=bug", "event 2")
        live.hides("event 1", "event 3", "event 4")


async def test_everything_is_copied_as_json(server: ScriptedServer) -> None:
    async with looking(server, shop()) as live:
        await live.press("y")
        assert json.loads(live.app.clipboard)["categories"][0]["sums"][0]["today"] == 1240.5
        assert any("sent to your terminal's clipboard" in toast for toast in live.toasts())


async def test_without_figures_there_is_nothing_to_copy(server: ScriptedServer) -> None:
    server.refusing["/overview"] = (404, errors.UnknownPath)
    async with looking(server) as live:
        await live.press("y")
        assert live.toasts() == ["Copy as JSON: there are no figures."]


async def test_the_cursor_stays_on_its_row_when_others_come(server: ScriptedServer) -> None:
    async with looking(server, shop()) as live:
        await live.press("j")
        grown = shop()
        more = overview(
            events=grown.events, categories=(category_figures("new"), *grown.categories)
        )
        server.answers["GET /overview"] = more
        live.app.figures.ask()
        await live.settle()
        assert "bug" in cursor(live)


# Lines ----------------------------------------------------------------------------------------

EXTREME = (
    category_figures(
        "a category whose name is far longer than any room that it could be given",
        "👩‍💻",
        project="a-project-of-such-a-name-as-well",
        events=Counts(today=10**9, week=10**12, month=10**18),
        sums=(
            FieldSum(field="n" * 200, today=1e300, week=-1e300, month=1e-300),
            FieldSum(field="日本語" * 30, today=math.nan, week=math.inf, month=-0.0),
        ),
    ),
    channel_figures(
        "日本語" * 30,
        kind="k" * 60,
        project="p" * 60,
        waiting=10**9,
        failed=10**9,
        delivered=10**12,
        troubled=10**12,
        latency_p50_ms=10**12,
        latency_p95_ms=10**15,
        last_error="e" * 500,
        last_error_at=moment(-1),
        hours=(*BUSY[:-1], 10**12),
    ),
)


@pytest.mark.parametrize("width", [58, 71, 72, 78, 89, 90, 98])
def test_no_figure_is_too_large_for_its_column(width: int) -> None:
    one, other = EXTREME
    drawn = [
        *lines.CategoryRow(figures=one, with_project=True)(width, here=False),
        *lines.ChannelRow(figures=other, with_project=True, now_ms=NOW_MS)(width, here=True)[:1],
        lines.category_titles(width),
        lines.channel_titles(width),
    ]
    assert max(line.cell_length for line in drawn) <= width

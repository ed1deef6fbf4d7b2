"""When the server is asked for its figures, and what the status bar says of them."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from slowping.core import errors, times
from slowping.core.delivery import DeliveryState
from slowping.core.errors import SlowpingError
from slowping.core.overview import Overview
from tests.tui.driver import NOW_MS, Driver, ScriptedServer, delivery, event, moment, running
from tests.tui.figures import overview


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        """Now."""
        return self.now_ms


class Watch:
    """A live view, and the time that passes in it."""

    def __init__(self, live: Driver, clock: Clock) -> None:
        self.live = live
        self.clock = clock

    @property
    def asked(self) -> int:
        """How often the server was asked."""
        return self.live.server.asked.count("GET /overview")

    async def passes(self, seconds: float) -> None:
        """Let time pass, second by second."""
        for _ in range(round(seconds)):
            self.clock.now_ms += 1_000
            self.live.app.figures.tick()
            if any(worker.group == "figures" for worker in self.live.app.workers):
                await self.live.settle()


@contextlib.asynccontextmanager
async def watching(server: ScriptedServer, **what: Any) -> AsyncIterator[Watch]:
    clock = Clock()
    counts(server, **what)
    async with running(server, size=(120, 24), now_ms=clock) as live:
        await live.connects()
        yield Watch(live, clock)


def counts(server: ScriptedServer, **what: Any) -> None:
    """Let the server count this from now on."""
    answer: Overview = overview(**what)
    server.answers["GET /overview"] = answer


async def test_the_status_bar_says_how_many_deliveries_wait(server: ScriptedServer) -> None:
    async with watching(server, waiting=12, failed=3) as watch:
        watch.live.shows("12 waiting · 3 failed")
    async with watching(server, waiting=0, failed=0) as watch:
        watch.live.shows("0 waiting")
        watch.live.hides("failed")


async def test_nothing_is_asked_while_nothing_moves(server: ScriptedServer) -> None:
    async with watching(server) as watch:
        await watch.passes(5)
        before = watch.asked
        await watch.passes(300)
        assert watch.asked == before


async def test_what_came_just_before_the_line_stood_is_counted_a_moment_later(
    server: ScriptedServer,
) -> None:
    async with watching(server, waiting=1) as watch:
        counts(server, waiting=2)
        await watch.passes(4)
        watch.live.shows("1 waiting")
        await watch.passes(1)
        watch.live.shows("2 waiting")


async def test_what_moves_is_asked_for_every_few_seconds(server: ScriptedServer) -> None:
    async with watching(server) as watch:
        await watch.live.receives(event(1, received_at=moment(1)))
        await watch.passes(4)
        assert watch.asked == 1
        counts(server, as_of=moment(4), waiting=7)
        await watch.passes(1)
        assert watch.asked == 2
        watch.live.shows("7 waiting")
        await watch.passes(60)
        assert watch.asked == 2


async def test_it_is_asked_until_all_that_was_heard_is_counted(server: ScriptedServer) -> None:
    async with watching(server) as watch:
        await watch.live.receives(event(1, received_at=moment(1)))
        await watch.passes(20)
        assert watch.asked == 5
        counts(server, as_of=moment(1))
        await watch.passes(20)
        assert watch.asked == 6


async def test_between_answers_the_backlog_moves_with_the_feed(server: ScriptedServer) -> None:
    async with watching(server, waiting=2) as watch:
        await watch.live.receives(
            event(1, received_at=moment(1), deliveries={"pending": 3}),
            delivery(1, 1, DeliveryState.FAILED, ended_at=moment(2)),
        )
        watch.live.shows("4 waiting · 1 failed")
        assert watch.asked == 1


async def test_the_question_says_when_the_periods_began_here(server: ScriptedServer) -> None:
    async with watching(server):
        asked = server.queries["/overview"]
    assert "today=2026-11-18T00%3A00%3A00" in asked
    assert "week=2026-11-16T00%3A00%3A00" in asked
    assert "month=2026-11-01T00%3A00%3A00" in asked


@pytest.mark.parametrize("condition", [errors.UnknownPath, errors.NotFound])
async def test_a_server_that_counts_nothing_is_not_asked_again(
    server: ScriptedServer, condition: type[SlowpingError]
) -> None:
    server.refusing["/overview"] = (404, condition)
    async with watching(server) as watch:
        await watch.live.receives(event(1, received_at=moment(1)))
        await watch.passes(120)
        assert watch.asked == 1
        watch.live.hides("waiting")
        assert watch.live.toasts() == []


async def test_after_a_failure_it_is_asked_less_often(server: ScriptedServer) -> None:
    server.refusing["/overview"] = (503, errors.Unavailable)
    async with watching(server, waiting=9) as watch:
        await watch.live.receives(event(1, received_at=moment(1)))
        await watch.passes(29)
        assert watch.asked == 1
        server.refusing.clear()
        await watch.passes(1)
        assert watch.asked == 2
        watch.live.shows("9 waiting")


async def test_another_project_has_figures_of_its_own(server: ScriptedServer) -> None:
    async with watching(server, waiting=12) as watch:
        server.gate.clear()
        watch.live.app.project = "blog"
        await watch.live.pilot.pause()
        watch.live.hides("12 waiting")
        counts(server, waiting=1)
        server.gate.set()
        await watch.live.connects()
        watch.live.shows("1 waiting")
        assert "project=blog" in server.queries["/overview"]


async def test_without_a_line_the_figures_are_those_of_when_it_broke(
    server: ScriptedServer,
) -> None:
    async with watching(server) as watch:
        await watch.passes(20)
        assert watch.live.app.figures.as_of_ms is None
        await watch.live.loses_the_line()
        await watch.passes(20)
        assert watch.live.app.figures.as_of_ms == NOW_MS + 20_000


async def test_a_server_that_counts_late_is_said_to(server: ScriptedServer) -> None:
    async with watching(server) as watch:
        await watch.live.receives(event(1, received_at=moment(9)))
        counts(server, as_of=moment(4))
        await watch.passes(5)
        assert watch.live.app.figures.as_of_ms == NOW_MS + 4_000
        counts(server, as_of=moment(6))
        await watch.passes(5)
        assert watch.live.app.figures.as_of_ms is None


async def test_looked_at_they_are_asked_for_more_often_and_at_least_once_a_minute(
    server: ScriptedServer,
) -> None:
    async with watching(server) as watch:
        await watch.live.press("5")
        await watch.passes(2)
        before = watch.asked
        await watch.passes(119)
        assert watch.asked == before + 1
        await watch.live.receives(event(1, received_at=moment(122)))
        await watch.passes(1)
        assert watch.asked == before + 2
        await watch.passes(2)
        assert watch.asked == before + 3


async def test_at_midnight_today_starts_anew(server: ScriptedServer) -> None:
    async with watching(server) as watch:
        await watch.live.press("5")
        midnight = moment(0).replace(hour=23, minute=59, second=30, microsecond=0)
        watch.clock.now_ms = times.to_ms(midnight)
        await watch.passes(29)
        before = watch.asked
        await watch.passes(1)
        assert watch.asked == before + 1
        assert "today=2026-11-19T00%3A00%3A00" in server.queries["/overview"]

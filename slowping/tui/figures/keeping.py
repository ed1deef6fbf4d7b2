"""Ask the server for its figures: once for all screens, and only while something moves."""

import datetime as dt
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec
from textual.signal import Signal
from textual.worker import WorkType

from slowping.core import errors, times
from slowping.core.errors import SlowpingError
from slowping.core.overview import Overview, Periods
from slowping.tui import act
from slowping.tui.figures.periods import hour, periods
from slowping.tui.figures.rate import Rate
from slowping.tui.figures.tally import Tally
from slowping.tui.live import Batch, Link

if TYPE_CHECKING:
    from slowping.tui.app import SlowpingApp

_WATCHED_S: Final = 2
"""How often it is asked while something moves and the figures are looked at."""
_UNWATCHED_S: Final = 5
"""The same while only the backlog is shown."""
_CALM_S: Final = 60
"""How often it is asked while nothing moves and the figures are looked at."""
_TROUBLED_S: Final = 30
"""How long nothing is asked after it went wrong."""
_BEHIND: Final = dt.timedelta(seconds=4)
"""A server that has not counted what was heard this long ago is behind."""


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """For what it was asked, and when."""

    at_ms: int
    project: str | None
    periods: Periods


class Figures:
    """What is known of the server's figures; screens subscribe to `changed`."""

    def __init__(self, app: "SlowpingApp", now_ms: Callable[[], int]) -> None:
        self.changed: Signal[None] = Signal(app, "figures")
        self.problem: SlowpingError | None = None
        """Why the latest answer did not come; None where it did."""
        self.backlog: tuple[int, int] | None = None
        """How many deliveries wait, and how many stand as failed; None where it is not known."""
        self.rate = Rate()
        self._app = app
        self._now_ms = now_ms
        self._told: Overview | None = None
        self._behind = False
        self._tally = Tally()
        self._asked: _Asked | None = None
        self._moved = False
        self._is_sure = False
        """Whether all that came before the line stood is counted."""
        self._watched = False

    def begin(self) -> None:
        """Listen, and look now and then whether it is time to ask."""
        self._app.live.left.subscribe(self._app, self._forget)
        self._app.live.batch.subscribe(self._app, self._hear)
        self._app.live.connection.subscribe(self._app, self._see_link)
        self._app.set_interval(self._app.tick_s, self._second)

    # What is known ----------------------------------------------------------------------------

    @property
    def now(self) -> Overview | None:
        """The figures with what was heard since they were counted; None where there are none."""
        return self._tally.added_to(self._told) if self._told else None

    @property
    def as_of_ms(self) -> int | None:
        """Up to when the figures are true, where that is not this moment."""
        if self._told is None:
            return None
        if self._behind or self.problem is not None:
            return times.to_ms(self._told.as_of)
        return self._app.live.link.as_of_ms  # what was heard until then is in the figures

    @property
    def is_too_old(self) -> bool:
        """Whether the server is one that counts nothing yet."""
        match self.problem:
            case errors.UnknownPath():
                return True
            case errors.NotFound(noun=noun):
                return noun != "project"
        return False

    # When it is asked -------------------------------------------------------------------------

    def watch(self, watched: bool) -> None:
        """Keep the figures as they are now, as long as somebody looks at them."""
        self._watched = watched
        if watched and self.problem is not None and not self.is_too_old:
            self.problem = None  # whoever looks at it now is to hear of it
            self.ask()
        self.tick()

    def tick(self) -> None:
        """Ask, if it is time to."""
        if self._app.live.link.stands and self._is_due():
            self.ask()

    def _second(self) -> None:
        self.rate.tick()
        self.tick()

    def ask(self) -> None:
        """Ask now."""
        self._moved = False
        asked = self._asked = _Asked(
            at_ms=self._now_ms(),
            project=self._app.project,
            periods=periods(self._now_ms()),
        )
        # Not the coroutine itself: a worker that is replaced before it began never awaits it.
        ask: WorkType[None] = functools.partial(self._ask, asked)
        self._app.run_worker(ask, group="figures", exclusive=True)

    def _is_due(self) -> bool:
        if self._asked is None:
            return True
        if self.is_too_old:
            return False
        since_s = (self._now_ms() - self._asked.at_ms) / 1000
        if self.problem is not None and since_s < _TROUBLED_S:
            return False
        if self._moved:
            return since_s >= (_WATCHED_S if self._watched else _UNWATCHED_S)
        return self._watched and (since_s >= _CALM_S or self._has_turned(self._asked))

    def _has_turned(self, asked: _Asked) -> bool:
        """Whether another hour or day has begun."""
        now = self._now_ms()
        return hour(now) != hour(asked.at_ms) or periods(now) != asked.periods

    async def _ask(self, asked: _Asked) -> None:
        of = asked.periods
        found = await act.answer(
            lambda: self._app.client.overview(
                project=asked.project, today=of.today, week=of.week, month=of.month
            )
        )
        if asked is not self._asked:
            return  # something else is looked at by now
        before, self.problem = self.problem, None
        if isinstance(found, SlowpingError):
            self.problem = found
            self._tell(before, found)
        else:
            self._told = found
            self._tally.forget(found.as_of)
            # What came just before the feed was heard may have come too late to be counted.
            self._moved |= bool(self._tally) or not self._is_sure
            self._is_sure = True
            # Against what was heard of the server, whose clock may not be ours.
            latest = self._tally.latest
            self._behind = latest is not None and latest - found.as_of > _BEHIND
        self._publish()

    def _tell(self, before: SlowpingError | None, problem: SlowpingError) -> None:
        """Say what went wrong to who looks at the figures, once."""
        if self._watched and not self.is_too_old and type(before) is not type(problem):
            self._app.tell_error(
                "Loading the overview failed", problem, act.advice(problem, asked=True)
            )

    # What comes from outside ------------------------------------------------------------------

    def _hear(self, batch: Batch) -> None:
        self.rate.hear(batch)
        if self._tally.hear(batch):
            self._moved = True
            self._publish()

    def _forget(self, _: None) -> None:
        """Something else is looked at."""
        self._asked, self._told, self.problem = None, None, None
        self._is_sure = False
        self._tally = Tally()
        self.rate.forget()
        self._publish()

    def _see_link(self, link: Link) -> None:
        if link.fresh:
            self.problem = None
            self._is_sure = False
            self.ask()
        elif link.stands:  # what it missed is told now
            self._moved = True
        self._publish()

    def _publish(self) -> None:
        # Once, however many screens show it.
        self.backlog = self._tally.backlog(self._told) if self._told else None
        self.changed.publish(None)

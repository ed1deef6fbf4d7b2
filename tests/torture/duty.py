"""What the model knows of one delivery, and what becomes of it by each outcome."""

import itertools
from typing import Final

import msgspec

from slowping.core.delivery import Delivered, DeliveryState, Outcome, Rejected, Retry, Unusable

DELAYS_S: Final = (5.0, 300.0, 7_200.0)
LONGEST_WAIT_MS: Final = 108_000_000
LOST_DELAYS_MS: Final = (0, 0, 60_000, 300_000)

PENDING, LEASED = DeliveryState.PENDING, DeliveryState.LEASED
DELIVERED, FAILED = DeliveryState.DELIVERED, DeliveryState.FAILED
DISCARDED = DeliveryState.DISCARDED


class Difference(AssertionError):
    """The real thing did something else than the model allows."""


class Outlet(msgspec.Struct):
    """A channel."""

    id: int
    name: str
    expire_after_s: int | None
    is_paused: bool = False
    is_removed: bool = False


class Accepted(msgspec.Struct, frozen=True):
    """An event that was acknowledged."""

    received_at: int
    notify: bool


class Duty(msgspec.Struct):
    """A delivery."""

    id: int
    event_id: int
    outlet: Outlet
    created_at: int
    due_at: int
    expires_at: int | None
    state: DeliveryState = PENDING
    tries: int = 0
    attempts: list[str] = []

    @property
    def may_have_arrived(self) -> bool:
        """Whether nobody knows of one of its attempts."""
        return not {"unknown", "lost"}.isdisjoint(self.attempts)

    def is_over(self, now: int) -> bool:
        """Whether it is past its time."""
        return self.expires_at is not None and self.expires_at <= now

    def conclude(self, outcome: Outcome, now: int, *, is_early: bool) -> None:
        """An attempt has ended so; one that was ahead of its schedule does not count in it."""
        self.tries += not is_early
        match outcome:
            case Delivered():
                self.state = DELIVERED
                self.attempts.append("delivered")
            case Rejected():
                self.state = FAILED
                self.attempts.append("rejected")
            case Unusable():
                self.attempts.append("unusable")
            case Retry():
                self.attempts.append("unknown" if outcome.unknown else "retry")
                self._plan(outcome.after or 0.0, now, is_early=is_early)

    def cut_off(self, now: int) -> None:
        """The process has ended in the middle of an attempt."""
        is_early = self.tries > 0 and self.due_at > now and not self.may_have_arrived
        self.tries += not is_early
        if not is_early:
            self.due_at = min(self.due_at, now)
        self.attempts.append("lost")
        in_a_row = min(self.tries, self._lost_in_a_row)
        is_hopeless = in_a_row > len(LOST_DELAYS_MS)
        self.state = FAILED if is_hopeless else PENDING
        wait_ms = 0 if is_hopeless or is_early else LOST_DELAYS_MS[in_a_row - 1]
        if wait_ms:
            self.due_at = now + wait_ms

    def set_back(self, by: int, now: int) -> None:
        """The clock was set back by so many milliseconds; nothing waits longer for it."""
        if self.state is PENDING and self.due_at > now:
            self.due_at = max(now, self.due_at - by)
            if self.due_at > now + LONGEST_WAIT_MS:
                self.due_at = now

    def heed(self, found: "Duty", now: int) -> None:
        """Know of an end that comes when everything is looked at, and may have come or not."""
        if self.state is not PENDING:
            return
        if found.state is FAILED and self.is_over(now):
            self.state = FAILED
        elif found.state is DISCARDED and self.outlet.is_removed:
            self.state = DISCARDED

    @property
    def _lost_in_a_row(self) -> int:
        return sum(1 for _ in itertools.takewhile("lost".__eq__, reversed(self.attempts)))

    def _plan(self, asked_s: float, now: int, *, is_early: bool) -> None:
        if is_early:
            self.due_at = max(self.due_at, now + round(asked_s * 1000))
        elif self.tries > len(DELAYS_S):
            self.state = FAILED
        else:
            self.due_at = now + round(1000 * max(DELAYS_S[self.tries - 1], asked_s))


def require(is_so: bool, otherwise: str) -> None:
    """Hold something to be so.

    Raises:
        Difference: it is not.
    """
    if not is_so:
        raise Difference(otherwise)

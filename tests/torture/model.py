"""Say what has to become of deliveries, in memory and without a database.

The model is told what was asked for, and what the far sides heard and answered. It holds each
message to the rules of sending, and knows how every delivery has to stand afterwards.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from slowping.core.delivery import (
    Delivered,
    DeliveryState,
    Outcome,
    Rejected,
    Retry,
    Throttled,
    Unusable,
)
from tests.laboratory.scripted import EVERYTHING, Message

MAX_CLAIM: Final = 4
DELAYS_S: Final = (5.0, 300.0, 7_200.0)
LONGEST_WAIT_MS: Final = 108_000_000
MAX_LOST: Final = 3

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


class Duty(msgspec.Struct):
    """A delivery."""

    id: int
    event_id: int
    outlet: Outlet
    due_at: int
    expires_at: int | None
    state: DeliveryState = PENDING
    tries: int = 0
    attempts: list[str] = []


class Claim(msgspec.Struct):
    """Deliveries that a channel works on, and what came of those that were sent."""

    delivery_ids: tuple[int, ...]
    outcomes: dict[int, Outcome] = {}
    is_split: bool = False
    """Whether the message was rejected, so that each goes by itself."""


class Model:
    """Every channel and delivery as it has to stand."""

    def __init__(self) -> None:
        self.outlets: dict[str, Outlet] = {}
        """By name; a removed one keeps it, and no other gets it."""
        self.duties: dict[int, Duty] = {}
        self.events: dict[int, bool] = {}
        """Every event that was acknowledged, and whether somebody was to be told of it."""
        self.claims: dict[str, Claim] = {}
        self.held_until: dict[str, int] = {}
        self._news: dict[str, str] = {}
        """Scopes that were held or shut since the dispatcher rested last, and by which channel:
        what another one has begun meanwhile may still go out."""

    def targets(self) -> list[Outlet]:
        """Where an event goes now."""
        return [outlet for outlet in self.outlets.values() if not outlet.is_removed]

    # What the far sides hear ------------------------------------------------------------------

    def began(self, message: Message) -> None:
        """Hold a message to the rules of sending.

        Raises:
            Difference: it breaks one.
        """
        claim = self.claims.get(message.channel)
        if claim is not None:
            self._hold_to_split(claim, message)
            return
        outlet, now = self.outlets[message.channel], message.sent_at
        is_shut = outlet.is_paused and not self._is_news(EVERYTHING, outlet)
        _require(not is_shut, f"{outlet.name} is paused", message)
        _require(not outlet.is_removed, f"{outlet.name} is removed", message)
        for scope in (EVERYTHING, f"{EVERYTHING}:{outlet.name}"):
            until = self.held_until.get(scope, 0)
            is_held = now < until <= now + LONGEST_WAIT_MS and not self._is_news(scope, outlet)
            _require(not is_held, f"{scope} has to wait until {until}", message)
        due = self.due(outlet, now)
        count = len(message.delivery_ids)
        _require(1 <= count <= MAX_CLAIM, "so many at once", message)
        _require(list(message.delivery_ids) == due[:count], f"due are {due}", message)
        for number in message.delivery_ids:
            self.duties[number].state = LEASED
        self.claims[outlet.name] = Claim(message.delivery_ids, outcomes={})

    def ended(self, message: Message) -> None:
        """Know what follows from an answer."""
        outcome, claim = message.outcome, self.claims[message.channel]
        if outcome is None:
            raise Difference(f"a message that ended without an outcome: {message}")
        self._heed(self.outlets[message.channel], outcome, message.ended_at)
        if isinstance(outcome, Rejected) and len(message.delivery_ids) > 1:
            claim.is_split = True
            return
        claim.outcomes.update(dict.fromkeys(message.delivery_ids, outcome))
        stops = isinstance(outcome, Throttled | Unusable) or outcome.paces
        if stops or len(claim.outcomes) == len(claim.delivery_ids):
            self._settle(self.claims.pop(message.channel), message.ended_at)

    def rested(self) -> None:
        """Everything that was said has been heeded."""
        self._news.clear()

    def due(self, outlet: Outlet, now: int) -> list[int]:
        """What a channel has to send, first in first out."""
        waiting = [
            (duty.due_at, duty.id)
            for duty in self.duties.values()
            if duty.outlet is outlet
            and duty.state is PENDING
            and duty.due_at <= now
            and not _is_over(duty, now)
        ]
        return [number for _, number in sorted(waiting)]

    def _is_news(self, scope: str, outlet: Outlet) -> bool:
        return self._news.get(scope, outlet.name) != outlet.name

    def _hold_to_split(self, claim: Claim, message: Message) -> None:
        left = [number for number in claim.delivery_ids if number not in claim.outcomes]
        _require(claim.is_split, f"{claim} is still on its way", message)
        _require(list(message.delivery_ids) == left[:1], f"next is {left[:1]}", message)

    def _heed(self, outlet: Outlet, outcome: Outcome, now: int) -> None:
        waits = {pace.scope: pace.wait_s for pace in outcome.paces}
        if isinstance(outcome, Throttled) and outcome.after is not None:
            waits[outcome.scope] = outcome.after
        for scope, wait_s in waits.items():
            until = now + round(wait_s * 1000)
            self._news[scope] = outlet.name
            known = self.held_until.get(scope, 0)
            # One that no far side can have asked for is of a clock that has stepped back since.
            self.held_until[scope] = max(until, known if known <= now + LONGEST_WAIT_MS else 0)
        if isinstance(outcome, Unusable):
            covered = self.targets() if outcome.scope == EVERYTHING else [outlet]
            if outcome.scope is not None:
                self._news[outcome.scope] = outlet.name
            for one in covered:
                one.is_paused = one.is_paused or not one.is_removed

    def _settle(self, claim: Claim, now: int) -> None:
        for number in claim.delivery_ids:
            duty = self.duties[number]
            duty.state = PENDING
            outcome = claim.outcomes.get(number)
            if outcome is not None and not isinstance(outcome, Throttled):
                _conclude(duty, outcome, now)

    # What people do ---------------------------------------------------------------------------

    def retried(self, numbers: Collection[int], states: Collection[DeliveryState], now: int) -> int:
        """Make these due now, in a new round; how many that are."""
        moved = [
            duty
            for number in numbers
            if (duty := self.duties[number]).state in states and not duty.outlet.is_removed
        ]
        for duty in moved:
            duty.state, duty.due_at, duty.tries, duty.expires_at = PENDING, now, 0, None
        return len(moved)

    def discarded(self, numbers: Collection[int]) -> int:
        """Give these up; how many that are."""
        moved = [self.duties[one] for one in numbers if self.duties[one].state in (PENDING, FAILED)]
        for duty in moved:
            duty.state = DISCARDED
        return len(moved)

    def removed(self, outlet: Outlet) -> None:
        """A channel goes, and what waits for it with it."""
        outlet.is_removed = True
        self.discarded([duty.id for duty in self.of(outlet) if duty.state is PENDING])

    def of(self, outlet: Outlet) -> Sequence[Duty]:
        """The deliveries to a channel."""
        return [duty for duty in self.duties.values() if duty.outlet is outlet]

    # What happens -----------------------------------------------------------------------------

    def crashed(self, leased: Collection[int]) -> None:
        """The process ends, and the next one finds these on their way."""
        for claim in self.claims.values():
            if not set(claim.delivery_ids) <= set(leased):
                raise Difference(f"{claim} is on its way, leased are {leased}")
        self.claims.clear()
        for number in leased:
            duty = self.duties[number]
            duty.tries += 1
            is_hopeless = duty.tries >= MAX_LOST and duty.attempts[1 - MAX_LOST :] == ["lost"] * (
                MAX_LOST - 1
            )
            duty.attempts.append("lost")
            duty.state = FAILED if is_hopeless else PENDING

    def pulled_in(self, now: int) -> None:
        """A clock that was set back, or a new process: no wait is longer than any can be."""
        for duty in self.duties.values():
            if duty.state is PENDING and duty.due_at > now + LONGEST_WAIT_MS:
                duty.due_at = now

    def hold_to(self, stored: Mapping[int, Duty], now: int) -> None:
        """Compare with what is stored.

        What the dispatcher does when it looks at everything may be done or not: deliveries end
        that are past their time, or whose channel is gone.

        Raises:
            Difference: it is something else.
        """
        if stored.keys() != self.duties.keys():
            raise Difference(f"deliveries: {sorted(stored.keys() ^ self.duties.keys())}")
        for number, found in stored.items():
            duty = self.duties[number]
            if duty.state is PENDING and found.state is not PENDING:
                _look(duty, found, now)
            if found != duty:
                raise Difference(f"stored is {found}, it has to be {duty}")


def _look(duty: Duty, found: Duty, now: int) -> None:
    if found.state is FAILED and _is_over(duty, now):
        duty.state = FAILED
    elif found.state is DISCARDED and duty.outlet.is_removed:
        duty.state = DISCARDED


def _is_over(duty: Duty, now: int) -> bool:
    return duty.expires_at is not None and duty.expires_at <= now


def _conclude(duty: Duty, outcome: Outcome, now: int) -> None:
    """An attempt has ended so."""
    duty.tries += 1
    match outcome:
        case Delivered():
            duty.state = DELIVERED
            duty.attempts.append("delivered")
        case Rejected():
            duty.state = FAILED
            duty.attempts.append("rejected")
        case Unusable():
            duty.attempts.append("unusable")
        case Retry():
            duty.attempts.append("unknown" if outcome.unknown else "retry")
            if duty.tries > len(DELAYS_S):
                duty.state = FAILED
            else:
                wait_s = max(DELAYS_S[duty.tries - 1], outcome.after or 0.0)
                duty.due_at = now + round(wait_s * 1000)


def require(is_so: bool, otherwise: str) -> None:
    """Hold something to be so.

    Raises:
        Difference: it is not.
    """
    if not is_so:
        raise Difference(otherwise)


def _require(is_so: bool, otherwise: str, message: Message) -> None:
    require(is_so, f"{message} was sent: {otherwise}")

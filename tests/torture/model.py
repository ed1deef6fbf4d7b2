"""Say what has to become of deliveries, in memory and without a database.

The model is told what was asked for, and what the far sides heard and answered. It holds each
message to the rules of sending, and knows how every delivery has to stand afterwards.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from slowping.core import breaker
from slowping.core.breaker import Breaker
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
from tests.torture.duty import (
    DISCARDED,
    FAILED,
    LEASED,
    LONGEST_WAIT_MS,
    PENDING,
    Accepted,
    Difference,
    Duty,
    Outlet,
    require,
)

MAX_CLAIM: Final = 4

CLOSED: Final = Breaker()


class Claim(msgspec.Struct):
    """Deliveries that a channel works on, and what came of those that were sent."""

    delivery_ids: tuple[int, ...]
    is_early: bool
    """Whether it tries ahead of its schedule whether the far side is back."""
    sent: list[Message] = []
    is_split: bool = False
    """Whether the message was rejected, so that each goes by itself."""

    @property
    def left(self) -> list[int]:
        """What was not sent yet."""
        sent = {number for message in self.sent for number in message.delivery_ids}
        return [number for number in self.delivery_ids if number not in sent]


class Model:
    """Every channel and delivery as it has to stand."""

    def __init__(self) -> None:
        self.outlets: dict[str, Outlet] = {}
        """By name; a removed one keeps it, and no other gets it."""
        self.duties: dict[int, Duty] = {}
        self.events: dict[int, Accepted] = {}
        self.events_ever = 0
        self.forgotten: dict[int, tuple[int, int]] = {}
        """By channel: attempts that went with their events, those that arrived and those not."""
        self.claims: dict[str, Claim] = {}
        self.held_until: dict[str, int] = {}
        self.paced_until: dict[str, int] = {}
        self.breakers: dict[str, Breaker] = {}
        self._kept: dict[str, Breaker] = {}
        """The breakers that another process will know of."""
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
            until = max(self.held_until.get(scope, 0), self.paced_until.get(scope, 0))
            is_held = now < until <= now + LONGEST_WAIT_MS and not self._is_news(scope, outlet)
            _require(not is_held, f"{scope} has to wait until {until}", message)
        is_early = self._is_early(outlet, message)
        if not is_early:
            due, count = self.due(outlet, now), len(message.delivery_ids)
            in_turn = list(message.delivery_ids) == due[:count] or self._is_urged(outlet, message)
            _require(in_turn and 1 <= count <= MAX_CLAIM, f"due are {due}", message)
        for number in message.delivery_ids:
            self.duties[number].state = LEASED
        self.claims[outlet.name] = Claim(message.delivery_ids, is_early)

    def ended(self, message: Message) -> None:
        """Know what follows from an answer."""
        outcome, claim = message.outcome, self.claims[message.channel]
        if outcome is None:
            raise Difference(f"a message that ended without an outcome: {message}")
        if isinstance(outcome, Rejected) and len(message.delivery_ids) > 1:
            claim.is_split = True
            return
        claim.sent.append(message)
        stops = isinstance(outcome, Throttled | Unusable) or outcome.paces
        if stops or not claim.left:
            del self.claims[message.channel]
            self._settle(claim, message.ended_at)
            for one in claim.sent:
                self._follow(self.outlets[one.channel], one.outcome, message.ended_at)

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
            and not duty.is_over(now)
        ]
        return [number for _, number in sorted(waiting)]

    def _is_news(self, scope: str, outlet: Outlet) -> bool:
        return self._news.get(scope, outlet.name) != outlet.name

    def _is_early(self, outlet: Outlet, message: Message) -> bool:
        """Whether it is a probe that goes ahead of its schedule, as one may whose breaker is open.

        What may have arrived must not arrive once more each time.
        """
        duty = self.duties[message.delivery_ids[0]]
        return (
            len(message.delivery_ids) == 1
            and self._is_open(outlet)
            and duty.outlet is outlet
            and duty.state is PENDING
            and duty.due_at > message.sent_at
            and duty.tries > 0
            and not duty.may_have_arrived
        )

    def _is_urged(self, outlet: Outlet, message: Message) -> bool:
        """Whether it is a probe of what a person has retried, which goes before all others."""
        duty = self.duties[message.delivery_ids[0]]
        return (
            len(message.delivery_ids) == 1
            and (self._is_open(outlet) or self.is_provider_troubled)
            and duty.id in self.due(outlet, message.sent_at)
            and duty.tries == 0
            and bool(duty.attempts)
        )

    @property
    def is_provider_troubled(self) -> bool:
        """Whether what all channels have in common may be left alone for a while."""
        return sum(bool(one.failures) for one in self.breakers.values()) > 1 or bool(
            self.held_until
        )

    def _is_open(self, outlet: Outlet) -> bool:
        return self.breakers.get(outlet.name, CLOSED).since is not None

    def _hold_to_split(self, claim: Claim, message: Message) -> None:
        _require(claim.is_split, f"{claim} is still on its way", message)
        _require(list(message.delivery_ids) == claim.left[:1], f"next is {claim.left}", message)

    def _follow(self, outlet: Outlet, outcome: Outcome | None, now: int) -> None:
        match outcome:
            case Throttled(after=float(wait_s), scope=scope):
                self._news[scope] = outlet.name
                self._hold(self.held_until, scope, wait_s, now)
            case Unusable(scope=scope):
                if scope is not None:
                    self._news[scope] = outlet.name
                for one in self.targets() if scope == EVERYTHING else [outlet]:
                    self._shut(one)
            case Delivered(paces=paces):
                for pace in paces:
                    self._hold(self.paced_until, pace.scope, pace.wait_s, now)
        if outcome is not None:
            self._turn_breaker(outlet, outcome, now)

    def _hold(self, holds: dict[str, int], scope: str, wait_s: float, now: int) -> None:
        known = holds.get(scope, 0)
        # One that no far side can have asked for is of a clock that has stepped back since.
        known = known if known <= now + LONGEST_WAIT_MS else 0
        holds[scope] = max(now + round(wait_s * 1000), known)

    def _turn_breaker(self, outlet: Outlet, outcome: Outcome, now: int) -> None:
        """What fails for long is left alone; and what waits is due once it does well again."""
        well, before = breaker.went_well(outcome), self.breakers.get(outlet.name, CLOSED)
        if well is None:
            return
        if well:
            after = breaker.succeeded(before)
        else:
            asked_s = (outcome.after or 0.0) if isinstance(outcome, Retry) else 0.0
            after = breaker.failed(before, now=now, asked_s=asked_s)
        self.breakers[outlet.name] = after
        self._kept.pop(outlet.name, None)
        if after.since is not None:
            self._kept[outlet.name] = Breaker(
                failures=after.failures, since=after.since, until=after.until
            )
        if well and before.since is not None and before.asked_until <= now:
            for duty in self.of(outlet):
                if duty.state is PENDING and duty.due_at > now and duty.tries > 0:
                    duty.due_at = min(duty.created_at, now)
        if breaker.is_hopeless(after, now=now):
            self._shut(outlet)
            self.forgot(outlet)

    def _shut(self, outlet: Outlet) -> None:
        if not outlet.is_paused and not outlet.is_removed:
            outlet.is_paused = True
            self._kept.pop(outlet.name, None)

    def forgot(self, outlet: Outlet) -> None:
        """A channel was changed, so that what it did before does not count."""
        self.breakers.pop(outlet.name, None)
        self._kept.pop(outlet.name, None)

    def _settle(self, claim: Claim, now: int) -> None:
        outcomes = {
            number: message.outcome for message in claim.sent for number in message.delivery_ids
        }
        for number in claim.delivery_ids:
            duty = self.duties[number]
            duty.state = PENDING
            # What was due when it was claimed is due still, wherever the clock was set.
            duty.due_at = duty.due_at if claim.is_early else min(duty.due_at, now)
            outcome = outcomes.get(number)
            if outcome is not None and not isinstance(outcome, Throttled):
                duty.conclude(outcome, now, is_early=claim.is_early)

    # What people do ---------------------------------------------------------------------------

    def retried(self, numbers: Collection[int], states: Collection[DeliveryState], now: int) -> int:
        """Make these due now, in a new round; how many that are. What is on its way stays."""
        moved = [
            duty
            for duty in map(self.duties.__getitem__, numbers)
            if duty.state in states and duty.state is not LEASED and not duty.outlet.is_removed
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

    def pruned(self, before: int, before_id: int) -> set[int]:
        """What is older goes, unless something of it waits; the events that went."""
        waiting = {
            duty.event_id for duty in self.duties.values() if duty.state in (PENDING, LEASED)
        }
        gone = {
            number
            for number, event in self.events.items()
            if event.received_at < before and number < before_id and number not in waiting
        }
        for number in gone:
            del self.events[number]
        for duty in [duty for duty in self.duties.values() if duty.event_id in gone]:
            del self.duties[duty.id]
            delivered, troubled = self.forgotten.get(duty.outlet.id, (0, 0))
            arrived = duty.attempts.count("delivered")
            troubled += len(duty.attempts) - arrived
            self.forgotten[duty.outlet.id] = (delivered + arrived, troubled)
        return gone

    # What happens -----------------------------------------------------------------------------

    def crashed(self, leased: Collection[int], now: int) -> None:
        """The process ends, and the next one finds these on their way."""
        for claim in self.claims.values():
            if not set(claim.delivery_ids) <= set(leased):
                raise Difference(f"{claim} is on its way, leased are {leased}")
        self.claims.clear()
        self.breakers = dict(self._kept)
        self.paced_until.clear()
        for number in leased:
            self.duties[number].cut_off(now)

    def set_back(self, by: int, now: int) -> None:
        """The clock was set back by so many milliseconds, or a new process begins.

        Nothing waits longer for it, and nothing longer than any wait can be.
        """
        self.paced_until.clear()
        self.held_until = {
            scope: until - by
            for scope, until in self.held_until.items()
            if until - by <= now + LONGEST_WAIT_MS
        }
        self.breakers = {name: breaker.set_back(one, by) for name, one in self.breakers.items()}
        self._kept = {name: breaker.set_back(one, by) for name, one in self._kept.items()}
        for duty in self.duties.values():
            duty.set_back(by, now)

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
            duty.heed(found, now)
            if found != duty:
                raise Difference(f"stored is {found}, it has to be {duty}")


def _require(is_so: bool, otherwise: str, message: Message) -> None:
    require(is_so, f"{message} was sent: {otherwise}")

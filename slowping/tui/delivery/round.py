"""Follow an act on many deliveries: how far it is, and what comes of each."""

import collections
import enum
from collections.abc import Sequence

from slowping.core.delivery import Delivery, DeliveryState
from slowping.tui.delivery.errand import Errand, Verb


class Came(enum.Enum):
    """What came of a delivery that was tried again, in words for a number of them."""

    DELIVERED = "delivered"
    FAILED = "failed again"
    WAITING = "to be tried again"
    DISCARDED = "discarded"


class Round:
    """One act on many, from its first step until the last delivery has come to something."""

    def __init__(self, errand: Errand) -> None:
        self.errand = errand
        self.seen = 0
        """How many were gone through."""
        self.moved = 0
        """How many of them were moved: the others had changed meanwhile."""
        self.is_over = False
        """Whether no more are moved."""
        self.is_stopped = False
        """Whether somebody has stopped it."""
        self.is_complete = False
        """Whether all was gone through."""
        self._attempts: dict[str, int] = {}
        """Attempts before the act, by id."""
        self._came: dict[str, Came] = {}

    def begin(self, batch: Sequence[Delivery]) -> None:
        """These are moved next; what comes of them may be heard before that is answered."""
        for delivery in batch:
            self._attempts[delivery.id] = delivery.attempts

    def step(self, batch: Sequence[Delivery], moved: int) -> None:
        """So many of these were moved."""
        self.seen += len(batch)
        self.moved += moved

    def stop(self) -> None:
        """Move no more."""
        self.is_stopped = True

    def end(self) -> None:
        """No more are moved."""
        self.is_over = True

    @property
    def ids(self) -> frozenset[str]:
        """Those that were gone through."""
        return frozenset(self._attempts)

    def take(self, delivery: Delivery) -> bool:
        """A delivery has changed; whether that says something new of what came of them."""
        before = self._attempts.get(delivery.id)
        if before is None or self.errand.verb is Verb.DISCARD:
            return False
        came = _came(delivery, before)
        if came is None or self._came.get(delivery.id) is came:
            return False
        self._came[delivery.id] = came
        return True

    @property
    def is_settled(self) -> bool:
        """Whether everything has come to something."""
        return self.is_over and (self.errand.verb is Verb.DISCARD or len(self._came) >= self.moved)

    @property
    def has_failed(self) -> bool:
        """Whether any of them has failed again."""
        return Came.FAILED in self._came.values()

    def say(self) -> str:
        """How far it is, or what came of it, in a line."""
        verb = self.errand.verb
        total = max(self.errand.number, self.seen)
        of_total = f" of {total:,}" if self.moved != total else ""
        if not self.is_over:
            return f"{verb.doing} {self.seen:,} of {total:,}…"
        said = f"{'' if self.is_complete else 'Stopped. '}{verb.done} {self.moved:,}{of_total}"
        if verb is Verb.RETRY and self.moved:
            said += f": {', '.join(self._results())}"
        return said

    def _results(self) -> list[str]:
        counted = collections.Counter(self._came.values())
        results = [f"{counted[came]:,} {came.value}" for came in Came if counted[came]]
        under_way = self.moved - len(self._came)
        return [*results, *([f"{under_way:,} on the way"] if under_way > 0 else [])]


def _came(delivery: Delivery, attempts_before: int) -> Came | None:
    """What came of a delivery; None while it is on its way."""
    match delivery.state:
        case DeliveryState.DELIVERED:
            return Came.DELIVERED
        case DeliveryState.DISCARDED:
            return Came.DISCARDED
        case DeliveryState.FAILED if delivery.attempts > attempts_before:
            return Came.FAILED
        case DeliveryState.PENDING if delivery.attempts > attempts_before:
            return Came.WAITING
    return None

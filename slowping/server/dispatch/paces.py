"""Keep to the pace of each scope: what it says it takes, what a message costs, what it took."""

import collections
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from slowping.core import retry
from slowping.core.delivery import Pace

LOOKED_BACK_MS: Final = 60_000
"""A limit that nobody tells of is taken for one of a minute, as those that are known of are."""

SHARE: Final = 0.9
"""Of what a scope took in that time, so much is sent in it: our clock is not the far side's."""

FEWEST: Final = 5
"""Less is never made of it: others may have sent to the same place."""

REMEMBERED_MS: Final = 3_600_000
"""For so long a limit counts that was found out."""

MOST_COUNTED: Final = 256
"""A limit of more messages in a minute than that is not found out."""

FIRST_ANSWER_MS: Final = 250
"""How soon to look again where a scope has not given its first answer."""

STEP_MS: Final = 1_000
"""By less than that a clock is corrected; by more it is set."""


class Paces:
    """What is known of the scopes. All of it is found out anew after a restart."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._known: collections.defaultdict[str, _Pace] = collections.defaultdict(_Pace)
        self._latest = 0

    def free_at(self, scopes: Sequence[str]) -> int:
        """When the last of these scopes, widest first, takes another message; 0 where all do."""
        now = self._now()
        latest = max((self._known[scope].free_at(now) for scope in scopes), default=0)
        # The first answer of a bot or a webhook may set a limit. A provider is not waited for.
        if any(self._known[scope].is_new_to_us for scope in scopes[1:]):
            latest = max(latest, now + FIRST_ANSWER_MS)
        return latest if latest > now else 0

    def begin(self, scopes: Iterable[str]) -> None:
        """A message goes out; `end` is called once it is back."""
        now = self._now()
        for scope in scopes:
            self._known[scope].begin(now)

    def end(self, scopes: Iterable[str]) -> None:
        """A message is back, or there was none."""
        for scope in scopes:
            self._known[scope].end()

    def heed(self, paces: Iterable[Pace]) -> None:
        """Do as an answer says about the next messages."""
        now = self._now()
        for pace in paces:
            if pace.wait_s > 0:
                self._known[pace.scope].heed(pace, now)

    def count(self, scopes: Iterable[str]) -> None:
        """Each of these scopes has taken a message."""
        now = self._now()
        for scope in scopes:
            self._known[scope].found.count(now)

    def find_out(self, scope: str) -> None:
        """The scope was refused a message, and nothing had told of a limit: what is it?"""
        self._known[scope].found.find_out(self._now())

    def _now(self) -> int:
        """The moment; where the clock has stepped back, all moments that were known are wrong."""
        now = self._now_ms()
        if now < self._latest - STEP_MS:
            for pace in self._known.values():
                pace.forget()
        self._latest = now
        return now


class _Pace:
    """What is known of one scope."""

    def __init__(self) -> None:
        self._on_the_way = 0
        self._has_answered = False
        self.forget()

    def forget(self) -> None:
        """Know of no limit any more."""
        self._window = _Window()
        self._fare = _Fare()
        self._budget = _Budget()
        self.found = _FoundOut()

    @property
    def is_new_to_us(self) -> bool:
        """Whether its first answer is still to come."""
        return self._on_the_way > 0 and not self._has_answered

    def free_at(self, now: int) -> int:
        """When every limit of it allows another message; a moment in the past where they do."""
        limits = (self._window, self._fare, self._budget, self.found)
        return max(limit.free_at(now) for limit in limits)

    def begin(self, now: int) -> None:
        """A message goes out."""
        self._on_the_way += 1
        self._window.take(now)
        self._fare.charge(now)

    def end(self) -> None:
        """It is back."""
        self._on_the_way -= 1
        self._has_answered = True

    def heed(self, pace: Pace, now: int) -> None:
        """Learn from an answer."""
        if pace.spare_s:
            self._budget.charge(pace, now)
        elif pace.adds_up:
            self._fare.learn(pace, now)
        else:
            self._window.learn(pace, now)


class _Window:
    """So many requests until a moment, as answers tell."""

    def __init__(self) -> None:
        self._limit = 0
        self._remaining = 0
        self._window_ms = 0
        self._resets_at = 0

    def free_at(self, now: int) -> int:
        del now
        return 0 if self._remaining > 0 else self._resets_at

    def take(self, now: int) -> None:
        """Count a request that goes out; its answer may be a while."""
        if now >= self._resets_at and self._limit:
            self._remaining, self._resets_at = self._limit, now + self._window_ms
        self._remaining -= 1

    def learn(self, pace: Pace, now: int) -> None:
        """What is on its way now is not in an answer's count, but in ours."""
        is_same = now < self._resets_at
        until = now + _in_ms(pace.wait_s)
        self._remaining = min(self._remaining, pace.remaining) if is_same else pace.remaining
        self._resets_at = max(self._resets_at, until) if is_same else until
        self._limit, self._window_ms = pace.limit, _in_ms(pace.wait_s)


class _Fare:
    """What each message costs: the next one goes when the last is paid for."""

    def __init__(self) -> None:
        self._cost_ms = 0
        self._paid_at = 0

    def free_at(self, now: int) -> int:
        del now
        return self._paid_at

    def charge(self, now: int) -> None:
        """A message goes out."""
        self._paid_at = max(self._paid_at, now) + self._cost_ms

    def learn(self, pace: Pace, now: int) -> None:
        """The first answer tells what that message has cost; the others confirm it."""
        is_new = not self._cost_ms
        self._cost_ms = _in_ms(pace.wait_s)
        if is_new:
            self.charge(now)


class _Budget:
    """What may happen at times: it costs, and who has nothing left to spare waits."""

    def __init__(self) -> None:
        self._owed_until = 0
        self._spare_ms = 0

    def free_at(self, now: int) -> int:
        del now
        return self._owed_until - self._spare_ms

    def charge(self, pace: Pace, now: int) -> None:
        """It has happened once more."""
        self._spare_ms = _in_ms(pace.spare_s)
        self._owed_until = max(self._owed_until, now) + _in_ms(pace.wait_s)


class _FoundOut:
    """A limit that nobody tells of: so many in a minute as were taken when one was refused."""

    def __init__(self) -> None:
        self._taken: collections.deque[int] = collections.deque(maxlen=MOST_COUNTED)
        self._most = 0
        self._until = 0

    def free_at(self, now: int) -> int:
        if now >= self._until:
            return 0
        # The next one may go when the oldest of the last `most` is a minute old.
        taken = [moment for moment in self._taken if now - LOOKED_BACK_MS < moment <= now]
        return taken[-self._most] + LOOKED_BACK_MS if len(taken) >= self._most else 0

    def count(self, now: int) -> None:
        """One was taken."""
        self._taken.append(now)

    def find_out(self, now: int) -> None:
        """One was refused."""
        taken = sum(now - LOOKED_BACK_MS < moment <= now for moment in self._taken)
        most = max(FEWEST, math.floor(taken * SHARE))
        self._most = min(most, self._most) if now < self._until else most
        self._until = now + REMEMBERED_MS


def _in_ms(wait_s: float) -> int:
    # In this order a number that is none becomes no wait.
    return math.ceil(min(max(0.0, wait_s), retry.LONGEST_S) * 1000)

"""Keep what is to be sent in a bounded queue, and have a thread bring it to the server."""

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from slowping.client import batch as batches
from slowping.client.batch import Batch, Entry, Pace

if TYPE_CHECKING:
    from slowping.client.courier import Courier

THREAD_NAME: Final = "slowping-sender"

_GOODBYE_S: Final = 0.5


class Background:
    """A queue and the daemon thread that empties it, started when there is something to do.

    No lock is held while anything else is called: whatever `deliver` does may come back here.
    """

    def __init__(
        self,
        pace: Pace,
        open_courier: Callable[[], "Courier"],
        deliver: Callable[[Batch, "Courier"], None],
    ) -> None:
        """`open_courier` and `deliver` are called by the thread."""
        self._pace = pace
        self._open_courier = open_courier
        self._deliver = deliver
        self.closed = False
        self._courier: Courier | None = None
        self._thread: threading.Thread | None = None
        self._waiting: deque[Entry] = deque()
        self._leaving: tuple[Entry, ...] = ()
        """The batch that is on its way."""
        self._given = self._settled = 0
        """How many were ever given, and how many of them have arrived or are lost."""
        self._begin()
        _everyone.add(self)

    def give(self, entry: Entry) -> bool:
        """Whether there was room for it.

        Raises:
            RuntimeError: it was closed, or the program ends and no thread can be started.
        """
        self._look_for_fork()
        with self._changed:
            if self.closed:
                raise RuntimeError("the sender is closed")
            self._start()
            if len(self._waiting) >= self._pace.queue:
                return False
            self._waiting.append(entry)
            self._given += 1
            # The thread knows by itself when those that wait have waited long enough.
            if len(self._waiting) in {1, self._pace.batch}:
                self._changed.notify_all()
            return True

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was given so far has arrived or is given up; whether it has."""
        self._look_for_fork()
        if threading.current_thread() is self._thread:
            return False  # a hook that waits for its own thread
        with self._changed:
            given = self._given
            self._flushing += 1
            self._hurry = self._settled < given
            self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: self._settled >= given, timeout_s)
                return self._settled >= given
            finally:
                self._flushing -= 1

    def close(self, timeout_s: float) -> tuple[Entry, ...]:
        """Take nothing any more; those that have not arrived in time."""
        self.flush(timeout_s)
        with self._changed:
            self.closed = True
            left = (*self._leaving, *self._waiting)
            self._leaving = ()
            self._waiting.clear()
            self._settled = self._given
            self._changed.notify_all()
        if not left:
            self._see_off()
        return left

    @property
    def trouble(self) -> Exception | None:
        """What keeps events from arriving just now, if anything does."""
        return None if self._courier is None else self._courier.trouble

    def pause(self, wait_s: float, at_least_s: float) -> bool:
        """Wait before another try; whether there is to be one.

        Who flushes does not want to wait, but what a server has asked for is waited.
        """
        began = time.monotonic()
        with self._changed:
            while not self.closed:
                until = began + (at_least_s if self._hurry else wait_s)
                if (rest_s := until - time.monotonic()) <= 0:
                    self._hurry = False
                    return True
                self._changed.wait(rest_s)
            return False

    def count_lost(self, events: int) -> None:
        """Count events that did not arrive."""
        with self._changed:
            self.lost += events

    def start_over(self) -> None:
        """Begin anew as the child of a fork: what the parent has, the parent sends."""
        courier, self._courier = self._courier, None
        self._thread = None
        self._waiting = deque()
        self._leaving = ()
        self._begin()
        if courier is not None:
            courier.close()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self.lost = self._given = self._settled = 0
        self._flushing = 0
        self._hurry = False
        """Whether somebody has begun to flush since the last try."""

    def _look_for_fork(self) -> None:
        if self._process != os.getpid():  # a fork that has called no hook
            self.start_over()

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
            thread.start()
            self._thread = thread

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            # Not before: what it loads would slow down the start of the program.
            if self._courier is None:
                self._courier = self._open_courier()
            try:
                self._deliver(batch, self._courier)
            finally:
                self._settle()
        if self._courier is not None:
            self._courier.close()

    def _see_off(self) -> None:
        """Let the thread, which has nothing to do, close its connection."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_GOODBYE_S)

    def _settle(self) -> None:
        """The batch that was on its way has arrived or is lost; close() has seen to it before."""
        with self._changed:
            self._settled += len(self._leaving)
            self._leaving = ()
            self._hurry = False
            self._changed.notify_all()

    def _next(self) -> Batch | None:
        """The next batch, once it is time; None after the end."""
        with self._changed:
            while not self.closed:
                rest_s = self._rest_s()
                if rest_s is not None and rest_s <= 0:
                    count = batches.together(self._waiting, self._pace.batch)
                    self._leaving = tuple(self._waiting.popleft() for _ in range(count))
                    return batches.bind(self._leaving, batches.fresh_key())
                self._changed.wait(rest_s)
            return None

    def _rest_s(self) -> float | None:
        """How long the next batch waits; None where there is none."""
        if not self._waiting:
            return None
        if self._flushing or len(self._waiting) >= self._pace.batch:
            return 0.0
        return self._waiting[0].given_at + self._pace.batch_wait_s - time.monotonic()


_everyone: Final = weakref.WeakSet[Background]()


def _after_fork() -> None:
    for background in list(_everyone):
        background.start_over()


if hasattr(os, "register_at_fork"):  # not on Windows, which knows no fork
    os.register_at_fork(after_in_child=_after_fork)

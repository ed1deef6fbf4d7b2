"""Do what may block for ever on threads that no exit waits for."""

import concurrent.futures
import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _Job(Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.done: concurrent.futures.Future[T] = concurrent.futures.Future()

    def run(self) -> None:
        if not self.done.set_running_or_notify_cancel():
            return
        try:
            self.done.set_result(self.work())
        except BaseException as error:  # noqa: BLE001 - whoever asked for it gets it
            self.done.set_exception(error)


class Unattended:
    """So many threads at most, started when there is something to do.

    An executor's are waited for when the program ends. One that a stopped terminal or a silent
    name server blocks would hold that up for as long as it is blocked.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        # Each job is of its own type; None ends a thread.
        self._waiting: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def begin(self, work: Callable[[], T]) -> concurrent.futures.Future[T]:
        """Do it in its turn. What has not been begun can be cancelled."""
        job = _Job(work)
        self._waiting.put(job)
        if len(self._threads) < self._most:
            name = f"{self._name}-{len(self._threads)}"
            thread = threading.Thread(target=self._serve, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return job.done

    def end(self) -> None:
        """Let the threads go once they have done what is waiting; nobody waits for them."""
        for _ in self._threads:
            self._waiting.put(None)

    def _serve(self) -> None:
        while (job := self._waiting.get()) is not None:
            job.run()

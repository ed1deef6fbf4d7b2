"""Ask servers for lists, figures and single things over HTTP, and time the answers."""

import http.client
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from benchmarks.subjects import Server

ROUNDS: Final = 5
TIMES: Final = 25
"""So often each question is asked in a round, or as often as there is time."""

SECONDS: Final = 1.0

_BEHIND: Final = 200
"""So many lines before its end the feed is taken up again."""

_STRIDE: Final = 37

_TOO_LONG: Final = 503
"""What a server answers who has read for too long."""

Question = Callable[["Asker", int], object]
"""Asks something of a server; the number is another each time."""


class Asker:
    """One connection to a server that stays open, as its administrator."""

    def __init__(self, server: Server, event_ids: Sequence[str]) -> None:
        """`event_ids` are some of the events that it has, from all of its time."""
        self._event_ids = event_ids
        self._server = server
        self._headers = {"Authorization": f"Bearer {server.key}", "X-API-Key": server.key}
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def event_id(self, number: int) -> str:
        """One of the events; numbers beside each other are of other times."""
        return self._event_ids[number * _STRIDE % len(self._event_ids)]

    def get(self, path: str) -> bytes:
        """The answer, which may be that reading took too long.

        Raises:
            ValueError: it is another refusal.
        """
        self._connection.request("GET", path, headers=self._headers)
        with self._connection.getresponse() as answer:
            body = answer.read()
            if answer.status not in (200, _TOO_LONG):
                raise ValueError(f"{path}: {answer.status} {body.decode()}")
            return body

    def may_get(self, path: str) -> bool:
        """Whether this is answered at all."""
        self._connection.request("GET", path, headers=self._headers)
        with self._connection.getresponse() as answer:
            answer.read()
            return answer.status == 200

    def resume(self) -> None:
        """Take the feed up where it was some lines ago, until all of them are told."""
        head = self._follow(None, None)
        epoch, _, seq = head.rpartition("-")
        self._follow(f"{epoch}-{max(0, int(seq) - _BEHIND)}", head)

    def close(self) -> None:
        """Ask no more."""
        self._connection.close()

    def _follow(self, place: str | None, until: str | None) -> str:
        """Follow the feed until it tells this id, or any; the id."""
        headers = self._headers | ({} if place is None else {"Last-Event-ID": place})
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=60)
        try:
            connection.request("GET", "/slowping/v1/feed", headers=headers)
            answer = connection.getresponse()
            while line := answer.readline():
                name, _, told = line.decode().strip().partition(": ")
                if name == "id" and until in (None, told):
                    return told
        finally:
            connection.close()
        raise ValueError("the feed has ended")


class Side(msgspec.Struct, frozen=True):
    """A server that is asked, and its name in the table."""

    name: str
    asker: Asker


def measure(
    questions: Mapping[str, Question], sides: Sequence[Side]
) -> Mapping[str, Mapping[str, float]]:
    """How many milliseconds an answer takes, by question and side: the median of all rounds."""
    found: dict[str, dict[str, list[float]]] = {
        what: {side.name: [] for side in sides} for what in questions
    }
    for number in range(ROUNDS + 1):
        for what, question in questions.items():
            for side in sides:
                taken = _ask(question, side.asker, number * TIMES)
                if number:  # the first round fills the caches
                    found[what][side.name].append(taken)
    _print(found, [side.name for side in sides])
    return {
        what: {name: statistics.median(taken) for name, taken in by_side.items()}
        for what, by_side in found.items()
    }


def _ask(question: Question, asker: Asker, start: int) -> float:
    """The median of one round, in milliseconds."""
    taken: list[float] = []
    until = time.perf_counter() + SECONDS
    while len(taken) < TIMES and (not taken or time.perf_counter() < until):
        began = time.perf_counter()
        question(asker, start + len(taken))
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def _print(found: Mapping[str, Mapping[str, Sequence[float]]], names: Sequence[str]) -> None:
    heads = "".join(f"{f'{name} events':>20} {'spread':>16}" for name in names)
    print(f"{'milliseconds':<34}{heads} {'ratio':>7}")
    for what, by_side in found.items():
        medians = [statistics.median(by_side[name]) for name in names]
        told = "".join(
            f"{median:20.2f} {f'{min(by_side[name]):.2f}-{max(by_side[name]):.2f}':>16}"
            for name, median in zip(names, medians, strict=True)
        )
        print(f"{what:<34}{told} {medians[-1] / medians[0]:7.2f}")
    print()

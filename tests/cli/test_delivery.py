"""Deliveries on the command line: what comes of a retry, in words and as an exit code."""

import contextlib
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from slowping.cli import delivery
from slowping.client.client import Client
from slowping.core import ids
from slowping.core.delivery import Attempt, AttemptOutcome, Delivery, DeliveryDetail, DeliveryState
from slowping.core.page import Page
from tests.tui.driver import attempt, moment
from tests.tui.driver import delivery as made


@pytest.mark.parametrize(
    ("outcome", "ms", "words"),
    [
        ("delivered", 2, "delivered after 2 ms"),
        ("retry", 2, "failed after 2 ms"),
        ("unknown", 3_000, "no answer after 3.0 s, it may have arrived"),
        ("rejected", 999, "rejected after 999 ms"),
        ("unusable", 1_000, "unusable after 1.0 s"),
        ("lost", 0, "lost when the server stopped, it may have arrived"),
        ("throttled", 15, "told to wait after 15 ms"),
    ],
)
def test_how_an_attempt_ended_is_said_in_words(outcome: str, ms: int, words: str) -> None:
    assert delivery.came(outcome, ms) == words


ID = ids.encode(ids.DELIVERY, 1)


@contextlib.asynccontextmanager
async def retried(found: Delivery, came: Attempt | None) -> AsyncIterator[Client]:
    """A client of a server that has this delivery, of which that comes once it is retried."""
    before = attempt(1, AttemptOutcome.RETRY, 503, "HTTP 503", None)
    attempts = [before]

    def answer(request: httpx.Request) -> httpx.Response:
        told: msgspec.Struct = Page(items=())
        if request.url.path.endswith(f"/deliveries/{ID}"):
            told = DeliveryDetail(delivery=found, attempts=tuple(attempts))
        elif request.method == "POST":
            attempts.extend([came] if came else [])
            told = found
        return httpx.Response(200, content=msgspec.json.encode(told))

    transport = httpx.MockTransport(answer)
    async with Client("http://server.test", "slp_test", transport=transport) as client:
        yield client


@pytest.mark.parametrize(
    ("state", "outcome", "words"),
    [
        ("pending", "retry", "failed after 120 ms, to be tried again: HTTP 503\n"),
        ("failed", "retry", "failed after 120 ms: HTTP 503\n"),
        ("failed", "rejected", "rejected after 120 ms: HTTP 503\n"),
    ],
)
async def test_a_retry_that_fails_says_what_follows_and_ends_with_1(
    capsys: pytest.CaptureFixture[str], state: str, outcome: str, words: str
) -> None:
    ended = None if state == "pending" else moment(0)
    came = attempt(2, AttemptOutcome(outcome), 503, "HTTP 503", None)
    async with retried(made(1, 1, DeliveryState(state), ended_at=ended), came) as client:
        with pytest.raises(SystemExit) as left:
            await delivery.retry_one(client, ID)
    assert left.value.code == 1
    assert capsys.readouterr().err == f"slowping: {ID}: {words}"


async def test_a_retry_that_takes_long_is_not_waited_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with retried(made(1, 1, DeliveryState.LEASED), None) as client:
        await delivery.retry_one(client, ID, sleep)
    assert sum(slept) == pytest.approx(5)
    assert capsys.readouterr().err == f"slowping: {ID} is tried again now.\n"

import asyncio
import contextlib
import gzip
import logging
import socket
from collections.abc import AsyncIterator

import msgspec
import pytest

from slowping.core import times
from slowping.core.delivery import Delivered, Retry, Throttled, Unusable
from slowping.notifiers import http
from slowping.notifiers.port import ForbiddenAddress, HttpAnswer, HttpFailure
from tests.notifiers.far_side import (
    Behaviour,
    FarSide,
    cut,
    drip,
    flood,
    hang_up,
    reply,
    reset,
    silence,
)
from tests.vectors import vectors

NOW = 1_795_188_600_000  # 2026-11-20T15:30:00Z, as in the vectors


@contextlib.asynccontextmanager
async def client_and(*script: Behaviour) -> AsyncIterator[tuple[http.HttpClient, FarSide]]:
    client = http.open_http()
    async with FarSide(*script).running() as far_side:
        try:
            yield client, far_side
        finally:
            await client.close()


def answer(status: int, body: bytes = b"", *, retry_after: str | None = None) -> HttpAnswer:
    return HttpAnswer(status, {"retry-after": retry_after} if retry_after else {}, body)


# Sending ------------------------------------------------------------------------------------


async def test_posts_the_body_and_reads_the_answer() -> None:
    async with client_and(reply(201, b"made", {"X-Id": "7"})) as (client, far_side):
        got = await client.post(f"{far_side.url}/a?b=c", b"{}", {"Content-Type": "text/x"})
    [request] = far_side.requests
    assert (request.method, request.path, request.body) == ("POST", "/a?b=c", b"{}")
    assert request.headers["content-type"] == "text/x"
    assert (got.status, got.body, got.headers["x-id"]) == (201, b"made", "7")


async def test_asks_for_answers_that_are_not_packed_and_never_unpacks_one() -> None:
    packed = gzip.compress(b"x" * 1_000_000)
    script = reply(200, packed, {"Content-Encoding": "gzip"})
    async with client_and(script) as (client, far_side):
        got = await client.post(far_side.url, b"", {})
    assert far_side.requests[0].headers["accept-encoding"] == "identity"
    assert got.body == packed


async def test_follows_no_redirect() -> None:
    script = reply(307, b"", {"Location": "/elsewhere"})
    async with client_and(script) as (client, far_side):
        got = await client.post(far_side.url, b"", {})
    assert (got.status, len(far_side.requests)) == (307, 1)


async def test_gives_no_cookie_back() -> None:
    script = reply(200, b"", {"Set-Cookie": "a=b; Path=/"})
    async with client_and(script) as (client, far_side):
        await client.post(far_side.url, b"", {})
        await client.post(far_side.url, b"", {})
    assert "cookie" not in far_side.requests[1].headers


async def test_keeps_its_connection_for_the_next_request() -> None:
    async with client_and(reply()) as (client, far_side):
        await client.post(far_side.url, b"", {})
        await client.post(far_side.url, b"", {})
    assert far_side.connections == 1


async def test_does_not_use_a_connection_that_the_far_side_has_ended_meanwhile() -> None:
    has_left = asyncio.Event()

    async def answer_and_leave(writer: asyncio.StreamWriter) -> bool:
        await reply()(writer)
        writer.close()
        await writer.wait_closed()
        has_left.set()
        return False

    async with client_and(answer_and_leave, reply()) as (client, far_side):
        await client.post(far_side.url, b"", {})
        await has_left.wait()
        assert (await client.post(far_side.url, b"", {})).status == 200
    assert far_side.connections == 2


async def test_reads_no_more_than_sixteen_kibibytes() -> None:
    async with client_and(flood()) as (client, far_side):
        got = await client.post(far_side.url, b"", {})
    assert len(got.body) == 16 * 1024


@pytest.mark.parametrize("behaviour", [silence(), drip()], ids=["silence", "drip"])
async def test_waits_no_longer_than_the_deadline(behaviour: Behaviour) -> None:
    async with client_and(behaviour) as (client, far_side):
        with pytest.raises(HttpFailure, match="no answer") as caught:
            await client.post(far_side.url, b"", {}, timeout_s=0.1)
    assert caught.value.unknown


@pytest.mark.parametrize(
    "behaviour", [reset(), hang_up(), cut()], ids=["reset", "hang up", "cut short"]
)
async def test_a_cut_connection_leaves_open_whether_it_arrived(behaviour: Behaviour) -> None:
    async with client_and(behaviour) as (client, far_side):
        with pytest.raises(HttpFailure, match="cut before the whole answer") as caught:
            await client.post(far_side.url, b"", {})
    assert caught.value.unknown


async def test_so_does_a_kept_connection_that_the_far_side_lets_go() -> None:
    async with client_and(reply(), hang_up()) as (client, far_side):
        await client.post(far_side.url, b"", {})
        with pytest.raises(HttpFailure) as caught:
            await client.post(far_side.url, b"", {})
    assert caught.value.unknown
    assert far_side.connections == 1


async def test_where_nobody_listens_nothing_arrived() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/secret-token"
        with pytest.raises(HttpFailure, match="refused the connection") as caught:
            await http.open_http().post(url, b"", {})
    assert not caught.value.unknown
    assert "secret-token" not in caught.value.reason


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://no-such-host.invalid/secret-token", "cannot be resolved"),
        ("secret-token", "does not start with https"),
        ("http://\u2024\u2024secret-token/", "not one that can be sent to"),
    ],
)
async def test_an_impossible_address_is_told_without_the_address(url: str, reason: str) -> None:
    client = http.open_http()
    with pytest.raises(HttpFailure, match=reason) as caught:
        await client.post(url, b"", {})
    await client.close()
    assert not caught.value.unknown
    assert "secret-token" not in caught.value.reason


async def test_no_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with client_and(reply()) as (client, far_side):
        with caplog.at_level(logging.DEBUG):
            await client.post(f"{far_side.url}/secret-token", b"", {})
    assert "secret-token" not in caplog.text


async def test_a_proxy_of_the_environment_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with client_and(reply(204)) as (client, far_side):
        assert (await client.post(far_side.url, b"", {})).status == 204


# What an answer means -----------------------------------------------------------------------


def test_two_hundreds_are_delivered() -> None:
    outcome = http.outcome_of(answer(204), scope="s", now_ms=NOW)
    assert isinstance(outcome, Delivered)
    assert (outcome.answer.status, outcome.answer.excerpt) == (204, None)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [("7", 7), ("0", 0), (None, None), ("soon", None), ("Fri, 20 Nov 2026 15:40:00 GMT", 600)],
)
def test_too_many_requests_hold_the_scope(header: str | None, wait_s: float | None) -> None:
    outcome = http.outcome_of(answer(429, retry_after=header), scope="s", now_ms=NOW)
    assert isinstance(outcome, Throttled)
    assert (outcome.scope, outcome.after) == ("s", wait_s)


@pytest.mark.parametrize("status", [302, 401, 404, 500, 503])
def test_everything_else_may_work_later(status: int) -> None:
    outcome = http.outcome_of(answer(status, b"no", retry_after="30"), scope="s", now_ms=NOW)
    assert isinstance(outcome, Retry)
    assert (outcome.after, outcome.unknown, outcome.answer.excerpt) == (30, False, "no")
    assert f"HTTP {status}" in outcome.reason


def test_a_missing_answer_may_come_later() -> None:
    outcome = http.failure(HttpFailure("cut", unknown=True))
    assert outcome == Retry(reason="cut", unknown=True)


def test_a_forbidden_address_needs_someone_to_act() -> None:
    assert http.failure(ForbiddenAddress("not there")) == Unusable(reason="not there")


def test_the_vectors_are_of_this_moment() -> None:
    assert times.iso_s(NOW) == vectors("retry_after", "now")


@pytest.mark.parametrize("case", vectors("retry_after", "cases"), ids=lambda case: case["value"])
def test_retry_after_is_read_in_all_its_forms(case: dict[str, str | int | None]) -> None:
    seconds = 86_400 if case["seconds"] == "cap" else case["seconds"]
    assert http.retry_after(str(case["value"]), NOW) == seconds


@pytest.mark.parametrize(
    "value",
    [None, "5 s", ".5", "5.", "inf", "nan", "0x10", "1_0", "Fri, 20 Nov 2026 15:40:00 CET"],
)
def test_anything_else_says_nothing(value: str | None) -> None:
    assert http.retry_after(value, NOW) is None


def test_a_number_without_end_is_a_day() -> None:
    assert http.retry_after("9" * 400, NOW) == 86_400


class Form(msgspec.Struct, frozen=True):
    """What a body is read as."""

    said: str = "nothing"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"said":"yes","more":1}', "yes"),
        (b"", "nothing"),
        (b"<html>", "nothing"),
        (b'["yes"]', "nothing"),
        (b'{"said":7}', "nothing"),
        (b'{"said":"\xff"}', "nothing"),
        (b'{"said":"' + b"x" * 20_000, "nothing"),
        (b'{"more":' + b"[" * 8_000, "nothing"),
    ],
)
def test_a_body_that_cannot_be_read_says_nothing(body: bytes, said: str) -> None:
    assert http.told(body, Form).said == said


# Excerpts -----------------------------------------------------------------------------------


def test_an_excerpt_is_short_and_harmless() -> None:
    assert http.excerpt(b"a\x1b[2J\xff") == "a\u241b[2J\ufffd"
    assert http.excerpt(b"x" * 600) == "x" * 499 + "…"
    assert http.excerpt(b" \n") is None


def test_secrets_are_taken_out_of_it_in_either_spelling() -> None:
    said = b"POST /bot12:ab/x and /bot12%3Aab/x"
    assert http.excerpt(said, ("12:ab", "")) == "POST /bot[secret]/x and /bot[secret]/x"

import asyncio
import datetime as dt
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from slowping.client.batch import Pace
from slowping.client.sender import EventDict, Sender
from slowping.core import errors
from tests.conftest import RunningHouse
from tests.notifiers.far_side import Behaviour, FarSide, after, hang_up, reply, silence

KEY = "slp_a_key_that_nobody_may_see"
TAKEN = reply(201, {"events": []})
QUICK = Pace(batch_wait_s=0.01, first_retry_s=0.01, longest_retry_s=0.02, exit_s=0.01)

Open = Callable[..., Sender]


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Make senders that end with the test."""
    senders: list[Sender] = []

    def open_(server: str, key: str = KEY, **options: Any) -> Sender:
        senders.append(Sender(server, key, **{"pace": QUICK, **options}))
        return senders[-1]

    yield open_
    for sender in senders:
        await asyncio.to_thread(sender.close)


class Losses:
    """Remembers what a sender tells of what is lost."""

    def __init__(self) -> None:
        self.told: list[tuple[Exception, Sequence[EventDict]]] = []

    def __call__(self, error: Exception, events: Sequence[EventDict]) -> None:
        """Remember one."""
        self.told.append((error, events))


async def flushed(sender: Sender) -> None:
    assert await asyncio.to_thread(sender.flush)


def problem(status: int, condition: str, **headers: str) -> Behaviour:
    body = {
        "type": f"/slowping/v1/docs#{condition}", "title": "", "status": status, "detail": "No.",
    }  # fmt: skip
    return reply(status, body, {"content-type": "application/problem+json", **headers})


# On the way -----------------------------------------------------------------------------------


async def test_an_event_arrives_as_it_was_told(house: RunningHouse, opened: Open) -> None:
    sender = opened(house.base_url, house.ingest_key, source="shop")
    sender.send("sale", "New!", fields={"amount": 49.99}, color=0x2ECC71, notify=False)
    await flushed(sender)
    [event] = await house.events("default")
    assert (event.category, event.description) == ("sale", "New!")
    assert event.fields == {"amount": 49.99}
    assert (event.source, event.color, event.notify) == ("shop", 0x2ECC71, False)
    assert sender.lost == 0


async def test_an_event_happened_when_it_was_told(house: RunningHouse, opened: Open) -> None:
    sender = opened(house.base_url, house.ingest_key)
    before = dt.datetime.now(dt.UTC) - dt.timedelta(milliseconds=1)
    sender.send("sale")
    sender.send("sale", occurred_at=dt.datetime(2026, 3, 6, 10, 30))  # noqa: DTZ001 - naive is UTC
    await flushed(sender)
    now, then = await house.events("default")
    assert now.occurred_at is not None
    assert before <= now.occurred_at <= now.received_at
    assert then.occurred_at == dt.datetime(2026, 3, 6, 10, 30, tzinfo=dt.UTC)


async def test_events_keep_their_order_and_go_together(opened: Open) -> None:
    async with FarSide(TAKEN).running() as server:
        sender = opened(server.url, pace=Pace(batch_wait_s=60))
        for number in range(250):
            sender.send("count", fields={"number": number})
        await flushed(sender)
    sent = [[event["fields"]["number"] for event in request.json] for request in server.requests]
    assert [len(batch) for batch in sent] == [100, 100, 50]
    assert list(itertools.chain(*sent)) == list(range(250))
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 3
    assert server.connections == 1


async def test_a_lone_event_waits_for_company_no_longer_than_it_is_told(opened: Open) -> None:
    arrived = asyncio.Event()

    async def take(writer: asyncio.StreamWriter) -> bool:
        arrived.set()
        return await TAKEN(writer)

    async with FarSide(take).running() as server, asyncio.timeout(20):
        opened(server.url).send("sale")  # and nobody flushes
        await arrived.wait()


async def test_a_request_has_events_of_one_project_only(house: RunningHouse, opened: Open) -> None:
    for name in ("shop", "club"):
        await house.project(name)
    sender = opened(house.base_url, house.admin_key, project="shop", pace=Pace(batch_wait_s=60))
    for number in range(6):
        sender.send("sale", str(number), project="club" if number % 3 == 1 else None)
    await flushed(sender)
    assert [one.description for one in await house.events("shop")] == ["0", "2", "3", "5"]
    assert [one.description for one in await house.events("club")] == ["1", "4"]
    assert sender.lost == 0


async def test_an_idempotency_key_makes_two_calls_one_event(
    house: RunningHouse, opened: Open
) -> None:
    sender = opened(house.base_url, house.ingest_key)
    for _ in range(2):
        sender.send("sale", idempotency_key=' order "17" ')
        sender.send("sale", "another")
    await flushed(sender)
    assert len(await house.events("default")) == 3
    assert sender.lost == 0


async def test_many_threads_may_send(house: RunningHouse, opened: Open) -> None:
    sender = opened(house.base_url, house.ingest_key)

    def tell(thread: int) -> None:
        for number in range(100):
            sender.send("count", f"{thread} {number}")

    await asyncio.gather(*(asyncio.to_thread(tell, thread) for thread in range(8)))
    await flushed(sender)
    told = [event.description for event in await house.events("default")]
    assert sorted(map(str, told)) == sorted(f"{a} {b}" for a in range(8) for b in range(100))


# When it does not work at once ----------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [
        problem(408, "slow-body"),
        problem(429, "rate-limited"),
        problem(500, "about:blank"),
        reply(502, b"<html>"),
        problem(503, "unavailable", **{"retry-after": "0"}),
        hang_up(),
    ],
    ids=["408", "429", "500", "502", "503", "hang up"],
)
async def test_what_may_work_later_is_tried_again_as_the_same_request(
    opened: Open, trouble: Behaviour
) -> None:
    async with FarSide(trouble, trouble, TAKEN).running() as server:
        sender = opened(server.url)
        sender.send("sale", "New sale!")
        await flushed(sender)
    assert sender.lost == 0
    assert len(server.requests) == 3
    assert len({(one.headers["idempotency-key"], one.body) for one in server.requests}) == 1


async def test_a_server_that_comes_back_gets_what_it_has_missed(opened: Open) -> None:
    server = FarSide(TAKEN)
    async with server.running():
        pass
    sender = opened(server.url)
    sender.send("sale")
    assert not await asyncio.to_thread(sender.flush, 0.1)
    async with server.running(port=server.port):
        await flushed(sender)
    assert [event["category"] for event in server.requests[0].json] == ["sale"]
    assert sender.lost == 0


async def test_a_connection_that_was_idle_too_long_is_no_failure(opened: Open) -> None:
    async with FarSide(TAKEN, hang_up(), TAKEN).running() as server:
        # A retry would come too late.
        sender = opened(server.url, pace=Pace(batch_wait_s=0, first_retry_s=60))
        for _ in range(2):
            sender.send("sale")
            await flushed(sender)
    assert server.connections == 2
    assert len(server.requests) == 3


async def test_who_flushes_does_not_wait_for_the_next_try(opened: Open) -> None:
    busy = asyncio.Event()
    answer = problem(503, "unavailable")

    async def refuse(writer: asyncio.StreamWriter) -> bool:
        busy.set()
        return await answer(writer)

    async with FarSide(refuse, TAKEN).running() as server:
        sender = opened(server.url, pace=Pace(batch_wait_s=0, first_retry_s=600))
        sender.send("sale")
        await busy.wait()
        await flushed(sender)
    assert len(server.requests) == 2


async def test_who_flushes_waits_as_long_as_the_server_asks(opened: Open) -> None:
    busy = problem(429, "rate-limited", **{"retry-after": "60"})
    async with FarSide(busy, TAKEN).running() as server:
        sender = opened(server.url, on_error=Losses())
        sender.send("sale")
        for _ in range(3):
            assert not await asyncio.to_thread(sender.flush, 0.05)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "name", "condition"),
    [
        (401, "unknown-api-key", errors.UnknownApiKey),
        (403, "forbidden", errors.Forbidden),
        (404, "not-found", errors.NotFound),
        (409, "name-taken", errors.NameTaken),
        (422, "idempotency-key-reused", errors.IdempotencyKeyReused),
    ],
)
async def test_what_is_refused_is_told_and_never_tried_again(
    opened: Open, status: int, name: str, condition: type[Exception]
) -> None:
    losses = Losses()
    async with FarSide(problem(status, name)).running() as server:
        sender = opened(server.url, on_error=losses, pace=Pace(batch_wait_s=60))
        sender.send("sale", "one")
        sender.send("sale", "two")
        await flushed(sender)
    assert len(server.requests) == 1
    [(error, events)] = losses.told
    assert isinstance(error, condition)
    assert [event["description"] for event in events] == ["one", "two"]
    assert sender.lost == 2


async def test_something_else_that_answers_is_not_taken_for_a_server(opened: Open) -> None:
    losses = Losses()
    async with FarSide(reply(200, b"<html>Welcome")).running() as server:
        sender = opened(server.url, on_error=losses)
        sender.send("sale")
        await flushed(sender)
    [(error, _)] = losses.told
    assert isinstance(error, errors.UnexpectedAnswer)


async def test_one_bad_event_does_not_take_others_with_it(
    house: RunningHouse, opened: Open
) -> None:
    losses = Losses()
    sender = opened(house.base_url, house.ingest_key, pace=Pace(batch_wait_s=60), on_error=losses)
    for number in range(20):
        sender.send("\n" if number in {3, 11} else "sale", str(number))
    await flushed(sender)
    arrived = [event.description for event in await house.events("default")]
    assert arrived == [str(number) for number in range(20) if number not in {3, 11}]
    assert sender.lost == 2
    assert [event["description"] for _, [event] in losses.told] == ["3", "11"]
    assert all(isinstance(error, errors.InvalidInput) for error, _ in losses.told)


async def test_what_goes_on_for_too_long_is_given_up(opened: Open) -> None:
    losses = Losses()
    async with FarSide(problem(503, "unavailable")).running() as server:
        sender = opened(server.url, on_error=losses, pace=QUICK._replace(retry_for_s=0.1))
        sender.send("sale")
        await flushed(sender)
        [(error, _)] = losses.told
        assert isinstance(error, errors.Unavailable)
        server.script = [TAKEN]
        sender.send("sale")
        await flushed(sender)
    assert sender.lost == 1


async def test_a_wrong_address_loses_the_event_and_names_it(opened: Open) -> None:
    losses = Losses()
    sender = opened("nonsense", on_error=losses)
    sender.send("sale")
    await flushed(sender)
    [(error, _)] = losses.told
    assert isinstance(error, errors.ConfigError)
    assert "'nonsense' is no address" in str(error)


# More than there is room for ------------------------------------------------------------------


async def test_a_full_queue_drops_what_comes_and_counts_it(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    dropped: list[EventDict] = []
    release = asyncio.Event()
    async with FarSide(after(release, TAKEN)).running() as server:
        sender = opened(
            server.url, on_drop=dropped.append, pace=QUICK._replace(queue=3, batch_wait_s=60)
        )
        for number in range(5):
            sender.send("count", str(number))
        assert [event["description"] for event in dropped] == ["3", "4"]
        assert sender.lost == 2
        release.set()
        await flushed(sender)
    assert [event["description"] for event in server.requests[0].json] == ["0", "1", "2"]
    assert not caplog.records


async def test_a_full_queue_is_warned_of_once(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    async with FarSide(TAKEN).running() as server:
        sender = opened(server.url, pace=QUICK._replace(queue=1, batch_wait_s=60))
        for _ in range(4):
            sender.send("count")
        assert len(caplog.records) == 1
        await flushed(sender)
        for _ in range(4):
            sender.send("count")
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert "1 wait already" in caplog.messages[0]


# What the program decides ---------------------------------------------------------------------


async def test_a_sender_that_is_switched_off_does_nothing() -> None:
    sender = Sender("http://127.0.0.1:1", KEY, enabled=False, sync=True)
    sender.send("sale")
    assert sender.flush(0)
    assert sender.lost == 0


def without_secrets(event: EventDict) -> EventDict | None:
    if event["category"] == "noise":
        return None
    return event | {"fields": {"password": "***"}}


async def test_a_program_may_change_events_and_keep_them_back(
    house: RunningHouse, opened: Open
) -> None:
    sender = opened(house.base_url, house.ingest_key, before_send=without_secrets)
    sender.send("noise")
    sender.send("login", fields={"password": "hunter2"})
    await flushed(sender)
    [event] = await house.events("default")
    assert (event.category, event.fields) == ("login", {"password": "***"})
    assert sender.lost == 0


async def test_what_a_hook_changes_is_not_the_programs_own(opened: Open) -> None:
    def empty(event: EventDict) -> EventDict:
        assert event.keys() == {"category", "fields", "notify", "occurred_at"}
        event["fields"].clear()
        return event

    fields = {"amount": 1}
    async with FarSide(TAKEN).running() as server:
        sender = opened(server.url, before_send=empty)
        sender.send("sale", fields=fields)
        await flushed(sender)
    assert server.requests[0].json[0]["fields"] == {}
    assert fields == {"amount": 1}


async def test_fields_that_are_none_do_not_raise(opened: Open) -> None:
    losses = Losses()
    sender = opened("http://127.0.0.1:1", before_send=without_secrets, on_error=losses)
    sender.send("sale", fields=7)  # type: ignore[arg-type]  # what a program may do
    assert [type(error) for error, _ in losses.told] == [TypeError]


def broken(*_: object) -> Any:
    raise RuntimeError("the hook is broken")


async def test_a_broken_hook_loses_the_event_and_nothing_else(opened: Open) -> None:
    losses = Losses()
    sender = opened("http://127.0.0.1:1", before_send=broken, on_error=losses)
    sender.send("sale")
    assert sender.lost == 1
    [(error, [event])] = losses.told
    assert str(error) == "the hook is broken"
    assert event["category"] == "sale"


async def test_hooks_that_raise_stop_neither_the_program_nor_the_sender(opened: Open) -> None:
    async with FarSide(problem(403, "forbidden"), TAKEN).running() as server:
        pace = QUICK._replace(queue=1, batch_wait_s=60)
        sender = opened(server.url, on_error=broken, on_drop=broken, pace=pace)
        for _ in range(2):
            sender.send("sale")
        await flushed(sender)
        assert sender.lost == 2
        sender.send("sale")
        await flushed(sender)
    assert sender.lost == 2


async def test_a_hook_that_waits_for_its_own_thread_is_not_kept_waiting(opened: Open) -> None:
    answers: list[bool] = []
    async with FarSide(problem(403, "forbidden")).running() as server:
        sender: Sender = opened(server.url, on_error=lambda *_: answers.append(sender.flush(60)))
        sender.send("sale")
        await flushed(sender)
    assert answers == [False]


async def test_what_cannot_be_written_is_lost_alone(opened: Open) -> None:
    losses = Losses()
    circle: dict[str, Any] = {}
    circle["itself"] = circle
    sender = opened("http://127.0.0.1:1", on_error=losses)
    sender.send("sale", fields=circle)
    sender.send("sale", idempotency_key="line\nbreak")
    assert [type(error) for error, _ in losses.told] == [errors.InvalidInput] * 2


async def test_an_event_is_what_it_was_when_it_was_told(opened: Open) -> None:
    fields = {"amount": 1}
    async with FarSide(TAKEN).running() as server:
        sender = opened(server.url, pace=Pace(batch_wait_s=60))
        sender.send("sale", fields=fields)
        fields["amount"] = 2
        await flushed(sender)
    assert server.requests[0].json[0]["fields"] == {"amount": 1}


# Who waits ------------------------------------------------------------------------------------


async def test_who_waits_knows_that_it_is_stored(house: RunningHouse, opened: Open) -> None:
    sender = opened(house.base_url, house.ingest_key)
    await asyncio.to_thread(sender.send, "sale", sync=True)
    assert len(await house.events("default")) == 1


async def test_who_waits_is_told_what_is_wrong(house: RunningHouse, opened: Open) -> None:
    sender = opened(house.base_url, "unknown", sync=True)
    with pytest.raises(errors.UnknownApiKey):
        await asyncio.to_thread(sender.send, "sale")
    nobody = opened("http://127.0.0.1:1", sync=True, pace=QUICK._replace(timeout_s=0.1))
    with pytest.raises(errors.Unreachable, match=r"127\.0\.0\.1:1: the connection was refused"):
        await asyncio.to_thread(nobody.send, "sale")
    assert nobody.lost == 1
    with pytest.raises(RuntimeError, match="the hook"):
        opened(house.base_url, sync=True, before_send=broken).send("sale")
    opened(house.base_url, sync=True, before_send=lambda _: None).send("sale")


async def test_a_flush_tells_whether_all_has_arrived(opened: Open) -> None:
    async with FarSide(silence()).running() as server:
        sender = opened(server.url, on_error=Losses())
        assert sender.flush(0)
        sender.send("sale")
        assert not await asyncio.to_thread(sender.flush, 0.05)


async def test_what_has_not_arrived_at_the_end_is_lost(opened: Open) -> None:
    losses = Losses()
    async with FarSide(silence()).running() as server:
        sender = opened(server.url, on_error=losses, pace=QUICK._replace(batch=1))
        for number in range(3):
            sender.send("sale", str(number))
        await asyncio.to_thread(sender.close)
    assert sender.lost == 3
    [(_, events)] = losses.told
    assert [event["description"] for event in events] == ["0", "1", "2"]


async def test_the_end_says_what_kept_events_from_arriving(opened: Open) -> None:
    losses = Losses()
    sender = opened("http://127.0.0.1:1", on_error=losses, pace=QUICK._replace(exit_s=0.5))
    sender.send("sale")
    await asyncio.to_thread(sender.close)
    [(error, _)] = losses.told
    assert isinstance(error, errors.Unreachable)


async def test_after_its_end_a_sender_takes_nothing(opened: Open) -> None:
    losses = Losses()
    async with FarSide(TAKEN).running() as server:
        with opened(server.url, on_error=losses) as sender:
            sender.send("sale")
            await flushed(sender)
        sender.send("sale")
        sender.close()
    assert len(server.requests) == 1
    assert sender.lost == 1


async def test_the_end_leaves_no_thread_behind(opened: Open) -> None:
    async with FarSide(TAKEN).running() as server:
        sender = opened(server.url)
        sender.send("sale")
        await flushed(sender)
        await asyncio.to_thread(sender.close)
    thread = sender._background._thread
    assert thread is not None
    assert not thread.is_alive()


# What is said ---------------------------------------------------------------------------------


async def test_a_loss_that_nobody_is_told_of_is_logged(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    async with FarSide(problem(403, "forbidden")).running() as server:
        sender = opened(server.url)
        sender.send("sale")
        sender.send("sale")
        await flushed(sender)
    [record] = caplog.records
    assert (record.name, record.levelno) == ("slowping.client", logging.WARNING)
    assert record.getMessage() == "2 events were not sent to slowping: No."
    assert KEY not in caplog.text

import asyncio
import logging
import logging.config
from collections.abc import AsyncIterator

import pytest

from slowping.client import sender as sending
from slowping.client.background import THREAD_NAME
from slowping.client.batch import Pace
from slowping.client.logging_handler import SlowpingHandler
from slowping.client.sender import Sender
from slowping.core.event import Event
from tests.conftest import RunningHouse


@pytest.fixture
async def sender(house: RunningHouse) -> AsyncIterator[Sender]:
    opened = Sender(house.base_url, house.ingest_key, pace=Pace(batch_wait_s=60))
    yield opened
    await asyncio.to_thread(opened.close)


@pytest.fixture
def log(sender: Sender) -> logging.Logger:
    """A logger of its own, with nothing but our handler."""
    logger = logging.Logger("shop.orders")
    logger.addHandler(SlowpingHandler(sender=sender))
    return logger


async def arrived(house: RunningHouse, log: logging.Logger) -> list[Event]:
    for handler in log.handlers:
        await asyncio.to_thread(handler.flush)
    return list(await house.events("default"))


async def test_a_record_is_an_event(house: RunningHouse, log: logging.Logger) -> None:
    log.error("Order %d failed", 17, extra={"customer": "Ada", "amount": 49.99})
    [event] = await arrived(house, log)
    assert (event.category, event.description) == ("error", "Order 17 failed")
    assert event.fields == {
        "customer": "Ada", "amount": 49.99, "logger": "shop.orders", "level": "ERROR",
    }  # fmt: skip
    assert event.occurred_at is not None
    assert event.occurred_at <= event.received_at


def fail(words: str) -> None:
    raise LookupError(words)


async def test_an_exception_is_a_field(house: RunningHouse, log: logging.Logger) -> None:
    try:
        fail("no such order")
    except LookupError:
        log.exception("Order failed", stack_info=True)
    [event] = await arrived(house, log)
    assert event.description == "Order failed"
    assert event.fields["exception"].startswith("Traceback (most recent call last):")
    assert event.fields["exception"].endswith("LookupError: no such order")
    assert event.fields["stack"].startswith("Stack (most recent call last):")


async def test_what_is_less_than_an_error_is_not_sent(
    house: RunningHouse, log: logging.Logger, sender: Sender
) -> None:
    log.warning("Not so bad")
    log.addHandler(SlowpingHandler(logging.WARNING, "warning", sender=sender))
    log.warning("Bad enough")
    [event] = await arrived(house, log)
    assert (event.category, event.description) == ("warning", "Bad enough")


@pytest.mark.parametrize("name", ["slowping", "slowping.client", "httpx", "httpcore.http11"])
async def test_what_carries_events_is_not_listened_to(
    house: RunningHouse, log: logging.Logger, name: str
) -> None:
    log.name = name
    log.error("It broke")
    log.name = f"{name.partition('.')[0]}y"
    log.error("Something else")
    assert [event.description for event in await arrived(house, log)] == ["Something else"]


async def test_what_hooks_log_while_events_are_sent_leads_to_no_others(
    house: RunningHouse, log: logging.Logger
) -> None:
    record = log.makeRecord(log.name, logging.ERROR, "", 0, "Lost", (), None)
    record.threadName = THREAD_NAME
    log.handle(record)
    assert await arrived(house, log) == []


async def test_more_than_an_event_can_hold_is_cut(
    house: RunningHouse, log: logging.Logger, sender: Sender
) -> None:
    log.error("Much", extra={f"field_{number}": number for number in range(200)})
    try:
        fail("x" * 100_000 + " the end")
    except LookupError:
        log.exception("Long")
    much, long = await arrived(house, log)
    assert len(much.fields) == 92
    assert len(long.fields["exception"]) == 10_000
    assert long.fields["exception"].endswith(" the end")
    assert sender.lost == 0


async def test_a_message_that_cannot_be_made_is_told_as_logging_does(
    house: RunningHouse, log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log.error("%d orders", "many")
    assert await arrived(house, log) == []
    assert "--- Logging error ---" in capsys.readouterr().err


async def test_it_never_waits_even_where_the_sender_does(
    house: RunningHouse, log: logging.Logger
) -> None:
    sync = Sender(house.base_url, house.ingest_key, sync=True)
    log.handlers = [SlowpingHandler(sender=sync)]
    log.error("It broke")  # in the loop that the server runs in: it could never answer
    assert len(await arrived(house, log)) == 1
    await asyncio.to_thread(sync.close)


def test_a_configuration_may_name_it() -> None:
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {
                "inbox": {"class": "slowping.SlowpingHandler", "level": "CRITICAL", "category": "x"}
            },
            "loggers": {"tests.of.the.handler": {"handlers": ["inbox"]}},
        }
    )
    logger = logging.getLogger("tests.of.the.handler")
    [handler] = logger.handlers
    logger.handlers = []
    assert isinstance(handler, SlowpingHandler)
    assert handler.level == logging.CRITICAL
    assert handler._sender is sending.shared

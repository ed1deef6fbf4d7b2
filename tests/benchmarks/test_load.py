import asyncio
import itertools
import re

import pytest

from benchmarks import dialects, feed_reader, load
from tests.conftest import RunningHouse


def test_each_request_has_a_number_of_its_own_and_is_otherwise_the_same() -> None:
    requests = load.numbered(b"key: " + load.NUMBER + b"\r\n", itertools.count(98))
    sent = [bytes(request) for request in itertools.islice(requests, 1_000)]
    assert len(set(sent)) == len(sent)
    assert all(re.fullmatch(rb"key: [0-9]{19}\r\n", request) for request in sent)


def test_numbers_are_as_scattered_as_the_keys_of_most_clients() -> None:
    requests = load.numbered(load.NUMBER, itertools.count(98))
    first_digits = {bytes(request)[:1] for request in itertools.islice(requests, 100)}
    assert len(first_digits) == 10


def test_a_request_without_a_place_for_a_number_is_sent_as_it_is() -> None:
    requests = load.numbered(b"GET / HTTP/1.1\r\n\r\n", itertools.count())
    assert set(itertools.islice(requests, 3)) == {b"GET / HTTP/1.1\r\n\r\n"}


@pytest.mark.parametrize("dialect", dialects.NAMES)
async def test_each_request_of_a_dialect_is_stored_and_told_as_an_event_of_its_own(
    dialect: str, house: RunningHouse
) -> None:
    await house.project(
        dialects.PROJECT, channels=("console", "console"), categories=(dialects.CATEGORY,)
    )
    key = await house.key(dialects.PROJECT, rate_limit=1_000_000)
    _, port = house.base_url.rsplit(":", 1)
    request = dialects.request(dialect, int(port), key)

    def told_while_loaded() -> tuple[int, int]:
        with feed_reader.reading(int(port), house.admin_key) as reader:
            answered = load.run("127.0.0.1", int(port), request, 2, 0.05)["requests"]
            return answered, reader.waits_for(answered)

    answered, told = await asyncio.to_thread(told_while_loaded)
    stored = await house.events(dialects.PROJECT)
    assert {event.dialect for event in stored} == {dialect}
    # Those that were on their way at the end may be stored as well.
    assert answered <= told <= len(stored) <= answered + 2

"""Events that were accepted before come in as they were, once, and silently."""

import datetime as dt
from typing import Any

import pytest

from slowping.core import ids, times
from slowping.core.feed import FeedFilter
from slowping.core.overview import Periods
from tests.conftest import RunningHouse

PATH = "/slowping/v1/events/import"
OLD: dict[str, Any] = {
    "id": "evt_004ryc0000000",
    "category": "sale",
    "description": "Long ago",
    "fields": {"amount": 49.5, "of": [1, {"b": None}], "größe": "ä"},
    "source": "shop",
    "color": 255,
    "dialect": "adwize",
    "occurred_at": "2026-01-01T00:00:00Z",
    "received_at": "2026-01-01T00:00:01.250000Z",
    "notify": True,
}


def _headers(house: RunningHouse) -> dict[str, str]:
    return {"authorization": f"Bearer {house.admin_key}"}


async def imported(house: RunningHouse, *events: dict[str, Any]) -> tuple[int, int]:
    """Import events; how many were new, and how many known."""
    answer = await house.client.post(PATH, json=events, headers=_headers(house))
    assert answer.status_code == 200, answer.text
    return answer.json()["imported"], answer.json()["known"]


async def listed(house: RunningHouse) -> list[dict[str, Any]]:
    """Every event there is, newest first."""
    answer = await house.client.get("/slowping/v1/events", headers=_headers(house))
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def stored(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events without their deliveries, which go on."""
    return [{**event, "deliveries": {}} for event in events]


async def test_an_event_keeps_everything_that_it_had(house: RunningHouse) -> None:
    assert await imported(house, OLD) == (1, 0)
    [event] = await listed(house)
    assert event == OLD | {"project": "default", "deliveries": {}}


async def test_the_same_file_can_be_imported_again(house: RunningHouse) -> None:
    other = OLD | {"id": "evt_004ryc0000001", "description": "And again"}
    assert await imported(house, OLD, other) == (2, 0)
    assert await imported(house, OLD, other) == (0, 2)
    assert await imported(house, OLD, OLD, other) == (0, 3)
    assert len(await listed(house)) == 2


async def test_what_was_exported_is_imported_without_a_change(house: RunningHouse) -> None:
    await house.client.post(
        "/slowping/v1/events",
        json={"category": "bug", "fields": {"z": 1, "a": 2.5, "big": 2**70}},
        headers=_headers(house),
    )
    before = await listed(house)
    assert await imported(house, *before) == (0, 1)
    assert stored(await listed(house)) == stored(before)


async def test_an_event_whose_id_another_one_has_gets_another_of_the_same_moment(
    house: RunningHouse,
) -> None:
    stranger = OLD | {"description": "Of another server"}
    assert await imported(house, OLD) == (1, 0)
    for expected in ((1, 0), (0, 1)):
        assert await imported(house, stranger) == expected
    numbers = [ids.decode(ids.EVENT, event["id"]) for event in await listed(house)]
    assert len({number >> 22 for number in numbers}) == 1
    assert len(set(numbers)) == 2


async def test_two_of_one_id_in_a_request_are_two_events(house: RunningHouse) -> None:
    stranger = OLD | {"description": "Of another server"}
    assert await imported(house, OLD, stranger, OLD) == (2, 1)
    assert await imported(house, stranger, OLD) == (0, 2)


async def test_an_event_without_an_id_gets_one_of_its_own(house: RunningHouse) -> None:
    bare = {"category": "sale", "received_at": "2026-01-01T00:00:01.250Z"}
    twin = bare | {"description": "another"}
    assert await imported(house, bare, twin) == (2, 0)
    assert await imported(house, bare, twin) == (0, 2)
    assert {event["received_at"] for event in await listed(house)} == {
        "2026-01-01T00:00:01.250000Z"
    }


async def test_nobody_is_told(house: RunningHouse) -> None:
    head = await house.store.journal.head()
    await imported(house, OLD)
    page = await house.store.journal.since(head, FeedFilter(), limit=10)
    assert page.entries == ()
    assert page.cursor != head
    assert await house.store.outbox.count_by_state() == {}
    assert house.printed == ""


async def test_no_month_counts_it(house: RunningHouse) -> None:
    await imported(house, OLD)
    default = await house.number("default")
    assert [await house.store.inbox.usage(default, month) for month in (202601, 202611)] == [0, 0]


async def test_the_figures_count_it_when_it_was(house: RunningHouse) -> None:
    await imported(house, OLD, OLD | {"id": "evt_004ryc0000001", "fields": {"amount": 0.5}})
    while await house.store.journal.count_on():
        pass
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    then = Periods(today=day, week=day, month=day)
    overview = await house.store.journal.overview(None, then, now=times.to_ms(day) + 3_600_000)
    [sale] = [one for one in overview.categories if one.category == "sale"]
    assert (sale.events.today, sale.events.total) == (2, 2)
    assert [(one.field, one.today) for one in sale.sums] == [("amount", 50.0)]


async def test_new_events_get_ids_beyond_it(house: RunningHouse) -> None:
    await imported(house, OLD)
    sent = await house.client.post(
        "/slowping/v1/events", json={"category": "sale"}, headers=_headers(house)
    )
    assert sent.status_code == 201
    assert sent.json()["id"] > OLD["id"]


async def test_a_category_that_is_missing_is_made(house: RunningHouse) -> None:
    await imported(house, OLD | {"category": "from afar"})
    [event] = await listed(house)
    assert event["category"] == "from afar"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"received_at": "2999-01-01T00:00:00Z"}, "received_at"),
        ({"received_at": "2024-12-31T23:59:59Z"}, "received_at"),
        ({"id": "evt_7zzzzzzzzzzzz"}, "id: it is of a moment that lies ahead"),
        ({"id": "sale"}, "id: 'sale' is no id of an event"),
        ({"category": " sale"}, "A category name"),
        ({"fields": {str(number): 1 for number in range(101)}}, "at most 100 fields"),
    ],
)
async def test_what_cannot_be_kept_is_refused_with_all_beside_it(
    house: RunningHouse, change: dict[str, Any], told: str
) -> None:
    answer = await house.client.post(PATH, json=[OLD, OLD | change], headers=_headers(house))
    assert answer.status_code == 422, answer.text
    assert told in answer.json()["detail"]
    assert await listed(house) == []


async def test_a_request_is_for_one_project(house: RunningHouse) -> None:
    await house.project("shop")
    answer = await house.client.post(
        PATH, json=[OLD, OLD | {"project": "shop"}], headers=_headers(house)
    )
    assert answer.status_code == 422


async def test_it_takes_an_admin_key(house: RunningHouse) -> None:
    headers = {"authorization": f"Bearer {house.ingest_key}"}
    assert (await house.client.post(PATH, json=[OLD], headers=headers)).status_code == 403

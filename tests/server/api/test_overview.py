import datetime as dt

import httpx
import msgspec
import pytest

from slowping.client.client import Client
from slowping.core import overview, times
from slowping.core.overview import Overview
from tests.conftest import RunningHouse
from tests.server.api.conftest import Speak


async def read(client: httpx.AsyncClient, query: str = "", status: int = 200) -> Overview:
    """The overview that a client gets."""
    answer = await client.get(f"/overview?{query}")
    assert answer.status_code == status
    return msgspec.json.decode(answer.content, type=Overview)


async def count(house: RunningHouse) -> None:
    """Count now, what the server would count within a second."""
    while await house.store.journal.count_on():
        pass


@pytest.fixture
async def shops(house: RunningHouse, admin: httpx.AsyncClient) -> None:
    """Two projects with events and a channel each, besides the first one."""
    for name, amounts in (("east", (1, 2.5)), ("west", (10,))):
        await house.project(name, channels=["console"])
        for amount in amounts:
            draft = {"category": "sale", "project": name, "fields": {"amount": amount}}
            await admin.post("/events", json=draft)
    await count(house)


@pytest.mark.usefixtures("shops")
async def test_the_overview_tells_what_came_in_and_what_waits(admin: httpx.AsyncClient) -> None:
    told = await read(admin, "project=east")
    assert (told.events.today, told.events.total) == (2, 2)
    assert (told.waiting, told.failed, sum(told.hours)) == (2, 0, 2)
    [sale] = told.categories
    assert (sale.project, sale.category, sale.events.month) == ("east", "sale", 2)
    [amount] = sale.sums
    assert (amount.field, amount.today) == ("amount", 3.5)
    [channel] = told.channels
    assert (channel.channel, channel.kind, channel.paused) == ("console-0", "console", True)


@pytest.mark.usefixtures("shops")
async def test_a_key_is_told_of_its_projects(house: RunningHouse, speak: Speak) -> None:
    east = await speak("east", scopes=["read"])
    assert (await read(east)).events.total == 2
    both = await speak("east", scopes=["read"], projects=["west"])
    assert (await read(both)).events.total == 3
    assert (await read(both, "project=west")).events.total == 1
    assert (await east.get("/overview?project=west")).status_code == 403
    sender = await speak("east", scopes=["ingest"])
    assert (await sender.get("/overview")).status_code == 403


@pytest.mark.usefixtures("shops")
async def test_a_key_for_all_is_told_of_all_live_projects(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    assert (await read(admin)).events.total == 3
    await house.store.directory.remove_project(await house.number("west"), now=0)
    told = await read(admin)
    assert (told.events.total, told.waiting) == (2, 2)
    assert {one.project for one in told.categories} == {"default", "east"}


async def test_periods_are_those_of_utc_where_none_are_given(admin: httpx.AsyncClient) -> None:
    before = overview.began(dt.datetime.now(dt.UTC))
    told = await read(admin)
    assert told.periods in (before, overview.began(dt.datetime.now(dt.UTC)))


async def test_periods_begin_with_a_quarter_of_an_hour(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    at = times.to_datetime(house.world.clock.now_ms()).replace(minute=44, second=59)
    day = at - dt.timedelta(days=1)
    told = await read(admin, f"today={day:%Y-%m-%dT%H:%M:%S}Z")
    assert told.periods.today == day.replace(minute=30, second=0, microsecond=0)
    told = await read(admin, f"week={day:%Y-%m-%dT%H:%M:%S}%2B05:45")
    shifted = day - dt.timedelta(hours=5, minutes=45)
    assert told.periods.week == shifted.replace(minute=45, second=0, microsecond=0)


@pytest.mark.parametrize(
    ("name", "start", "problem"),
    [
        ("today", "tomorrow", "today: "),
        ("today", "9999-12-31T23:59:59-23:59", "today: it has to begin in the past."),
        ("week", "0001-01-01T00:00:00%2B23:59", "week: it has to begin 366 days ago at most."),
        ("month", "2024-01-01T00:00:00Z", "month: it has to begin 366 days ago at most."),
    ],
)
async def test_periods_that_make_no_sense_are_refused(
    admin: httpx.AsyncClient, name: str, start: str, problem: str
) -> None:
    answer = await admin.get(f"/overview?{name}={start}")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(problem)


async def test_the_client_reads_the_overview_with_its_own_day(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    zone = dt.timezone(dt.timedelta(hours=5, minutes=45))
    wanted = overview.began(dt.datetime.now(zone))
    async with Client(house.base_url, house.admin_key) as client:
        told = await client.overview(
            project="default", today=wanted.today, week=wanted.week, month=wanted.month
        )
    assert told.periods == wanted


async def test_the_server_counts_by_itself(house: RunningHouse, admin: httpx.AsyncClient) -> None:
    await admin.post("/events", json={"category": "sale"})
    while not (await read(admin)).events.total:
        pass

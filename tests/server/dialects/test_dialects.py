"""Every case through the real door: a running server with a real store."""

import asyncio
import pathlib
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from slowping.config import Config, DiscordSection, NotifiersSection
from slowping.core.event import Event
from slowping.testing import FrozenClock
from tests.conftest import RunningHouse, running_house
from tests.server.dialects import case
from tests.server.dialects.case import Answer, Case, Memory, Step, Stored
from tests.vectors import hostile_body, vectors

# Nobody listens there: what these tests send to Discord never leaves the machine.
CONFIG = Config(notifiers=NotifiersSection(discord=DiscordSection(api_base="http://127.0.0.1:9")))

MATRIX = set(range(1, 40))
TOLD_ELSEWHERE = {
    32,  # in this file, because its requests run in parallel
    39,  # among the acceptance tests, because it kills a process
}


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def house(tmp_path: pathlib.Path, clock: FrozenClock) -> AsyncIterator[RunningHouse]:
    async with running_house(tmp_path, CONFIG, clock) as opened:
        yield opened


@pytest.mark.parametrize("path", case.paths(), ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_case(path: pathlib.Path, house: RunningHouse, clock: FrozenClock) -> None:
    told = case.load(path)
    memory = Memory(await set_up(told, house))
    for step in told.step:
        clock.advance(step.later_s)
        for _ in range(step.times):
            check(await send(step, house.client, memory), step.answer, memory)
    events = await house.events(told.project.name)
    check_events(events, told.event)
    if told.deliveries is not None:
        assert sum(sum(event.deliveries.values()) for event in events) == told.deliveries


async def set_up(told: Case, house: RunningHouse) -> dict[str, str]:
    keys = {}
    for name, setup in (("key", told.project), ("other-key", told.other)):
        if setup is None:
            continue
        await house.project(
            setup.name,
            channels=setup.channels,
            categories=setup.categories,
            strict_destinations=setup.strict_destinations,
            allowed_origins=setup.allowed_origins,
            monthly_quota=setup.monthly_quota,
        )
        own = told.api_key if name == "key" else case.ApiKeySetup()
        keys[name] = await house.key(
            setup.name, scopes=own.scopes, rate_limit=own.rate_limit, value=own.value
        )
    return keys


async def send(step: Step, client: httpx.AsyncClient, memory: Memory) -> httpx.Response:
    return await client.request(
        step.method,
        memory.fill(step.path),
        headers={name: memory.fill(value) for name, value in step.headers.items()},
        content=case.bytes_of(step.body, memory),
    )


def check(response: httpx.Response, answer: Answer, memory: Memory) -> None:
    assert response.status_code == answer.status, response.text
    if answer.body is not None:
        assert memory.matches(answer.body, response.text), (answer.body, response.text)
    if answer.issues is not None:
        assert response.json() == {"message": case.pretty(answer.issues)}
    for name, value in answer.headers.items():
        assert memory.matches(value, response.headers.get(name, "")), (name, response.headers)
    for name in answer.absent:
        assert name not in response.headers


def check_events(events: Sequence[Event], expected: Sequence[Stored]) -> None:
    wanted = [one for one in expected for _ in range(one.times)]
    assert len(events) == len(wanted)
    for event, one in zip(events, wanted, strict=True):
        for name in (
            "category",
            "description",
            "fields",
            "source",
            "color",
            "dialect",
            "occurred_at",
        ):
            value = getattr(one, name)
            assert value is None or getattr(event, name) == value
        if one.described is not None:
            assert bool(event.description) is one.described
        if one.fields is not None:
            assert list(map(type, event.fields.values())) == list(map(type, one.fields.values()))


def test_every_row_of_the_acceptance_matrix_has_a_case() -> None:
    rows = {row for path in case.paths() for row in case.load(path).rows}
    assert rows | TOLD_ELSEWHERE == MATRIX


# Rows that no file can tell ----------------------------------------------------------------------

INTAKE_BODY = {
    "event_type": "user.created",
    "occurred_at": "2025-12-22T10:30:00Z",
    "idempotency_key": "once",
    "data": {},
}


async def test_twenty_repeats_at_once_are_one_event(house: RunningHouse) -> None:
    await house.project("shop", channels=["console"])
    headers = {"Authorization": f"Bearer {await house.key('shop')}"}
    responses = await asyncio.gather(
        *(house.client.post("/v1/events", json=INTAKE_BODY, headers=headers) for _ in range(20))
    )
    answers = [response.json() for response in responses]
    assert len({answer["event_id"] for answer in answers}) == 1
    assert sum("deduplicated" not in answer for answer in answers) == 1
    [event] = await house.events("shop")
    assert sum(event.deliveries.values()) == 1


async def test_however_many_come_at_once_a_quota_is_kept(house: RunningHouse) -> None:
    await house.project("shop", channels=["console"], categories=["bug"], monthly_quota=5)
    headers = {"Authorization": f"Bearer {await house.key('shop')}"}
    event = {"category": "bug"}
    responses = await asyncio.gather(
        *(house.client.post("/api/v1/events", json=event, headers=headers) for _ in range(64))
    )
    assert sorted(response.status_code for response in responses) == [200] * 5 + [429] * 59
    assert len(await house.events("shop")) == 5


PATHS = pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/api/slowstats/ingest-events", "X-API-Key"),
        ("/api/v1/events", "Authorization"),
        ("/api/v1/event", "Authorization"),
        ("/v1/events", "Authorization"),
        ("/api/v1/events", "X-API-Key"),
    ],
    ids=["slowstats", "pingpanda", "pingpilot", "intake", "adwize"],
)


@PATHS
async def test_hostile_bodies_are_the_senders_fault(
    house: RunningHouse, path: str, header: str
) -> None:
    headers = await _shop(house, header)
    for vector in vectors("ingest_must_be_4xx"):
        response = await house.client.post(path, content=hostile_body(vector), headers=headers)
        # The only one of these bodies that is in order anywhere: no events, for Adwize.
        in_order = response.text == '{"ingested":0}'
        assert 400 <= response.status_code < 500 or in_order, vector["name"]
    assert await house.events("shop") == []


@PATHS
async def test_odd_bodies_are_never_the_servers_fault(
    house: RunningHouse, path: str, header: str
) -> None:
    headers = await _shop(house, header)
    for vector in vectors("ingest_special"):
        response = await house.client.post(path, content=hostile_body(vector), headers=headers)
        assert response.status_code < 500, vector["name"]


async def _shop(house: RunningHouse, header: str) -> dict[str, str]:
    await house.project("shop", channels=["console"], categories=["bug"])
    key = await house.key("shop")
    return {header: f"Bearer {key}" if header == "Authorization" else key}

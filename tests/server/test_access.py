"""Which key opens which door: every route of the API and every path of the dialects, with each."""

import pathlib
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest

from slowping.config import Config, LimitsSection
from slowping.core import api_key, ids
from slowping.core.api_key import ApiKeyFilter, Scope
from slowping.server.api import ENDPOINTS
from slowping.server.api.endpoint import PREFIX, SCOPE
from slowping.server.dialects import DIALECTS
from slowping.testing import FrozenClock
from tests.conftest import RunningHouse, running_house

RIVAL = "rival7f3a"
"""The name of everything in the other project: no key of the first may ever see it."""

NO_KEY, WRONG, REVOKED, EXPIRED = "no key", "a wrong one", "a revoked one", "an expired one"
INGEST, READ, BROWSER = "ingest", "read", "browser"
OTHER_READ, ADMIN = "read, of another project", "admin"

SCOPES: Mapping[str, frozenset[Scope]] = {
    NO_KEY: frozenset(),
    WRONG: frozenset(),
    REVOKED: frozenset(),
    EXPIRED: frozenset(),
    INGEST: frozenset({Scope.INGEST}),
    READ: frozenset({Scope.READ}),
    BROWSER: frozenset({Scope.INGEST}),
    OTHER_READ: frozenset({Scope.READ}),
    ADMIN: frozenset(Scope),
}
"""What each is good for."""

TELLS_OF_ALL = f"{PREFIX}/metrics"
"""It asks for a key of all projects, and those here are of one."""

DEAD = (NO_KEY, WRONG, REVOKED, EXPIRED)


@pytest.fixture
async def house(tmp_path: pathlib.Path, clock: FrozenClock) -> AsyncIterator[RunningHouse]:
    # So many wrong keys are not looked at elsewhere.
    config = Config(limits=LimitsSection(wrong_keys=0))
    async with running_house(tmp_path, config, clock) as opened:
        yield opened


@pytest.fixture
async def keys(house: RunningHouse, clock: FrozenClock) -> Mapping[str, str | None]:
    """A key of each sort, at home in `shop`; of another project in `rival7f3a`."""
    await house.project("shop", channels=["console"], categories=["sale"])
    await house.project(RIVAL, channels=["console"], categories=[RIVAL])
    made = {
        NO_KEY: None,
        WRONG: api_key.mint(secrets.token_bytes(32)),
        REVOKED: await house.key("shop", scopes=["ingest", "read", "admin"]),
        EXPIRED: await house.key(
            "shop", scopes=["ingest", "read", "admin"], expires_at=clock.now_ms() + 1_000
        ),
        INGEST: await house.key("shop", scopes=["ingest"]),
        READ: await house.key("shop", scopes=["read"]),
        BROWSER: await house.key("shop", scopes=["ingest"], origins=["https://shop.example"]),
        OTHER_READ: await house.key(RIVAL, scopes=["read"]),
        ADMIN: house.admin_key,
    }
    clock.advance(1)
    revoked = house.house.roster.api_keys[api_key.digest(made[REVOKED] or "")]
    await house.store.directory.revoke_api_key(revoked.key_id, now=clock.now_ms())
    house.house.roster.end_api_key(revoked.key_id)
    return made


async def head(
    house: RunningHouse, method: str, path: str, headers: Mapping[str, str], **how: Any
) -> int:
    """The status of an answer, however long the answer would be."""
    async with house.client.stream(method, path, headers=headers, **how) as answer:
        return answer.status_code


def routes(house: RunningHouse) -> Iterator[tuple[str, str, Scope | None]]:
    """Method, path and scope of every route of our own API, as the router has it."""
    for route in house.house.asgi._api.routes:  # type: ignore[attr-defined]  # a Litestar
        for handler in route.route_handlers:
            for method in handler.http_methods - {"OPTIONS"}:
                assert SCOPE in handler.opt, f"{method} {route.path} declares no scope"
                yield method, route.path_format.replace("{id}", "xxx"), handler.opt[SCOPE]


async def test_every_route_of_the_api_opens_to_the_scope_that_it_declares(
    house: RunningHouse, keys: Mapping[str, str | None]
) -> None:
    asked = 0
    for method, path, scope in sorted(routes(house), key=str):
        for sort, key in keys.items():
            headers = {} if key is None else {"authorization": f"Bearer {key}"}
            # With it, nothing is changed by those that may.
            status = await head(house, method, path, headers, content=b"not json")
            if path == TELLS_OF_ALL and sort in {READ, OTHER_READ}:
                assert status == 403, sort
            elif scope is None or scope in SCOPES[sort]:
                assert status not in {401, 403}, (method, path, sort)
            else:
                assert status == (401 if sort in DEAD else 403), (method, path, sort)
            asked += 1
    assert asked > len(ENDPOINTS) * len(keys)


def dialect_paths() -> Iterator[tuple[str, str, str, Scope]]:
    """Dialect, method, path and scope of whatever the dialects answer."""
    for dialect in DIALECTS:
        for path in (dialect.operation.path, *dialect.aliases):
            yield dialect.name, dialect.operation.method, path, Scope.INGEST
        for extra in dialect.extras:
            told = extra.operation
            yield (
                dialect.name,
                told.method,
                told.path.partition("{")[0] + "xxx" * ("{" in told.path),
                extra.scope,
            )


async def test_every_path_of_the_dialects_opens_to_the_scope_that_it_declares(
    house: RunningHouse, keys: Mapping[str, str | None]
) -> None:
    for dialect, method, path, scope in dialect_paths():
        bearer = dialect in {"pingpanda", "pingpilot", "intake"}
        for sort, key in keys.items():
            named = {"authorization": f"Bearer {key}"} if bearer else {"x-api-key": str(key)}
            headers = {} if key is None else named
            status = await head(house, method, path, headers, content=b"not json")
            # To a dialect a live key without the scope is an unknown one.
            assert (status != 401) is (scope in SCOPES[sort]), (dialect, method, path, sort)


# Other projects ------------------------------------------------------------------------------


@pytest.fixture
async def theirs(house: RunningHouse, keys: Mapping[str, str | None]) -> Mapping[str, str]:
    """The ids of things in the other project, by the noun in the path."""
    place = f"{PREFIX}/events"
    admin = {"authorization": f"Bearer {keys[ADMIN]}"}
    body = {"category": RIVAL, "project": RIVAL, "description": RIVAL, "source": RIVAL}
    sent = (await house.client.post(place, json=body, headers=admin)).json()
    detail = (await house.client.get(f"{place}/{sent['id']}", headers=admin)).json()
    number = await house.number(RIVAL)
    [channel] = (
        await house.client.get(f"{PREFIX}/channels?project={RIVAL}", headers=admin)
    ).json()["items"]
    [category] = (
        await house.client.get(f"{PREFIX}/categories?project={RIVAL}", headers=admin)
    ).json()["items"]
    [key] = await house.store.directory.list_api_keys(
        ApiKeyFilter(project_ids=(number,)), before=None, limit=10
    )
    return {
        "events": sent["id"],
        "deliveries": detail["deliveries"][0]["delivery"]["id"],
        "channels": channel["id"],
        "categories": category["id"],
        "projects": ids.encode(ids.PROJECT, number),
        "keys": key.id,
    }


async def test_a_read_key_sees_nothing_of_another_project(
    house: RunningHouse, keys: Mapping[str, str | None], theirs: Mapping[str, str]
) -> None:
    own = {"authorization": f"Bearer {keys[READ]}"}
    for endpoint in ENDPOINTS:
        if endpoint.scope is not Scope.READ or endpoint.path in {"/feed", "/metrics"}:
            continue
        place = PREFIX + endpoint.path.replace("{id}", theirs.get(endpoint.path.split("/")[1], ""))
        queries: list[dict[str, str]] = [{}]
        known = {field.name for field in msgspec.structs.fields(endpoint.query)}
        for name, value in (
            ("project", RIVAL),
            ("project", theirs["projects"]),
            ("name", RIVAL),
            ("category", RIVAL),
            ("channel", "console-0"),
            ("event", theirs["events"]),
            ("source", RIVAL),
        ):
            queries += [{name: value}] if name in known else []
        for query in queries:
            answer = await house.client.get(place, params=query, headers=own)
            if "{id}" in endpoint.path:
                assert answer.status_code == 404, place
            # A refusal names what was asked for, as it was asked for.
            asked = place + str(query)
            for noun in (RIVAL, *theirs.values()):
                assert noun not in answer.text or (answer.status_code > 400 and noun in asked)


async def test_keys_of_several_projects_name_only_those_that_one_sees(
    house: RunningHouse, keys: Mapping[str, str | None]
) -> None:
    await house.key(RIVAL, projects=["shop"])
    await house.key("shop", projects=[RIVAL])
    own = {"authorization": f"Bearer {keys[READ]}"}
    listed = await house.client.get(f"{PREFIX}/keys", headers=own)
    assert RIVAL not in listed.text
    assert [key["project"] for key in listed.json()["items"][:2]] == ["shop", "…"]


async def test_the_figures_of_all_are_for_keys_of_all(
    house: RunningHouse, keys: Mapping[str, str | None]
) -> None:
    place = f"{PREFIX}/metrics"
    for sort, status in ((READ, 403), (ADMIN, 200)):
        own = {"authorization": f"Bearer {keys[sort]}"}
        assert (await house.client.get(place, headers=own)).status_code == status


async def test_the_feed_tells_nothing_of_another_project(
    house: RunningHouse, keys: Mapping[str, str | None], theirs: Mapping[str, str]
) -> None:
    admin = {"authorization": f"Bearer {keys[ADMIN]}"}
    own = {"authorization": f"Bearer {keys[READ]}"}
    place = f"{PREFIX}/feed"
    first = (await house.store.journal.head()).partition("-")[0]
    begin = {**own, "last-event-id": f"{first}-0"}
    await house.client.post(f"{PREFIX}/channels/{theirs['channels']}/pause", json={}, headers=admin)
    mine = await house.client.post(
        f"{PREFIX}/events", json={"category": "sale", "project": "shop"}, headers=admin
    )
    told = ""
    async with house.client.stream("GET", place, headers=begin) as answer:
        async for chunk in answer.aiter_text():
            told += chunk
            if mine.json()["id"] in told:
                break
    assert not [noun for noun in (RIVAL, *theirs.values()) if noun in told]
    refused = await house.client.get(place, params={"project": RIVAL}, headers=own)
    assert refused.status_code == 403


async def test_an_ingest_key_sends_to_no_other_project(
    house: RunningHouse, keys: Mapping[str, str | None]
) -> None:
    key = keys[INGEST] or ""
    number = ids.encode(ids.PROJECT, await house.number(RIVAL))
    for name in (RIVAL, number):
        own = await house.client.post(
            f"{PREFIX}/events",
            json={"category": "sale", "project": name},
            headers={"authorization": f"Bearer {key}"},
        )
        foreign = await house.client.post(
            "/api/slowstats/ingest-events",
            json={"projectId": name, "eventType": "sale", "payload": {}},
            headers={"x-api-key": key},
        )
        assert (own.status_code, foreign.status_code) == (403, 403)
    assert await house.events(RIVAL) == []


async def test_a_dialect_lists_nothing_of_another_project(
    house: RunningHouse, keys: Mapping[str, str | None], theirs: Mapping[str, str]
) -> None:
    key = keys[READ] or ""
    both = {"authorization": f"Bearer {key}"}, {"x-api-key": key}
    asked = (
        (f"/v1/events/{theirs['events']}", 404),
        ("/api/v1/events", 200),
        ("/api/slowstats/get-projects", 200),
        (f"/api/slowstats/get-events?projectId={RIVAL}", 403),
        (f"/api/slowstats/get-metrics?projectId={RIVAL}", 403),
        ("/api/v1/quota", 200),
    )
    for path, status in asked:
        answers: list[httpx.Response] = [
            await house.client.get(path, headers=headers) for headers in both
        ]
        assert status in {answer.status_code for answer in answers}, path
        for answer in answers:
            assert RIVAL not in answer.text, path


async def _shop(house: RunningHouse) -> dict[str, str]:
    """Make a project, and the header with a key of it."""
    await house.project("shop", channels=["console"], categories=["sale"])
    return {"authorization": f"Bearer {await house.key('shop')}"}


async def test_a_project_sees_nothing_of_a_removed_one_whose_name_it_has(
    house: RunningHouse,
) -> None:
    first = await _shop(house)
    sent = {"event_type": "sale", "occurred_at": "2026-11-21T12:00:00Z", "data": {}}
    body = {**sent, "idempotency_key": "first"}
    accepted = await house.client.post("/v1/events", json=body, headers=first)
    event = accepted.json()["event_id"]
    removed = ids.encode(ids.PROJECT, await house.number("shop"))
    await house.client.delete(
        f"{PREFIX}/projects/{removed}", headers={"authorization": f"Bearer {house.admin_key}"}
    )
    second = await _shop(house)
    for path in (f"/v1/events/{event}", f"{PREFIX}/events/{event}"):
        assert (await house.client.get(path, headers=second)).status_code == 404

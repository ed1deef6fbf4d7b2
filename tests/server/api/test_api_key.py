import pathlib
from typing import Any

import httpx
import pytest

from slowping.config import Config, LimitsSection
from tests.conftest import RunningHouse, running_house
from tests.server.api.conftest import Speak


async def issued(admin: httpx.AsyncClient, **new: Any) -> dict[str, Any]:
    answer = await admin.post("/keys", json={"name": "new", **new})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_key_works_from_the_moment_it_is_issued(
    speak: Speak, admin: httpx.AsyncClient
) -> None:
    told = await issued(admin)
    assert told["value"].startswith("slp_")
    assert told["api_key"]["scopes"] == ["ingest", "read"]
    assert told["api_key"]["project"] == "default"
    client = await speak(key=told["value"])
    assert (await client.post("/events", json={"category": "a"})).status_code == 201


@pytest.mark.parametrize(("asked", "given"), [({}, 7), ({"rate_limit": 0}, 0)])
async def test_the_server_says_how_many_requests_a_minute_a_key_has_that_is_not_told(
    asked: dict[str, int], given: int, tmp_path: pathlib.Path
) -> None:
    config = Config(limits=LimitsSection(rate_limit=7))
    async with running_house(tmp_path, config) as house:
        answer = await house.client.post(
            "/slowping/v1/keys",
            json={"name": "new", **asked},
            headers={"authorization": f"Bearer {house.admin_key}"},
        )
        assert answer.json()["api_key"]["rate_limit"] == given


async def test_its_value_is_shown_once(admin: httpx.AsyncClient) -> None:
    told = await issued(admin)
    for place in ("/keys", f"/keys/{told['api_key']['id']}"):
        assert told["value"] not in (await admin.get(place)).text
        assert told["value"][:8] in (await admin.get(place)).text


async def test_a_client_moves_here_with_its_key(speak: Speak, admin: httpx.AsyncClient) -> None:
    told = await issued(admin, import_value="pk_live_0123456789")
    assert told["value"] == "pk_live_0123456789"
    client = await speak(key="pk_live_0123456789")
    assert (await client.get("/events")).status_code == 200
    again = await admin.post("/keys", json={"name": "x", "import_value": "pk_live_0123456789"})
    assert again.status_code == 409
    assert again.json()["detail"].startswith("This value is a key already: ")
    assert "pk_live_0123456789" not in again.text


@pytest.mark.parametrize("way", ["post", "delete"])
async def test_a_revoked_key_opens_nothing(
    way: str, speak: Speak, admin: httpx.AsyncClient
) -> None:
    told = await issued(admin)
    place = f"/keys/{told['api_key']['id']}"
    revoked = await (admin.post(f"{place}/revoke") if way == "post" else admin.delete(place))
    assert revoked.status_code == 200
    assert revoked.json()["revoked_at"] is not None
    assert (await (await speak(key=told["value"])).get("/events")).status_code == 401
    assert (await admin.get(place)).json() == revoked.json()


async def test_revoked_keys_are_listed_apart(admin: httpx.AsyncClient) -> None:
    told = await issued(admin)
    await admin.post(f"/keys/{told['api_key']['id']}/revoke")

    async def names(query: str) -> list[str]:
        return [key["name"] for key in (await admin.get(f"/keys?{query}")).json()["items"]]

    assert await names("revoked=true") == ["new"]
    assert "new" not in await names("revoked=false")
    assert await names("name=new") == ["new"]


async def test_an_admin_key_is_for_every_project(
    house: RunningHouse, speak: Speak, admin: httpx.AsyncClient
) -> None:
    await house.project("shop")
    told = await issued(admin, scopes=["admin"], project="shop")
    assert told["api_key"]["all_projects"] is True
    client = await speak(key=told["value"])
    await client.post("/events", json={"category": "a"})
    assert len(await house.events("default")) == 1


async def test_a_key_may_have_more_projects(
    house: RunningHouse, speak: Speak, admin: httpx.AsyncClient
) -> None:
    await house.project("shop")
    await house.project("blog")
    told = await issued(admin, project="shop", projects=["blog", "shop"])
    assert told["api_key"]["projects"] == ["blog"]
    seen = (await (await speak(key=told["value"])).get("/projects")).json()["items"]
    assert sorted(project["name"] for project in seen) == ["blog", "shop"]


@pytest.mark.parametrize(
    ("new", "status", "words"),
    [
        ({"name": ""}, 422, "name"),
        ({"project": "nowhere"}, 404, "nowhere"),
        ({"projects": ["nowhere"]}, 404, "nowhere"),
        ({"scopes": ["write"]}, 422, "item 1"),
        ({"kind": "browser"}, 422, "origin"),
        ({"kind": "browser", "origins": ["https://a.b"], "scopes": ["read"]}, 422, "ingest"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 422, "expires_at"),
        ({"import_value": "short"}, 422, "8 to 256"),
        ({"rate_limit": -1}, 422, "rate_limit"),
    ],
)
async def test_what_cannot_be_issued_is_refused_in_words(
    new: dict[str, Any], status: int, words: str, admin: httpx.AsyncClient
) -> None:
    answer = await admin.post("/keys", json={"name": "new", **new})
    assert answer.status_code == status
    assert words in answer.json()["detail"]

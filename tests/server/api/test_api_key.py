import pathlib
from typing import Any

import httpx
import pytest

from slowping.config import Config, LimitsSection, ServerSection
from slowping.core import ids
from slowping.store.port import ApiKeyUse
from slowping.testing import FrozenClock
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


# Rotation -------------------------------------------------------------------------------------


async def rotated(admin: httpx.AsyncClient, key_id: str, **terms: Any) -> dict[str, Any]:
    answer = await admin.post(f"/keys/{key_id}/rotate", json=terms)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_both_keys_work_until_the_overlap_is_over(
    tmp_path: pathlib.Path, clock: FrozenClock
) -> None:
    async with running_house(tmp_path, clock=clock) as house:
        admin = {"authorization": f"Bearer {house.admin_key}"}

        async def status(value: str) -> int:
            headers = {"authorization": f"Bearer {value}"}
            return (await house.client.get("/slowping/v1/events", headers=headers)).status_code

        old = house.ingest_key
        keys = (await house.client.get("/slowping/v1/keys", headers=admin)).json()["items"]
        [key_id] = [key["id"] for key in keys if "ingest" in key["scopes"]]
        new = (await house.client.post(f"/slowping/v1/keys/{key_id}/rotate", headers=admin)).json()[
            "value"
        ]
        assert (await status(old), await status(new)) == (200, 200)
        clock.advance(86_399.9)
        assert (await status(old), await status(new)) == (200, 200)
        clock.advance(0.1)
        assert (await status(old), await status(new)) == (401, 200)


async def test_without_an_overlap_the_old_key_is_of_no_use_at_once(
    speak: Speak, admin: httpx.AsyncClient
) -> None:
    old = await issued(admin)
    new = await rotated(admin, old["api_key"]["id"], overlap_s=0)
    assert (await (await speak(key=old["value"])).get("/events")).status_code == 401
    assert (await (await speak(key=new["value"])).get("/events")).status_code == 200


async def test_the_last_admin_key_rotates_itself(
    house: RunningHouse, speak: Speak, admin: httpx.AsyncClient
) -> None:
    [own] = (await admin.get("/keys?name=first admin key")).json()["items"]
    new = await rotated(admin, own["id"], overlap_s=0)
    assert (await admin.get("/keys")).status_code == 401
    successor = await speak(key=new["value"])
    assert (await successor.get("/keys")).status_code == 200


async def test_commands_on_the_servers_machine_go_on_with_the_new_key(
    house: RunningHouse, admin: httpx.AsyncClient, tmp_path: pathlib.Path
) -> None:
    for name in ("admin", "ingest"):
        [old] = (await admin.get(f"/keys?name=first {name} key")).json()["items"]
        new = await rotated(admin, old["id"])
        assert (tmp_path / f"{name}.key").read_text().strip() == new["value"]


async def test_a_new_key_has_a_minute_of_its_own(speak: Speak, admin: httpx.AsyncClient) -> None:
    old = await issued(admin, rate_limit=1)
    client = await speak(key=old["value"])
    assert [(await client.get("/events")).status_code for _ in range(2)] == [200, 429]
    new = await rotated(admin, old["api_key"]["id"])
    assert (await (await speak(key=new["value"])).get("/events")).status_code == 200


async def test_what_was_sent_with_the_old_key_is_recognised_from_the_new_one(
    speak: Speak, admin: httpx.AsyncClient
) -> None:
    old = await issued(admin)
    new = await rotated(admin, old["api_key"]["id"])
    answers = [
        await (await speak(key=value)).post(
            "/events", json={"category": "a"}, headers={"idempotency-key": "once"}
        )
        for value in (old["value"], new["value"])
    ]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1].json()["deduplicated"] is True


async def test_a_key_that_has_ended_is_not_rotated(admin: httpx.AsyncClient) -> None:
    old = await issued(admin)
    await admin.post(f"/keys/{old['api_key']['id']}/revoke")
    answer = await admin.post(f"/keys/{old['api_key']['id']}/rotate")
    assert answer.status_code == 409
    assert "issue a new key" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("terms", "words"),
    [({"overlap_s": -1}, "overlap_s"), ({"overlap_s": 7_776_001}, "overlap_s"), ({"x": 1}, "x")],
)
async def test_an_overlap_has_to_make_sense(
    terms: dict[str, Any], words: str, admin: httpx.AsyncClient
) -> None:
    old = await issued(admin)
    answer = await admin.post(f"/keys/{old['api_key']['id']}/rotate", json=terms)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


async def test_only_an_admin_rotates_keys(speak: Speak, admin: httpx.AsyncClient) -> None:
    old = await issued(admin)
    client = await speak(key=old["value"])
    assert (await client.post(f"/keys/{old['api_key']['id']}/rotate")).status_code == 403
    assert (await admin.post("/keys/key_0000000000007/rotate")).status_code == 404


# Lists ----------------------------------------------------------------------------------------


async def test_a_key_tells_from_where_it_was_used_last(tmp_path: pathlib.Path) -> None:
    config = Config(server=ServerSection(trusted_proxies=("127.0.0.1",)))

    async def uses(house: RunningHouse) -> dict[str, str | None]:
        headers = {"authorization": f"Bearer {house.admin_key or admin}"}
        keys = (await house.client.get("/slowping/v1/keys", headers=headers)).json()["items"]
        return {key["name"]: key["last_used_from"] for key in keys}

    async with running_house(tmp_path, config) as house:
        admin = house.admin_key
        assert set((await uses(house)).values()) == {None}
        body, far = {"category": "sale"}, {"x-forwarded-for": "192.0.2.7"}
        headers = {"authorization": f"Bearer {house.ingest_key}", **far}
        await house.client.post("/api/v1/events", json=body, headers=headers)
    async with running_house(tmp_path, config) as house:
        assert await uses(house) == {
            "first ingest key": "192.0.2.7", "first admin key": "127.0.0.1",
        }  # fmt: skip


async def test_where_others_send_from_is_for_admins_alone(
    house: RunningHouse, speak: Speak, admin: httpx.AsyncClient
) -> None:
    reader = await speak("default", scopes=("read",))
    [key] = (await admin.get("/keys?name=first admin key")).json()["items"]
    number = ids.decode(ids.API_KEY, key["id"])
    use = ApiKeyUse(at=1, address="192.0.2.7")
    await house.store.directory.touch_api_keys({number: use})
    for place in ("/keys?name=first admin key", f"/keys/{key['id']}"):
        assert "192.0.2.7" in (await admin.get(place)).text
        assert "192.0.2.7" not in (await reader.get(place)).text
        assert key["id"] in (await reader.get(place)).text


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


async def test_an_answer_with_a_secret_is_kept_by_nobody_on_the_way(
    admin: httpx.AsyncClient,
) -> None:
    issued = await admin.post("/keys", json={"name": "till"})
    place = f"/keys/{issued.json()['api_key']['id']}"
    made = {"name": "hook", "kind": "webhook", "settings": {"url": "https://hook.example/"}}
    for answer in (
        issued,
        await admin.post(f"{place}/rotate", json={}),
        await admin.post("/channels", json=made),
    ):
        assert answer.status_code == 201
        assert answer.headers["cache-control"] == "no-store"

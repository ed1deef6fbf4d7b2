import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from slowping.core.api_key import Scope
from slowping.server.api import ENDPOINTS
from tests.conftest import RunningHouse
from tests.server.api.conftest import Speak

UNKNOWN = "prj_0000000000001"


async def told(admin: httpx.AsyncClient, **query: str) -> list[Any]:
    """What the audit tells, the oldest at first."""
    answer = await admin.get("/audit", params=query)
    assert answer.status_code == 200
    return list(reversed(answer.json()["items"]))


async def make(admin: httpx.AsyncClient, place: str, body: Mapping[str, Any]) -> Any:
    answer = await admin.post(place, json=body)
    assert answer.status_code == 201
    made = answer.json()
    return next((made[noun] for noun in ("channel", "api_key") if noun in made), made)


ACTS = {
    "POST /projects": "project.created",
    "PATCH /projects/{id}": "project.changed",
    "DELETE /projects/{id}": "project.removed",
    "POST /categories": "category.created",
    "PATCH /categories/{id}": "category.changed",
    "DELETE /categories/{id}": "category.removed",
    "POST /channels": "channel.created",
    "PATCH /channels/{id}": "channel.changed",
    "POST /channels/{id}/pause": "channel.paused",
    "POST /channels/{id}/resume": "channel.resumed",
    "POST /channels/{id}/test": "channel.tested",
    "DELETE /channels/{id}": "channel.removed",
    "POST /keys": "key.issued",
    "POST /keys/{id}/rotate": "key.rotated",
    "POST /keys/{id}/revoke": "key.revoked",
    "DELETE /keys/{id}": "key.revoked",
    "POST /deliveries/{id}/discard": "deliveries.discarded",
    "POST /deliveries/{id}/retry": "deliveries.retried",
    "POST /deliveries/discard": "deliveries.discarded",
    "POST /deliveries/retry": "deliveries.retried",
    "POST /deliveries/replay": "deliveries.replayed",
    "POST /events/import": "events.imported",
    "POST /backup": "store.backed_up",
    "POST /secrets/rotate": "secrets.resealed",
    "POST /prune": "store.pruned",
}
"""What each endpoint that changes something is told as, in an order in which all of them work."""


async def test_every_endpoint_that_changes_something_leaves_an_act(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    changing = {
        f"{endpoint.method} {endpoint.path}"
        for endpoint in ENDPOINTS
        if endpoint.scope is Scope.ADMIN and endpoint.method != "GET"
    }
    assert changing == set(ACTS)
    await house.project("shop", channels=["console"])
    sent = await admin.post("/events", json={"category": "sale", "project": "shop"})
    detail = (await admin.get(f"/events/{sent.json()['id']}")).json()
    names = {"deliveries": detail["deliveries"][0]["delivery"]["id"]}
    own = {"project": "own"}
    window = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    bodies: dict[str, Any] = {
        "POST /projects": {"name": "own"},
        "PATCH /projects/{id}": {"monthly_quota": 5},
        "POST /categories": {"name": "sale"} | own,
        "PATCH /categories/{id}": {"color": 5},
        "POST /channels": {"name": "desk", "kind": "console"} | own,
        "PATCH /channels/{id}": {"name": "table"},
        "POST /keys": {"name": "till"} | own,
        "POST /deliveries/discard": {"states": ["pending"]},
        "POST /deliveries/retry": {"states": ["discarded"], "project": "shop"},
        "POST /deliveries/replay": window,
        "POST /events/import": [
            {
                "id": "evt_0000000000001",
                "project": "shop",
                "category": "old",
                "fields": {},
                "dialect": "slowping",
                "received_at": "2026-01-01T00:00:00Z",
            }
        ],
    }
    order = [name for name in ACTS if name != "DELETE /projects/{id}"] + ["DELETE /projects/{id}"]
    for name in order:
        method, path = name.split()
        noun = path.split("/")[1]
        if name == "DELETE /keys/{id}":
            names["keys"] = (await make(admin, "/keys", {"name": "other"}))["id"]
        if name == "POST /deliveries/replay":
            await admin.post("/deliveries/discard", json={"states": ["pending"]})
        before = await told(admin)
        answer = await admin.request(
            method, path.replace("{id}", names.get(noun, "")), json=bodies.get(name, {})
        )
        assert answer.is_success, (name, answer.text)
        if method == "POST" and path in {"/projects", "/categories", "/channels", "/keys"}:
            made = answer.json()
            names[noun] = (made.get("channel") or made.get("api_key") or made)["id"]
        [act] = (await told(admin))[len(before) :]
        assert act["act"] == ACTS[name]
        assert (act["author"], act["address"]) == ("first admin key", "127.0.0.1")


async def test_a_first_start_is_an_act_of_slowping_itself(admin: httpx.AsyncClient) -> None:
    acts = await told(admin)
    assert {(act["author"], act["key"], act["address"]) for act in acts} == {
        ("slowping", None, None)
    }
    assert [act["act"] for act in acts if act["name"] == "first admin key"] == ["key.issued"]


async def test_acts_on_many_tell_what_was_asked_for_and_how_many_it_was(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    await house.project("shop", channels=["console"])
    for _ in range(3):
        await admin.post("/events", json={"category": "sale", "project": "shop"})
    await admin.post(
        "/deliveries/discard",
        json={"project": "shop", "channel": "console-0", "states": ["pending"]},
    )
    await admin.post(
        "/deliveries/replay",
        json={"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"},
    )
    discarded, replayed = await told(admin, act="deliveries")
    assert discarded["project"] == "shop"
    assert discarded["after"] == {"channel": "console-0", "states": ["pending"], "moved": 3}
    assert (replayed["project"], replayed["after"]["queued"]) == (None, 3)
    assert replayed["after"]["since"] == "2020-01-01T00:00:00Z"


async def test_what_was_only_tried_is_no_act(house: RunningHouse, admin: httpx.AsyncClient) -> None:
    await house.project("shop", channels=["console"])
    await admin.post("/events", json={"category": "sale", "project": "shop"})
    await admin.post("/deliveries/discard", json={"states": ["pending"]})
    window = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z", "dry_run": True}
    assert (await admin.post("/deliveries/replay", json=window)).json()["queued"] == 1
    assert (await admin.post("/projects", json={"name": "shop"})).status_code == 409
    assert (await admin.patch(f"/projects/{UNKNOWN}", json={})).status_code == 404
    assert await told(admin, act="deliveries.replayed") == []


async def test_no_secret_is_told(house: RunningHouse, admin: httpx.AsyncClient) -> None:
    secret = "a-secret-of-the-far-side"
    issued = (await admin.post("/keys", json={"name": "till"})).json()
    body = {
        "name": "hook",
        "kind": "telegram",
        "settings": {"bot_token": f"123456:{secret}", "chat_id": "1"},
    }
    made = await make(admin, "/channels", body)
    await admin.delete(f"/channels/{made['id']}")
    all_told = json.dumps(await told(admin))
    assert "hook" in all_told
    for hidden in (secret, issued["value"], house.admin_key):
        assert hidden not in all_told


async def test_the_audit_is_for_admins_alone(speak: Speak) -> None:
    client = await speak("default", scopes=("ingest", "read"))
    assert (await client.get("/audit")).status_code == 403


async def test_acts_are_narrowed_by_project_key_and_time(
    house: RunningHouse, admin: httpx.AsyncClient, speak: Speak
) -> None:
    shop = await make(admin, "/projects", {"name": "shop"})
    other = await speak("default", scopes=("admin",))
    await make(other, "/categories", {"name": "sale", "project": "shop"})
    [first, second] = await told(admin, project="shop")
    assert (first["act"], second["act"]) == ("project.created", "category.created")
    assert await told(admin, project="shop", key=second["key"]) == [second]
    assert await told(admin, since="2100-01-01T00:00:00Z") == []
    await admin.delete(f"/projects/{shop['id']}")
    assert len(await told(admin, project=shop["id"])) == 3


@pytest.mark.parametrize(
    ("query", "status"), [("key=till", 404), ("project=nowhere", 404), ("limit=0", 422)]
)
async def test_a_wrong_filter_is_refused(query: str, status: int, admin: httpx.AsyncClient) -> None:
    assert (await admin.get(f"/audit?{query}")).status_code == status


@pytest.mark.parametrize("act", ["%", "_", "project%", "proj", "", "." * 60_000])
async def test_what_is_no_act_is_refused_with_those_that_are(
    act: str, admin: httpx.AsyncClient
) -> None:
    answer = await admin.get("/audit", params={"act": act})
    assert answer.status_code == 422
    assert "The acts are project.created .changed .removed; cat" in answer.json()["detail"]

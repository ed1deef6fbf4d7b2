import httpx

from tests.conftest import RunningHouse
from tests.server.api.conftest import Speak


async def test_a_project_is_created_changed_and_removed(admin: httpx.AsyncClient) -> None:
    created = await admin.post("/projects", json={"name": "shop", "monthly_quota": 5})
    assert created.status_code == 201
    place = f"/projects/{created.json()['id']}"
    assert (await admin.get(place)).json() == created.json()
    changed = await admin.patch(place, json={"name": "store", "monthly_quota": None})
    assert changed.json() == {**created.json(), "name": "store", "monthly_quota": None}
    removed = await admin.delete(place)
    assert (removed.status_code, removed.content) == (204, b"")
    assert (await admin.get(place)).status_code == 404
    assert (await admin.delete(place)).status_code == 404


async def test_a_new_project_takes_events_at_once(admin: httpx.AsyncClient) -> None:
    await admin.post("/projects", json={"name": "shop"})
    answer = await admin.post("/events", json={"category": "a", "project": "shop"})
    assert answer.status_code == 201


async def test_a_name_is_taken_once(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/projects", json={"name": "default"})
    assert answer.status_code == 409
    assert (answer.json()["noun"], answer.json()["name"]) == ("project", "default")


async def test_a_misspelt_member_is_refused(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/projects", json={"name": "shop", "quota": 5})
    assert answer.status_code == 422
    assert "quota" in answer.json()["detail"]


async def test_keys_end_with_their_home(
    house: RunningHouse, speak: Speak, admin: httpx.AsyncClient
) -> None:
    await house.project("shop")
    client = await speak("shop")
    [shop] = (await admin.get("/projects?name=shop")).json()["items"]
    await admin.delete(f"/projects/{shop['id']}")
    assert (await client.get("/projects")).status_code == 401


async def test_projects_are_found_by_name(house: RunningHouse, speak: Speak) -> None:
    await house.project("shop")
    client = await speak("shop")
    for name, found in (("shop", 1), ("default", 0), ("nowhere", 0)):
        assert len((await client.get(f"/projects?name={name}")).json()["items"]) == found

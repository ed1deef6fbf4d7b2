import httpx
import pytest

from tests.conftest import RunningHouse


async def test_a_category_is_created_changed_and_removed(admin: httpx.AsyncClient) -> None:
    new = {"name": "deploys", "emoji": "🚀", "color": 0x2ECC71, "channels": ["console"]}
    created = await admin.post("/categories", json=new)
    assert created.status_code == 201
    assert created.json()["project"] == "default"
    assert {name: created.json()[name] for name in new} == new
    place = f"/categories/{created.json()['id']}"
    changed = await admin.patch(place, json={"name": "ships", "channels": []})
    assert changed.json() == {**created.json(), "name": "ships", "channels": []}
    assert (await admin.get(place)).json() == changed.json()
    assert (await admin.delete(place)).status_code == 204
    assert (await admin.get(place)).status_code == 404


async def test_a_route_holds_for_the_next_event(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    await house.project("shop", channels=["console", "console"])
    new = {"name": "sale", "project": "shop", "channels": ["console-1"]}
    created = (await admin.post("/categories", json=new)).json()

    async def told() -> list[str]:
        draft = {"category": "sale", "project": "shop"}
        sent = (await admin.post("/events", json=draft)).json()
        detail = (await admin.get(f"/events/{sent['id']}")).json()
        return sorted(made["delivery"]["channel"] for made in detail["deliveries"])

    assert await told() == ["console-1"]
    await admin.patch(f"/categories/{created['id']}", json={"channels": []})
    assert await told() == ["console-0", "console-1"]


@pytest.mark.parametrize(
    ("new", "status"),
    [
        ({"name": "bug"}, 409),
        ({"name": "x", "channels": ["nowhere"]}, 404),
        ({"name": "x", "project": "nowhere"}, 404),
        ({"name": "x\n"}, 422),
        ({"name": "x", "color": 0x1000000}, 422),
    ],
)
async def test_what_cannot_be_created_is_refused(
    new: dict[str, object], status: int, admin: httpx.AsyncClient
) -> None:
    assert (await admin.post("/categories", json=new)).status_code == status


async def test_the_project_has_to_be_named_where_none_is_meant(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    await house.project("shop")
    await house.project("blog")
    [default] = (await admin.get("/projects?name=default")).json()["items"]
    await admin.patch(f"/projects/{default['id']}", json={"name": "first"})
    answer = await admin.post("/categories", json={"name": "x"})
    assert answer.status_code == 422
    assert "which project" in answer.json()["detail"]


async def test_categories_are_found_by_name(admin: httpx.AsyncClient) -> None:
    found = (await admin.get("/categories?name=bug&project=default")).json()["items"]
    assert [category["name"] for category in found] == ["bug"]

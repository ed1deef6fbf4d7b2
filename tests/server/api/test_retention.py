import pathlib

import httpx

from slowping.core.delivery import DeliveryState
from slowping.server.process.disk import LOOK_EVERY_S, Usage
from slowping.testing import FrozenClock
from tests.acceptance.eventually import eventually
from tests.conftest import RunningHouse, running_house
from tests.server.api.conftest import Speak

DAY_S = 86_400


async def test_what_is_old_is_told_and_then_removed(tmp_path: pathlib.Path) -> None:
    clock = FrozenClock()
    async with running_house(tmp_path, clock=clock) as house:
        headers = {"authorization": f"Bearer {house.admin_key}"}
        url = "/slowping/v1"
        project = (await house.client.get(f"{url}/projects", headers=headers)).json()["items"][0]
        await house.client.patch(
            f"{url}/projects/{project['id']}", headers=headers, json={"keep_days": 2}
        )
        await house.client.post(f"{url}/events", headers=headers, json={"category": "bug"})
        await delivered(house)
        clock.step(2 * DAY_S + 1)
        told = await house.client.post(f"{url}/prune", headers=headers, json={"dry_run": True})
        [part] = told.json()["parts"]
        assert (part["project"], part["what"], part["number"]) == ("default", "events", 1)
        assert part["bytes"] > 100
        gone = await house.client.post(f"{url}/prune", headers=headers)
        assert gone.json() == told.json()
        assert gone.json()["is_complete"] is True
        left = await house.client.get(f"{url}/events", headers=headers)
        assert left.json()["items"] == []


async def delivered(house: RunningHouse) -> None:
    """Wait until the one delivery has arrived."""

    async def arrived() -> bool:
        by_state = await house.store.outbox.count_by_state()
        return by_state.get(DeliveryState.DELIVERED) == 1

    await eventually(arrived)


async def test_pruning_takes_an_admin(house: RunningHouse, speak: Speak) -> None:
    await house.project("shop")
    reader = await speak("shop", scopes=("ingest", "read"))
    assert (await reader.post("/prune", json={"dry_run": True})).status_code == 403


async def test_how_long_events_are_kept_is_set_for_projects_and_categories(
    admin: httpx.AsyncClient,
) -> None:
    shop = (await admin.post("/projects", json={"name": "shop", "keep_days": 30})).json()
    assert (shop["keep_days"], shop["keep_mb"]) == (30, None)
    new = {"name": "sale", "project": "shop", "keep_days": 0, "keep_mb": 50}
    sale = (await admin.post("/categories", json=new)).json()
    assert (sale["keep_days"], sale["keep_mb"]) == (0, 50)
    changed = await admin.patch(f"/categories/{sale['id']}", json={"keep_days": None})
    assert (changed.json()["keep_days"], changed.json()["keep_mb"]) == (None, 50)
    for wrong in (-1, 36_501, "ten"):
        refused = await admin.patch(f"/projects/{shop['id']}", json={"keep_days": wrong})
        assert refused.status_code == 422


_KEPT: list[tuple[str, object]] = [
    ("/slowping/v1/events", {"category": "bug"}),
    ("/api/v1/events", {"category": "bug"}),
    (
        "/slowping/v1/events/import",
        [{"category": "bug", "received_at": "2026-01-01T00:00:00Z"}],
    ),
    ("/api/slowstats/ingest-metrics", {"projectId": "default", "payload": {"visitorId": "v"}}),
]
"""Wherever something is taken in."""


async def test_a_disk_that_is_nearly_full_refuses_events_and_nothing_else(
    tmp_path: pathlib.Path,
) -> None:
    clock, full = FrozenClock(), Usage(total=10**12, free=4 * 10**8)
    async with running_house(tmp_path, clock=clock, disk_usage=lambda _: full) as house:
        headers = {"authorization": f"Bearer {house.admin_key}"}
        keys = {**headers, "x-api-key": house.admin_key}
        for path, body in _KEPT:
            refused = await house.client.post(path, headers=keys, json=body)
            assert (refused.status_code, refused.headers.get("retry-after")) == (503, "30"), path
        ready = await house.client.get("/slowping/v1/health/ready")
        assert ready.status_code == 503
        assert "nearly full (381 MiB are free)" in ready.text
        assert (await house.client.get("/slowping/v1/health/live")).status_code == 200
        listed = await house.client.get("/slowping/v1/events", headers=headers)
        # Of what slowping itself had to say there is one.
        [notice] = listed.json()["items"]
        assert (notice["category"], notice["source"]) == ("slowping", "slowping")
        assert "nearly full" in notice["description"]


async def test_once_there_is_room_again_events_are_accepted(tmp_path: pathlib.Path) -> None:
    clock, free = FrozenClock(), [4 * 10**8]
    async with running_house(
        tmp_path, clock=clock, disk_usage=lambda _: Usage(total=10**12, free=free[0])
    ) as house:
        headers = {"authorization": f"Bearer {house.admin_key}"}
        free[0] = 10**9
        clock.advance(LOOK_EVERY_S)

        async def is_accepted() -> bool:
            url = "/slowping/v1/events"
            answer = await house.client.post(url, headers=headers, json={"category": "bug"})
            return answer.status_code == 201

        await eventually(is_accepted)
        assert (await house.client.get("/slowping/v1/health/ready")).status_code == 200


async def test_the_figures_tell_of_the_disk_and_the_database(admin: httpx.AsyncClient) -> None:
    told = (await admin.get("/metrics")).text
    for part in ("used", "free", "log"):
        assert f'slowping_database_bytes{{part="{part}"}}' in told
    assert 'slowping_disk_bytes{part="free"}' in told

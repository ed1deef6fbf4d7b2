from typing import Any

import httpx
import pytest

from slowping.core import ids
from slowping.core.delivery import AttemptOutcome, AttemptRecord, DeliveryState, Settlement
from tests.conftest import RunningHouse
from tests.server.api.conftest import Speak


@pytest.fixture
async def deliveries(house: RunningHouse, speak: Speak) -> list[str]:
    """Ids of three deliveries of the project `shop`, oldest first: its channel is paused."""
    await house.project("shop", channels=["console"])
    client = await speak("shop")
    await client.post("/events", json=[{"category": name} for name in "aba"])
    listed = (await client.get("/deliveries")).json()["items"]
    return [item["id"] for item in reversed(listed)]


async def fail(house: RunningHouse, count: int) -> None:
    """Let the first `count` deliveries of `shop` fail."""
    [channel] = (await house.store.directory.snapshots(await house.number("shop")))[0].channels
    now = house.world.clock.now_ms()
    leased = await house.store.outbox.lease(
        channel.id, now=now, until=now + 1000, owner="test", limit=count
    )
    record = AttemptRecord(
        started_at=now, duration_ms=5, outcome=AttemptOutcome.REJECTED, status=400, reason="no"
    )
    settled = [
        Settlement(delivery_id=one.id, state=DeliveryState.FAILED, attempt=record, last_error="no")
        for one in leased
    ]
    await house.store.outbox.settle(channel.id, settled, now=now)


async def states(admin: httpx.AsyncClient) -> list[str]:
    listed = (await admin.get("/deliveries?project=shop")).json()["items"]
    return [item["state"] for item in reversed(listed)]


async def test_deliveries_are_filtered(
    house: RunningHouse, admin: httpx.AsyncClient, deliveries: list[str]
) -> None:
    await fail(house, 1)
    first, second, third = deliveries
    event = (await admin.get(f"/deliveries/{third}")).json()["delivery"]["event_id"]

    async def listed(query: str) -> list[str]:
        return [item["id"] for item in (await admin.get(f"/deliveries?{query}")).json()["items"]]

    assert await listed("project=shop") == [third, second, first]
    assert await listed("state=failed") == [first]
    assert await listed("state=failed&state=pending&category=a") == [third, first]
    assert await listed("channel=console-0&category=b") == [second]
    assert await listed(f"event={event}") == [third]
    assert await listed("since=2100-01-01T00:00:00Z") == []
    assert await listed("error=no") == [first]
    assert await listed("error=No") == []


async def test_deliveries_are_grouped_the_failed_ones_first(
    house: RunningHouse, admin: httpx.AsyncClient, deliveries: list[str]
) -> None:
    await fail(house, 1)
    failed, pending = (await admin.get("/deliveries/groups")).json()["items"]
    assert (failed["state"], failed["last_error"], failed["count"]) == ("failed", "no", 1)
    assert (failed["project"], failed["channel"], failed["kind"]) == (
        "shop",
        "console-0",
        "console",
    )
    assert (pending["state"], pending["last_error"], pending["count"]) == ("pending", None, 2)
    assert pending["oldest_at"] <= pending["newest_at"]


async def test_what_has_ended_well_is_grouped_only_when_it_is_asked_for(
    admin: httpx.AsyncClient, deliveries: list[str]
) -> None:
    await admin.post("/deliveries/discard", json={"ids": deliveries[1:]})

    async def grouped(query: str) -> list[tuple[str, int]]:
        page = (await admin.get(f"/deliveries/groups?{query}")).json()
        assert page["cursor"] is None
        return [(item["state"], item["count"]) for item in page["items"]]

    assert await grouped("project=shop") == [("pending", 1)]
    assert await grouped("project=default") == []
    assert await grouped("state=discarded&state=pending") == [("pending", 1), ("discarded", 2)]
    assert await grouped("state=delivered") == []


async def test_groups_are_of_the_projects_that_a_key_sees(
    house: RunningHouse, speak: Speak, deliveries: list[str]
) -> None:
    await house.project("other")
    stranger = await speak("other")
    assert (await stranger.get("/deliveries/groups")).json()["items"] == []
    assert (await stranger.get("/deliveries/groups?project=shop")).status_code == 403
    assert (await stranger.get("/deliveries/groups?state=gone")).status_code == 422
    assert (await stranger.get("/deliveries/groups?sate=failed")).status_code == 422


async def test_a_delivery_is_shown_with_its_attempts(
    house: RunningHouse, admin: httpx.AsyncClient, deliveries: list[str]
) -> None:
    await fail(house, 1)
    told = (await admin.get(f"/deliveries/{deliveries[0]}")).json()
    assert told["delivery"]["last_error"] == "no"
    [attempt] = told["attempts"]
    assert (attempt["no"], attempt["outcome"], attempt["status"]) == (1, "rejected", 400)


async def test_a_failed_delivery_is_retried(
    house: RunningHouse, admin: httpx.AsyncClient, deliveries: list[str]
) -> None:
    await fail(house, 1)
    answer = await admin.post(f"/deliveries/{deliveries[0]}/retry")
    assert (answer.status_code, answer.json()["state"]) == (200, "pending")
    assert len((await admin.get(f"/deliveries/{deliveries[0]}")).json()["attempts"]) == 1


async def test_what_is_delivered_is_not_retried(admin: httpx.AsyncClient) -> None:
    sent = (await admin.post("/events", json={"category": "bug"})).json()
    delivery: dict[str, Any] = {"state": "pending"}
    while delivery["state"] != "delivered":
        [told] = (await admin.get(f"/events/{sent['id']}")).json()["deliveries"]
        delivery = told["delivery"]
    for act in ("retry", "discard"):
        answer = await admin.post(f"/deliveries/{delivery['id']}/{act}")
        assert answer.status_code == 409
        assert "is delivered" in answer.json()["detail"]


async def test_what_has_no_channel_any_more_is_not_retried(
    admin: httpx.AsyncClient, deliveries: list[str]
) -> None:
    found = (await admin.get(f"/deliveries/{deliveries[0]}")).json()["delivery"]
    channels = await admin.get("/channels", params={"project": found["project"]})
    for channel in channels.json()["items"]:
        await admin.delete(f"/channels/{channel['id']}")
    answer = await admin.post(f"/deliveries/{deliveries[0]}/retry")
    assert answer.status_code == 409
    assert "has no channel any more" in answer.json()["detail"]


async def test_a_retry_of_many_takes_the_failed_ones(
    house: RunningHouse, admin: httpx.AsyncClient, deliveries: list[str]
) -> None:
    await fail(house, 2)
    answer = await admin.post("/deliveries/retry", json={"project": "shop"})
    assert answer.json() == {"moved": 2}
    assert await states(admin) == ["pending", "pending", "pending"]


async def test_many_are_retried_and_discarded_by_the_text_of_their_error(
    house: RunningHouse, admin: httpx.AsyncClient, deliveries: list[str]
) -> None:
    await fail(house, 2)
    for act in ("retry", "discard"):
        answer = await admin.post(f"/deliveries/{act}", json={"error": "another"})
        assert answer.json() == {"moved": 0}
    answer = await admin.post("/deliveries/discard", json={"error": "no"})
    assert answer.json() == {"moved": 2}
    everything = {"states": ["discarded", "pending"], "error": "no"}
    assert (await admin.post("/deliveries/retry", json=everything)).json() == {"moved": 2}


async def test_a_discard_of_many_takes_the_failed_ones(
    house: RunningHouse, admin: httpx.AsyncClient, deliveries: list[str]
) -> None:
    await fail(house, 2)
    answer = await admin.post("/deliveries/discard", json={"category": "a"})
    assert answer.json() == {"moved": 1}
    assert await states(admin) == ["discarded", "failed", "pending"]


async def test_named_deliveries_are_taken_in_any_state(
    admin: httpx.AsyncClient, deliveries: list[str]
) -> None:
    answer = await admin.post("/deliveries/discard", json={"ids": deliveries[1:]})
    assert answer.json() == {"moved": 2}
    assert await states(admin) == ["pending", "discarded", "discarded"]


async def test_one_delivery_is_discarded(admin: httpx.AsyncClient, deliveries: list[str]) -> None:
    answer = await admin.post(f"/deliveries/{deliveries[0]}/discard")
    assert answer.json()["state"] == "discarded"


@pytest.mark.parametrize("act", ["retry", "discard"])
async def test_nothing_is_done_to_many_without_saying_so(
    act: str, admin: httpx.AsyncClient, deliveries: list[str]
) -> None:
    assert (await admin.post(f"/deliveries/{act}")).status_code == 400
    assert (await admin.post(f"/deliveries/{act}", json={"sates": []})).status_code == 422
    unknown = ids.encode(ids.DELIVERY, 1)
    assert (await admin.post(f"/deliveries/{unknown}/{act}")).status_code == 404
    assert (await admin.post(f"/deliveries/{act}", json={"ids": ["x"]})).status_code == 404


# Replaying -----------------------------------------------------------------------------------

CENTURY = {"since": "2000-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}


async def test_a_replay_counts_before_it_acts(
    house: RunningHouse, admin: httpx.AsyncClient, deliveries: list[str]
) -> None:
    await fail(house, 1)
    made = {"kind": "console", "name": "late", "project": "shop"}
    late = (await admin.post("/channels", json=made)).json()["channel"]
    await admin.post(f"/channels/{late['id']}/pause", json={})
    order = {**CENTURY, "project": "shop"}
    told = {"events": 3, "queued": 1, "made": 3}
    assert (await admin.post("/deliveries/replay", json={**order, "dry_run": True})).json() == told
    assert await states(admin) == ["failed", "pending", "pending"]
    answer = await admin.post("/deliveries/replay", json=order)
    assert (answer.status_code, answer.json()) == (200, told)
    assert await states(admin) == ["pending"] * 6
    assert (await admin.post("/deliveries/replay", json=order)).json() == {
        "events": 3, "queued": 0, "made": 0,
    }  # fmt: skip


async def test_a_replay_is_narrowed(admin: httpx.AsyncClient, deliveries: list[str]) -> None:
    await admin.post("/deliveries/discard", json={"ids": deliveries})

    async def counted(**wanted: object) -> tuple[int, int]:
        order = {**CENTURY, "dry_run": True, **wanted}
        told = (await admin.post("/deliveries/replay", json=order)).json()
        return told["events"], told["queued"]

    assert await counted() == (3, 3)
    assert await counted(category="b") == (1, 1)
    assert await counted(channel="console-0") == (3, 3)
    assert await counted(channel="other") == (0, 0)
    assert await counted(project="default") == (0, 0)
    assert await counted(until="2000-01-01T00:00:01Z") == (0, 0)


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({}, 422),
        ({"since": "2026-01-01T00:00:00Z"}, 422),
        ({**CENTURY, "until": CENTURY["since"]}, 422),
        ({**CENTURY, "since": "2200-01-01T00:00:00Z"}, 422),
        ({**CENTURY, "agian": True}, 422),
        ({**CENTURY, "project": "none"}, 404),
    ],
)
async def test_a_replay_that_makes_no_sense_is_refused(
    admin: httpx.AsyncClient, order: dict[str, object], status: int
) -> None:
    assert (await admin.post("/deliveries/replay", json=order)).status_code == status


@pytest.mark.parametrize("act", ["retry", "discard", "replay"])
async def test_only_who_administers_moves_deliveries(act: str, speak: Speak) -> None:
    sender = await speak("default")
    assert (await sender.post(f"/deliveries/{act}", json=CENTURY)).status_code == 403

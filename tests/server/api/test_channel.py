from typing import Any

import httpx
import pytest

from slowping.core import ids
from slowping.server.api import channel
from slowping.store.port import ChannelRecord
from tests.conftest import RunningHouse
from tests.server.api.conftest import Speak

HOOK = {"kind": "webhook", "name": "hook", "settings": {"url": "https://example.com/in"}}


async def created(admin: httpx.AsyncClient, **other: Any) -> dict[str, Any]:
    answer = await admin.post("/channels", json={**HOOK, **other})
    assert answer.status_code == 201, answer.text
    issued: dict[str, Any] = answer.json()
    return issued


async def test_a_made_secret_is_shown_once(admin: httpx.AsyncClient) -> None:
    issued = await created(admin)
    secret = issued["secrets"]["secret"]
    assert secret.startswith("whsec_")
    told = await admin.get(f"/channels/{issued['channel']['id']}")
    assert secret not in told.text
    assert told.json()["settings"]["secret"] == f"…{secret[-4:]}"


async def test_a_given_secret_is_never_shown(admin: httpx.AsyncClient) -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    answer = await admin.post(
        "/channels", json={**HOOK, "settings": {**HOOK["settings"], "secret": secret}}  # type: ignore[dict-item]
    )  # fmt: skip
    assert answer.status_code == 201
    assert answer.json()["secrets"] == {}
    assert secret not in answer.text


async def test_no_key_is_shown_what_lets_one_in_at_a_webhooks_address(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    url = "https://hooks.example/services/T0/4f3a9c21?token=5e8b"
    await created(admin, settings={"url": url})
    reader = {"authorization": f"Bearer {await house.key('default', scopes=('read',))}"}
    for headers in ({}, reader):
        [hook] = (await admin.get("/channels?name=hook", headers=headers)).json()["items"]
        assert hook["settings"]["url"] == "https://hooks.example/…5e8b"
    assert (await stored_settings(house, "hook"))["url"] == url


async def test_what_is_shown_of_a_secret_is_not_taken_for_one(admin: httpx.AsyncClient) -> None:
    settings = {"url": "https://hooks.example/…9c21"}
    answer = await admin.post("/channels", json={**HOOK, "settings": settings})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("The setting 'url' is given as it is shown")


async def test_a_refusal_does_not_repeat_a_secret(admin: httpx.AsyncClient) -> None:
    await created(admin, settings={"url": "https://hooks.example/4f3a9c215e8b7d60"})
    answer = await admin.get("/channels/4f3a9c215e8b7d60")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no channel '[secret]'."


async def test_a_change_leaves_alone_what_it_does_not_name(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    issued = await created(admin)
    shown = issued["channel"]["settings"]
    place = f"/channels/{issued['channel']['id']}"
    settings = {"url": "https://example.com/another/place", "secret": shown["secret"]}
    changed = await admin.patch(place, json={"name": "hooked", "settings": settings})
    assert changed.status_code == 200
    assert changed.json()["channel"]["name"] == "hooked"
    assert changed.json()["channel"]["settings"]["url"] == "https://example.com/…lace"
    assert changed.json()["secrets"] == {}
    stored = await stored_settings(house, "hooked")
    assert stored["secret"] == issued["secrets"]["secret"]


async def test_a_setting_that_is_null_goes_back_to_its_default(
    admin: httpx.AsyncClient,
) -> None:
    settings = {"url": "https://example.com/in", "expire_after_s": 60}
    issued = await created(admin, settings=settings)
    place = f"/channels/{issued['channel']['id']}"
    changed = await admin.patch(place, json={"settings": {"expire_after_s": None}})
    assert "expire_after_s" not in changed.json()["channel"]["settings"]
    refused = await admin.patch(place, json={"settings": {"url": None}})
    assert refused.status_code == 422


async def test_a_secret_that_is_null_is_made_anew_and_the_old_one_fades(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    issued = await created(admin)
    place = f"/channels/{issued['channel']['id']}"
    changed = (await admin.patch(place, json={"settings": {"secret": None}})).json()
    assert changed["secrets"]["secret"].startswith("whsec_")
    assert changed["secrets"] != issued["secrets"]
    stored = await stored_settings(house, "hook")
    assert stored["secret"] == changed["secrets"]["secret"]
    assert stored["previous_secret"] == issued["secrets"]["secret"]
    assert stored["previous_secret_until"] > house.world.clock.now_ms()


@pytest.mark.parametrize(
    ("new", "status", "words"),
    [
        ({"kind": "discrod"}, 422, "Did you mean 'discord'?"),
        ({"settings": {}}, 422, "url"),
        ({"settings": {"url": "https://example.com", "colour": "red"}}, 422, "colour"),
        ({"name": "console", "kind": "console", "settings": {}}, 409, "console"),
        ({"name": "a b"}, 422, "name"),
        ({"project": "nowhere"}, 404, "nowhere"),
    ],
)
async def test_what_cannot_be_created_is_refused_in_words(
    new: dict[str, Any], status: int, words: str, admin: httpx.AsyncClient
) -> None:
    answer = await admin.post("/channels", json={**HOOK, **new})
    assert answer.status_code == status
    assert words in answer.json()["detail"]


async def test_a_refused_secret_is_not_repeated(admin: httpx.AsyncClient) -> None:
    settings = {"url": "https://example.com/in", "secret": "not-a-proper-secret"}
    answer = await admin.post("/channels", json={**HOOK, "settings": settings})
    assert "not-a-proper-secret" not in answer.text


async def test_a_paused_channel_says_why_and_sends_later(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    [console] = (await admin.get("/channels?name=console")).json()["items"]
    place = f"/channels/{console['id']}"
    paused = await admin.post(f"{place}/pause", json={"reason": "too loud"})
    assert paused.json()["paused_reason"] == "too loud"
    sent = (await admin.post("/events", json={"category": "bug"})).json()
    [waiting] = (await admin.get(f"/events/{sent['id']}")).json()["deliveries"]
    assert waiting["delivery"]["state"] == "pending"
    resumed = await admin.post(f"{place}/resume")
    assert resumed.json()["paused_at"] is None


async def test_a_channel_that_would_be_paused_again_at_once_is_not_resumed(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    await house.project("shop", channels=["webhook"])  # one that has lost its address
    [hook] = (await admin.get("/channels?project=shop")).json()["items"]
    refused = await admin.post(f"/channels/{hook['id']}/resume")
    assert refused.status_code == 409
    assert "webhook-0 cannot be resumed: its settings cannot be used" in refused.json()["detail"]
    assert (await admin.get(f"/channels/{hook['id']}")).json()["paused_at"] is not None
    mended = {"settings": {"url": "https://example.com/in"}}
    await admin.patch(f"/channels/{hook['id']}", json=mended)
    resumed = await admin.post(f"/channels/{hook['id']}/resume")
    assert resumed.json()["paused_at"] is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://shop.example/hook/token", "the address starts with http://; use https://"),
        ("https://10.0.0.1/hook/token", "10.0.0.1 is not a public address"),
    ],
)
async def test_a_channel_that_could_never_send_is_refused(
    admin: httpx.AsyncClient, url: str, reason: str
) -> None:
    made = (await created(admin))["channel"]
    for answer in (
        await admin.post("/channels", json={**HOOK, "name": "other", "settings": {"url": url}}),
        await admin.patch(f"/channels/{made['id']}", json={"settings": {"url": url}}),
    ):
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith(f"The setting 'url' is refused: {reason}")
        assert "token" not in answer.text
    assert [
        each["name"] for each in (await admin.get("/channels?kind=webhook")).json()["items"]
    ] == ["hook"]


async def test_a_name_that_leads_nowhere_yet_is_taken(admin: httpx.AsyncClient) -> None:
    await created(admin, settings={"url": "https://not-yet.invalid/hook"})


async def test_a_channel_that_may_not_send_any_more_can_be_renamed_but_not_resumed(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    hook = (await created(admin))["channel"]
    place = f"/channels/{hook['id']}"
    await admin.post(f"{place}/pause")
    await _lead(house, hook["id"], "http://shop.example/hook")
    assert (await admin.patch(place, json={"name": "old-hook"})).status_code == 200
    refused = await admin.post(f"{place}/resume")
    assert refused.status_code == 409
    assert "The setting 'url' is refused: the address starts" in refused.json()["detail"]


async def test_a_pause_needs_no_reason(admin: httpx.AsyncClient) -> None:
    [console] = (await admin.get("/channels?name=console")).json()["items"]
    paused = await admin.post(f"/channels/{console['id']}/pause")
    assert paused.json()["paused_reason"].startswith("Paused by hand")


async def test_a_test_goes_out_at_once_and_leaves_no_trace(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    [console] = (await admin.get("/channels?name=console")).json()["items"]
    came = await admin.post(f"/channels/{console['id']}/test")
    assert came.status_code == 200
    assert came.json()["outcome"] == "delivered"
    assert "console" in house.printed
    assert (await admin.get("/events")).json()["items"] == []


async def test_a_removed_channel_discards_what_waits(
    house: RunningHouse, speak: Speak, admin: httpx.AsyncClient
) -> None:
    await house.project("shop", channels=["console"])
    await (await speak("shop")).post("/events", json={"category": "a"})
    [shop] = (await admin.get("/channels?project=shop")).json()["items"]
    assert (await admin.delete(f"/channels/{shop['id']}")).status_code == 204
    [delivery] = (await admin.get("/deliveries?project=shop")).json()["items"]
    assert delivery["state"] == "discarded"
    assert (await admin.get(f"/channels/{shop['id']}")).status_code == 404


async def test_channels_are_found_by_kind(admin: httpx.AsyncClient) -> None:
    await created(admin)
    found = (await admin.get("/channels?kind=webhook")).json()["items"]
    assert [one["name"] for one in found] == ["hook"]


async def test_the_kinds_tell_which_settings_are_secret(admin: httpx.AsyncClient) -> None:
    kinds = {one["kind"]: one for one in (await admin.get("/channel-kinds")).json()["items"]}
    assert {"console", "discord", "email", "telegram", "webhook"} <= kinds.keys()
    assert kinds["webhook"]["settings"]["properties"]["secret"]["writeOnly"] is True
    assert kinds["console"]["summary"]


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({}, {"url": "u", "secret": "0123456789abcdef"}),
        ({"url": "v"}, {"url": "v", "secret": "0123456789abcdef"}),
        ({"url": None}, {"secret": "0123456789abcdef"}),
        ({"absent": None}, {"url": "u", "secret": "0123456789abcdef"}),
        ({"secret": "…cdef"}, {"url": "u", "secret": "0123456789abcdef"}),
        ({"secret": "…beef"}, {"url": "u", "secret": "…beef"}),
        ({"secret": "new"}, {"url": "u", "secret": "new"}),
    ],
)
def test_settings_are_merged(given: dict[str, Any], left: dict[str, Any]) -> None:
    stored = {"url": "u", "secret": "0123456789abcdef"}
    assert channel.merged(stored, given, frozenset({"secret"})) == left


async def _lead(house: RunningHouse, channel_id: str, url: str) -> None:
    """Leave a channel as it is where the operator has allowed less since it was made."""
    record = ChannelRecord(name="hook", kind="webhook", settings={}, secrets={"url": url})
    number = ids.decode(ids.CHANNEL, channel_id)
    await house.store.directory.change_channel(number, record, now=house.world.clock.now_ms())


async def stored_settings(house: RunningHouse, name: str) -> dict[str, Any]:
    [found] = [
        channel.settings
        for snapshot in await house.store.directory.snapshots()
        for channel in snapshot.channels
        if channel.name == name
    ]
    return found

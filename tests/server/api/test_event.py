import asyncio
import datetime as dt

import httpx
import pytest

from slowping.core import errors
from slowping.core.event import NewEvent
from slowping.server.api import event
from tests.conftest import RunningHouse
from tests.server.api.conftest import Speak


async def test_one_event_is_answered_with_its_id(admin: httpx.AsyncClient) -> None:
    sent = {
        "category": "deploys", "description": "v2 shipped", "fields": {"build": 7},
        "source": "ci", "color": 255, "occurred_at": "2026-03-06T10:30:00+01:00",
    }  # fmt: skip
    answer = await admin.post("/events", json=sent)
    assert answer.status_code == 201
    accepted = answer.json()
    assert accepted.keys() == {"id", "received_at", "deduplicated"}
    assert accepted["deduplicated"] is False
    told = (await admin.get(f"/events/{accepted['id']}")).json()["event"]
    assert told["project"] == "default"
    assert told["dialect"] == "slowping"
    assert told["occurred_at"] == "2026-03-06T09:30:00Z"
    assert {name: told[name] for name in sent if name != "occurred_at"} == {
        name: value for name, value in sent.items() if name != "occurred_at"
    }


async def test_an_array_is_answered_in_its_order(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/events", json=[{"category": "a"}, {"category": "b"}])
    assert answer.status_code == 201
    first, second = answer.json()["events"]
    assert first["id"] < second["id"]
    told = (await admin.get(f"/events/{second['id']}")).json()
    assert told["event"]["category"] == "b"


async def test_an_event_is_shown_with_its_deliveries(house: RunningHouse, speak: Speak) -> None:
    await house.project("shop", channels=["console"], categories=["sale"])
    client = await speak("shop")
    sent = (await client.post("/events", json={"category": "sale"})).json()
    told = (await client.get(f"/events/{sent['id']}")).json()
    [delivery] = told["deliveries"]
    assert delivery["delivery"]["event_id"] == sent["id"]
    assert delivery["delivery"]["state"] == "pending"
    assert delivery["attempts"] == []


async def test_a_silent_event_makes_no_delivery(admin: httpx.AsyncClient) -> None:
    sent = (await admin.post("/events", json={"category": "bug", "notify": False})).json()
    assert (await admin.get(f"/events/{sent['id']}")).json()["deliveries"] == []


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ([], 422, "The request takes a list of at least 1 item."),
        ({}, 422, "The field 'category' is missing."),
        ("text", 422, "The request takes names with values or a list, not text."),
        ({"category": 7}, 422, "category: takes text, not a whole number."),
        (
            [{"category": "a"}, {"category": 7}],
            422,
            "item 2, category: takes text, not a whole number.",
        ),
        ({"category": " a"}, 422, "printable"),
        ({"category": "a", "desription": "b"}, 422, "There is no field 'desription'."),
        ([{"category": "a"}, {"category": "a", "x": 1}], 422, "item 2: "),
        ({"category": "a", "color": -1}, 422, "color: "),
        ({"category": "a", "occurred_at": "soon"}, 422, "occurred_at: "),
        ({"category": "a", "occurred_at": "9999-12-31T23:59:59-23:59"}, 422, "occurred_at: "),
        ({"category": "a", "fields": {str(n): n for n in range(101)}}, 422, "at most 100"),
        ([{"category": "a"}] * 1001, 422, "The request takes a list of at most 1000 items."),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_not_asked_for_is_refused_in_words(
    body: object, status: int, words: str, admin: httpx.AsyncClient
) -> None:
    answer = await admin.post("/events", json=body)
    assert answer.status_code == status
    assert words in answer.json()["detail"]


async def test_an_array_is_accepted_as_a_whole_or_not_at_all(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/events", json=[{"category": "a"}, {"category": "\n"}])
    assert answer.status_code == 422
    assert (await admin.get("/events")).json()["items"] == []


@pytest.mark.parametrize("header", ["order-7", '"order-7"'])
async def test_a_repeat_gets_the_first_receipt_again(
    header: str, house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    body = {"category": "bug", "fields": {"a": 1}}
    first = await admin.post("/events", json=body, headers={"idempotency-key": "order-7"})
    again = await admin.post("/events", json=body, headers={"idempotency-key": header})
    assert again.status_code == 201
    assert again.json() == {**first.json(), "deduplicated": True}
    assert len(await house.events("default")) == 1


async def test_an_idempotency_key_belongs_to_one_request(admin: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "order-7"}
    await admin.post("/events", json={"category": "bug"}, headers=headers)
    answer = await admin.post("/events", json={"category": "sale"}, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("#idempotency-key-reused")


async def test_a_repeat_is_recognised_when_the_quota_is_used_up(
    house: RunningHouse, speak: Speak
) -> None:
    await house.project("small", monthly_quota=1)
    client, headers = await speak("small"), {"idempotency-key": "only"}
    first = await client.post("/events", json={"category": "a"}, headers=headers)
    again = await client.post("/events", json={"category": "a"}, headers=headers)
    other = await client.post("/events", json={"category": "a"})
    assert again.json()["id"] == first.json()["id"]
    assert (other.status_code, other.json()["limit"]) == (429, 1)


async def test_an_array_fits_into_the_quota_or_is_refused(
    house: RunningHouse, speak: Speak
) -> None:
    await house.project("small", monthly_quota=3)
    client = await speak("small")
    for count, status in ((2, 201), (2, 429), (1, 201), (1, 429)):
        answer = await client.post("/events", json=[{"category": f"of-{count}"}] * count)
        assert answer.status_code == status
    assert len(await house.events("small")) == 3


async def test_however_many_come_at_once_the_quota_is_kept(
    house: RunningHouse, speak: Speak
) -> None:
    await house.project("small", monthly_quota=5)
    client = await speak("small")
    answers = await asyncio.gather(
        *(client.post("/events", json={"category": "a"}) for _ in range(64))
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [429] * 59


async def test_an_idempotency_key_is_printable(admin: httpx.AsyncClient) -> None:
    for key in ("", '""', "x" * 256, "\x80"):
        headers = {b"idempotency-key": key.encode("latin-1")}
        answer = await admin.post("/events", json={"category": "bug"}, headers=headers)
        assert answer.status_code == 422


async def test_events_land_in_the_home_of_the_key(house: RunningHouse, speak: Speak) -> None:
    await house.project("shop")
    await (await speak("shop")).post("/events", json={"category": "sale"})
    assert [event.category for event in await house.events("shop")] == ["sale"]


async def test_a_key_sends_to_the_projects_it_was_given(house: RunningHouse, speak: Speak) -> None:
    await house.project("shop")
    await house.project("blog")
    client = await speak("shop", projects=["blog"])
    blog = (await client.get("/projects?name=blog")).json()["items"][0]
    for name in ("blog", blog["id"]):
        answer = await client.post("/events", json={"category": "post", "project": name})
        assert answer.status_code == 201
    assert len(await house.events("blog")) == 2


@pytest.mark.parametrize("name", ["blog", "nowhere", ""])
async def test_another_project_is_as_if_there_were_none(
    name: str, house: RunningHouse, speak: Speak
) -> None:
    await house.project("shop")
    await house.project("blog")
    answer = await (await speak("shop")).post("/events", json={"category": "a", "project": name})
    assert answer.status_code == 403
    assert answer.json()["type"].endswith("#foreign-project")


async def test_one_request_is_for_one_project(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    await house.project("shop")
    mixed = [{"category": "a"}, {"category": "a", "project": "shop"}]
    answer = await admin.post("/events", json=mixed)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "All events of one request go to the same project."
    same = [{"category": "a"}, {"category": "a", "project": "default"}]
    assert (await admin.post("/events", json=same)).status_code == 201


async def test_a_key_in_a_web_page_is_bound_to_its_origin(
    house: RunningHouse, speak: Speak
) -> None:
    await house.project("shop")
    client = await speak("shop", scopes=["ingest"], origins=["https://shop.example"])
    for origin, status in (("https://shop.example", 201), ("https://evil.example", 403)):
        answer = await client.post("/events", json={"category": "a"}, headers={"origin": origin})
        assert answer.status_code == status


async def test_a_key_in_a_web_page_sends_only_to_projects_that_allow_the_page(
    house: RunningHouse, speak: Speak
) -> None:
    await house.project("shop")
    await house.project("blog", allowed_origins=["https://blog.example"])
    client = await speak("shop", projects=["blog"], origins=["https://shop.example"])
    headers = {"origin": "https://shop.example"}
    for project, status in (("shop", 201), ("blog", 403)):
        event = {"category": "a", "project": project}
        assert (await client.post("/events", json=event, headers=headers)).status_code == status


PAGE = {"origin": "https://shop.example"}
OTHER_PAGE = {"origin": "https://evil.example"}


async def test_a_page_may_send_and_read_what_it_is_answered(
    house: RunningHouse, speak: Speak
) -> None:
    await house.project("shop", monthly_quota=1)
    client = await speak("shop", scopes=["ingest"], origins=[PAGE["origin"]], rate_limit=5)
    asked = await client.options("/events", headers=PAGE)
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == PAGE["origin"]
    assert asked.headers["access-control-allow-methods"] == "POST"
    assert "Authorization" in asked.headers["access-control-allow-headers"]
    bodies: tuple[object, ...] = (
        {"category": "a"},
        {"category": "a"},
        {"category": 7},
        {"category": "a"},
        {},
        {},
    )
    for body, status in zip(bodies, (201, 429, 422, 429, 422, 429), strict=True):
        answer = await client.post("/events", json=body, headers=PAGE)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == PAGE["origin"]
        assert "RateLimit" in answer.headers["access-control-expose-headers"]
        assert answer.headers["x-ratelimit-limit"] == "5"
        assert answer.headers["vary"] == "Origin"


async def test_a_page_reads_that_its_key_is_unknown(house: RunningHouse, speak: Speak) -> None:
    await house.project("shop", allowed_origins=[PAGE["origin"]])
    answer = await (await speak(key="slp_nonsense")).post("/events", headers=PAGE)
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == PAGE["origin"]


async def test_a_page_of_an_origin_that_nobody_knows_hears_nothing(
    house: RunningHouse, speak: Speak
) -> None:
    await house.project("shop", allowed_origins=[PAGE["origin"]])
    client = await speak("shop")
    for method, body in (("OPTIONS", None), ("POST", {"category": "a"})):
        answer = await client.request(method, "/events", json=body, headers=OTHER_PAGE)
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_page_may_do_nothing_but_send(house: RunningHouse, speak: Speak) -> None:
    await house.project("shop", allowed_origins=[PAGE["origin"]])
    client = await speak("shop")
    for method, path in (("GET", "/events"), ("OPTIONS", "/projects"), ("GET", "/projects")):
        answer = await client.request(method, path, headers=PAGE)
        assert answer.is_success
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_events_are_listed_newest_first_and_filtered(
    house: RunningHouse, speak: Speak
) -> None:
    await house.project("shop")
    client = await speak("shop")
    for category, source in (("a", "x"), ("b", "x"), ("a", "y")):
        await client.post("/events", json={"category": category, "source": source})

    async def listed(**query: str) -> list[tuple[str, str]]:
        page = (await client.get("/events", params=query)).json()
        return [(item["category"], item["source"]) for item in page["items"]]

    assert await listed() == [("a", "y"), ("b", "x"), ("a", "x")]
    assert await listed(category="a") == [("a", "y"), ("a", "x")]
    assert await listed(source="x", project="shop") == [("b", "x"), ("a", "x")]
    assert await listed(since="2100-01-01T00:00:00Z") == []
    assert await listed(until="2020-01-01T00:00:00Z") == []


async def test_events_are_found_by_their_words(house: RunningHouse, speak: Speak) -> None:
    await house.project("shop")
    await house.project("other")
    for project in ("shop", "other"):
        client = await speak(project)
        await client.post("/events", json={"category": "a", "description": "Refund for Anna"})
        await client.post("/events", json={"category": "b", "fields": {"why": "out of stock"}})
    while await house.store.journal.index_on():
        pass
    client = await speak("shop")

    async def found(**query: str) -> list[tuple[str, str]]:
        page = (await client.get("/events", params=query)).json()
        return [(item["project"], item["category"]) for item in page["items"]]

    assert await found(text="anna refu*") == [("shop", "a")]
    assert await found(text='"out of stock"', category="b") == [("shop", "b")]
    assert await found(text='"out of stock"', category="a") == []


@pytest.mark.parametrize(
    "typed", ["%00a", "a%00", "%22", "a%22b%22%22", "%ED%A0%80a", "%FF", "a%0Ab", "*a*", "a" * 500]
)
async def test_whatever_is_searched_for_is_answered(admin: httpx.AsyncClient, typed: str) -> None:
    answer = await admin.get(f"/events?text={typed}")
    assert answer.status_code in {200, 422}


async def test_a_search_for_nothing_is_refused(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/events", params={"text": "!!!"})
    assert answer.status_code == 422
    assert "there is no word in it" in answer.text


async def test_a_read_key_sees_nothing_of_other_projects(
    house: RunningHouse, speak: Speak, admin: httpx.AsyncClient
) -> None:
    await house.project("shop", channels=["console"])
    client = await speak("shop", scopes=["read"])
    foreign = (await admin.post("/events", json={"category": "bug"})).json()["id"]
    delivery = (await admin.get("/deliveries")).json()["items"][0]
    for noun in ("events", "deliveries", "categories"):
        assert (await client.get(f"/{noun}")).json()["items"] == []
        assert (await client.get(f"/{noun}?project=default")).status_code == 403
    for noun in ("projects", "channels", "keys"):
        items = (await client.get(f"/{noun}")).json()["items"]
        assert [item.get("project", item["name"]) for item in items] == ["shop"]
    assert (await client.get(f"/events/{foreign}")).status_code == 404
    assert (await client.get(f"/deliveries/{delivery['id']}")).status_code == 404
    for noun in ("channels", "categories", "projects", "keys"):
        theirs = [
            item["id"]
            for item in (await admin.get(f"/{noun}")).json()["items"]
            if item.get("project", item["name"]) == "default"
        ]
        for name in theirs:
            assert (await client.get(f"/{noun}/{name}")).status_code == 404


async def test_a_key_without_read_may_not_look(speak: Speak) -> None:
    client = await speak("default", scopes=["ingest"])
    assert (await client.get("/events")).status_code == 403


async def test_an_unknown_event_is_not_found(admin: httpx.AsyncClient) -> None:
    for name in ("nonsense", "evt_0000000000001", "evt_7zzzzzzzzzzzz", "dlv_0000000000001"):
        answer = await admin.get(f"/events/{name}")
        assert answer.status_code == 404
        assert answer.json()["noun"] == "event"


def test_a_draft_has_no_nul_and_no_huge_number() -> None:
    new = NewEvent(category="a", description="a\0b", fields={"n": 2**70, "m": {"k\0": "\0"}})
    draft = event.draft_of(new)
    assert draft.description == "a\ufffdb"
    assert draft.fields == {"n": str(2**70), "m": {"k\ufffd": "\ufffd"}}


@pytest.mark.parametrize("year", [1, 1969, 9999])
def test_a_moment_that_no_date_can_hold_is_refused(year: int) -> None:
    with pytest.raises(errors.InvalidInput, match="year"):
        event.draft_of(NewEvent(category="a", occurred_at=dt.datetime(year, 1, 2, tzinfo=dt.UTC)))


async def test_a_page_of_large_events_is_short_and_leads_to_the_rest(
    admin: httpx.AsyncClient,
) -> None:
    large = {"category": "bug", "fields": {"log": "a" * 1_000_000}}
    sent = [(await admin.post("/events", json=large)).json()["id"] for _ in range(10)]
    first = (await admin.get("/events", params={"limit": 1_000})).json()
    assert [one["id"] for one in first["items"]] == sent[:0:-1]
    rest = {"limit": 1_000, "cursor": first["cursor"]}
    second = (await admin.get("/events", params=rest)).json()
    assert [one["id"] for one in second["items"]] == sent[:1]
    assert second["cursor"] is None

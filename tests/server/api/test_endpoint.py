import httpx
import pytest

from slowping.core.api_key import Scope
from slowping.server.api import ENDPOINTS
from slowping.server.api.endpoint import PREFIX, Endpoint
from tests.conftest import RunningHouse
from tests.server.api.conftest import Speak

OPEN = {"/health/live", "/health/ready", "/openapi.json", "/docs"}
ID = "evt_0000000000001"


def url(path: str) -> str:
    return path.replace("{id:str}", ID).replace("{id}", ID).removeprefix(PREFIX)


async def test_every_route_but_health_and_reference_refuses_without_a_key(
    house: RunningHouse,
) -> None:
    asked = 0
    for route in house.house.asgi._api.routes:  # type: ignore[attr-defined]  # a Litestar
        for method in route.methods - {"OPTIONS"}:
            path = url(route.path_format)
            answer = await house.client.request(method, PREFIX + path)
            assert answer.status_code == (200 if path in OPEN else 401), (method, path)
            asked += 1
    assert asked > len(ENDPOINTS)


@pytest.mark.parametrize(
    "endpoint",
    [endpoint for endpoint in ENDPOINTS if endpoint.scope is Scope.ADMIN],
    ids=lambda endpoint: f"{endpoint.method} {endpoint.path}",
)
async def test_what_changes_something_needs_the_admin_scope(
    endpoint: Endpoint[object, object], speak: Speak
) -> None:
    client = await speak("default", scopes=("ingest", "read"))
    answer = await client.request(endpoint.method, url(endpoint.path), content=b"not json")
    assert answer.status_code == 403
    assert answer.json()["type"] == "/slowping/v1/docs#forbidden"
    assert answer.json()["detail"] == "This API key lacks the scope 'admin'."


def test_whatever_is_no_reading_and_no_sending_needs_the_admin_scope() -> None:
    for endpoint in ENDPOINTS:
        if endpoint.path == "/events" and endpoint.method == "POST":
            assert endpoint.scope is Scope.INGEST
        elif endpoint.method != "GET" or endpoint.path == "/audit":
            assert endpoint.scope is Scope.ADMIN
        elif endpoint.path not in OPEN:
            assert endpoint.scope is Scope.READ


@pytest.mark.parametrize(
    ("headers", "condition"),
    [
        ({}, "no-credential"),
        ({"authorization": "Basic abc"}, "malformed-credential"),
        ({"authorization": "Bearer"}, "empty-credential"),
        ({"authorization": "Bearer nobody-knows-me"}, "unknown-api-key"),
        ({"x-api-key": "nobody-knows-me"}, "unknown-api-key"),
        ({"x-api-key": "Schlüssel"}, "unknown-api-key"),
    ],
)
async def test_a_key_that_does_not_open_says_why(
    headers: dict[str, str], condition: str, house: RunningHouse
) -> None:
    sent = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    answer = await house.client.get(f"{PREFIX}/projects", headers=sent)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == 'Bearer realm="slowping"'
    assert answer.json()["type"] == f"{PREFIX}/docs#{condition}"


async def test_who_guesses_keys_is_told_to_wait(
    house: RunningHouse, admin: httpx.AsyncClient
) -> None:
    place = f"{PREFIX}/projects"
    wrong = {"x-api-key": "wrong"}
    statuses = [(await house.client.get(place, headers=wrong)).status_code for _ in range(20)]
    assert statuses == [401] * 20
    answer = await house.client.get(place, headers=wrong)
    assert answer.status_code == 429
    assert answer.json()["type"] == f"{PREFIX}/docs#too-many-guesses"
    assert int(answer.headers["retry-after"]) == answer.json()["retry_after_s"] <= 60
    assert (await house.client.get(place)).status_code == 401
    assert (await admin.get("/projects")).status_code == 200


async def test_a_key_may_stand_in_either_header(house: RunningHouse) -> None:
    for headers in ({"x-api-key": house.admin_key}, {"authorization": f"bearer {house.admin_key}"}):
        answer = await house.client.get(f"{PREFIX}/projects", headers=headers)
        assert answer.status_code == 200


async def test_an_unknown_path_is_told_in_the_same_words(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/nonsense")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/slowping/v1/docs#unknown-path",
        "title": "Nothing here",
        "status": 404,
        "detail": "Nothing answers at this path.",
    }


async def test_a_wrong_method_is_told_the_right_ones(admin: httpx.AsyncClient) -> None:
    answer = await admin.put("/channels/chn_0000000000001")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"
    asked = await admin.options("/channels/chn_0000000000001")
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["allow"] == answer.headers["allow"]


async def test_a_path_with_a_name_is_not_one_with_an_id(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/deliveries/retry")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "OPTIONS, POST"


async def test_head_tells_what_get_would_without_the_body(admin: httpx.AsyncClient) -> None:
    answer = await admin.head("/projects")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{} trailing",
        b'{"name": NaN}',
        b'{"name":"\xff"}',
        b'{"name":"\\ud800"}',
        b'{"name":"a","x":' + b"[" * 200_000,
    ],
    ids=["empty", "cut", "trailing", "NaN", "UTF-8", "surrogate", "deep"],
)
async def test_what_is_no_json_is_never_a_server_fault(
    body: bytes, admin: httpx.AsyncClient
) -> None:
    answer = await admin.post("/projects", content=body)
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_refusal_repeats_no_name_at_length(house: RunningHouse) -> None:
    body = {"category": "sale", "project": "https://" * 100_000}
    own = {"authorization": f"Bearer {house.ingest_key}"}
    answer = await house.client.post(f"{PREFIX}/events", json=body, headers=own)
    assert answer.status_code == 403
    assert len(answer.content) < 10_000


async def test_a_body_over_the_limit_is_refused(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/projects", content=b" " * 1_048_577)
    assert answer.status_code == 413
    assert answer.json()["limit_bytes"] == 1_048_576


async def test_a_compressed_body_is_refused(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/projects", content=b"x", headers={"content-encoding": "gzip"})
    assert answer.status_code == 415
    assert answer.json()["encoding"] == "gzip"


async def test_a_byte_order_mark_is_skipped(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/projects", content=b'\xef\xbb\xbf{"name":"bom"}')
    assert answer.status_code == 201


async def test_the_minute_is_told_and_kept(house: RunningHouse, speak: Speak) -> None:
    client = await speak("default", rate_limit=2)
    first, second, third = [await client.get("/projects") for _ in range(3)]
    assert first.headers["x-ratelimit-limit"] == "2"
    assert first.headers["x-ratelimit-remaining"] == "1"
    assert int(first.headers["x-ratelimit-reset"]) * 1000 > house.world.clock.now_ms()
    assert second.headers["x-ratelimit-remaining"] == "0"
    assert third.status_code == 429
    assert third.headers["x-ratelimit-remaining"] == "0"
    assert third.json()["retry_after_s"] == int(third.headers["retry-after"])


async def test_a_refusal_tells_the_minute_as_well(speak: Speak) -> None:
    client = await speak("default", rate_limit=5)
    answer = await client.get("/events/evt_0000000000001")
    assert answer.status_code == 404
    assert answer.headers["x-ratelimit-remaining"] == "4"


async def test_a_key_without_a_limit_is_told_none(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/projects")
    assert "x-ratelimit-limit" not in answer.headers


async def test_a_fault_inside_tells_no_internals(
    house: RunningHouse, caplog: pytest.LogCaptureFixture
) -> None:
    await house.store.close()
    answer = await house.client.get(f"{PREFIX}/health/ready?secret=1")
    assert answer.status_code in {500, 503}
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text
    assert "sqlite" not in answer.text.lower()
    assert "secret=1" not in caplog.text


async def test_a_list_is_walked_by_its_cursor(admin: httpx.AsyncClient) -> None:
    for name in "abcde":
        await admin.post("/projects", json={"name": name})
    seen: list[str] = []
    query: dict[str, str | int] = {"limit": 2}
    while True:
        page = (await admin.get("/projects", params=query)).json()
        assert len(page["items"]) <= 2
        seen += [item["name"] for item in page["items"]]
        if page["cursor"] is None:
            break
        query["cursor"] = page["cursor"]
    assert seen == ["e", "d", "c", "b", "a", "default"]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("cursor=nonsense", "cursor"),
        ("since=yesterday", "since"),
        ("projct=shop", "projct"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(
    query: str, place: str, admin: httpx.AsyncClient
) -> None:
    answer = await admin.get(f"/events?{query}")
    assert answer.status_code == 422
    assert place in answer.json()["detail"]


async def test_refused_requests_are_counted(house: RunningHouse, admin: httpx.AsyncClient) -> None:
    await house.client.get(f"{PREFIX}/projects")
    figures = (await admin.get("/metrics")).text
    assert 'slowping_refused_requests_total{condition="NoCredential"} 1.0' in figures

"""Web pages send from where they may, and from nowhere else: the request itself is held to it."""

import httpx
import pytest

from tests.conftest import RunningHouse

SHOP = "https://shop.example"

PATHS = {"/api/v1/events": 200, "/slowping/v1/events": 201}
"""Where a page may send, and what it is answered."""


@pytest.fixture
async def key(house: RunningHouse) -> str:
    """A key for pages of one origin, written as people write it."""
    await house.project("shop", channels=["console"], categories=["sale"])
    return await house.key("shop", scopes=["ingest"], origins=["HTTPS://Shop.Example:443"])


async def sent(house: RunningHouse, path: str, key: str, origin: str | None) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"}
    if origin is not None:
        headers["origin"] = origin
    return await house.client.post(path, json={"category": "sale"}, headers=headers)


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_of_the_origin_may_send_and_read_the_answer(
    house: RunningHouse, key: str, path: str
) -> None:
    answer = await sent(house, path, key, SHOP)
    assert answer.status_code == PATHS[path]
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://evil.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://shop.example.evil.example",
        "https://evil.example/https://shop.example",
        "https://shop.example/",
        "HTTPS://SHOP.EXAMPLE",
        "https://shop.example, https://evil.example",
        "",
    ],
)
async def test_a_page_of_any_other_origin_may_not(
    house: RunningHouse, key: str, path: str, origin: str
) -> None:
    answer = await sent(house, path, key, origin)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert await house.events("shop") == []


@pytest.mark.parametrize("path", PATHS)
async def test_who_names_no_origin_is_no_page_and_may_send(
    house: RunningHouse, key: str, path: str
) -> None:
    assert (await sent(house, path, key, None)).status_code == PATHS[path]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("origin", "known"), [(SHOP, True), ("https://evil.example", False), ("null", False)]
)
async def test_browsers_are_told_before_they_send(
    house: RunningHouse, key: str, path: str, origin: str, known: bool
) -> None:
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    answer = await house.client.options(path, headers=asked)
    assert answer.status_code == 204
    assert answer.headers.get("access-control-allow-origin") == (origin if known else None)
    if known:
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert "Authorization" in answer.headers["access-control-allow-headers"]


async def test_pages_may_read_nothing_of_our_own_api(house: RunningHouse, key: str) -> None:
    for path in ("/slowping/v1/projects", "/slowping/v1/keys", "/slowping/v1/feed"):
        answer = await house.client.options(path, headers={"origin": SHOP})
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(("origin", "status"), [(SHOP, 200), ("https://evil.example", 403)])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/slowstats/ingest-events", {"projectId": "shop", "eventType": "sale"}),
        ("POST", "/api/slowstats/ingest-metrics", {"projectId": "shop", "payload": {"a": 1}}),
        ("GET", "/api/slowstats/get-events?projectId=shop", None),
    ],
)
async def test_a_project_that_a_body_names_is_as_particular_about_pages_as_a_home(
    house: RunningHouse, origin: str, status: int, method: str, path: str, body: object
) -> None:
    await house.project("blog", channels=["console"], categories=["sale"])
    await house.project("shop", channels=["console"], categories=["sale"], allowed_origins=[SHOP])
    key = await house.key("blog", scopes=["ingest", "read"], projects=["shop"])
    headers = {"x-api-key": key, "origin": origin}
    answer = await house.client.request(method, path, json=body, headers=headers)
    assert answer.status_code == status

"""Whoever guesses keys is told to wait in every dialect's own words, and nobody else is."""

import pathlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from slowping.testing import FrozenClock
from tests.conftest import RunningHouse, running_house

LIMIT = 20

SHAPES = [
    (
        "/api/v1/events",
        "Bearer",
        {"message": "Invalid API key"},
        {"message": "Rate limit exceeded. Please try again later.", "retryAfter": 60},
    ),
    (
        "/api/v1/event",
        "Bearer",
        {"message": "Invalid API key"},
        {"message": "Rate limit exceeded. Please try again later.", "retryAfter": 60},
    ),
    (
        "/api/slowstats/ingest-events",
        "X-API-Key",
        {"error": "Unauthorized: You must provide a valid API Key."},
        {"error": "Too Many Requests"},
    ),
    (
        "/v1/events",
        "Bearer",
        {"error": "unauthorized", "message": "Missing or invalid token"},
        {"error": "rate_limited", "message": "Too many requests. Retry after 60 seconds."},
    ),
    (
        "/api/v1/events",
        "X-API-Key",
        {"detail": "Invalid or missing API key"},
        {"detail": "Rate limit exceeded"},
    ),
]


@pytest.fixture
async def house(tmp_path: pathlib.Path, clock: FrozenClock) -> AsyncIterator[RunningHouse]:
    async with running_house(tmp_path, clock=clock) as opened:
        yield opened


@pytest.mark.parametrize(
    ("path", "header", "unknown", "too_many"),
    SHAPES,
    ids=["pingpanda", "pingpilot", "slowstats", "intake", "adwize"],
)
async def test_who_guesses_is_told_to_wait_and_a_right_key_is_not(
    path: str, header: str, unknown: dict[str, Any], too_many: dict[str, Any], house: RunningHouse
) -> None:
    def named(key: str) -> dict[str, str]:
        bearer = {"authorization": f"Bearer {key}"}
        return bearer if header == "Bearer" else {"x-api-key": key}

    for _ in range(LIMIT):
        answer = await house.client.post(path, headers=named("wrong"), json={})
        assert (answer.status_code, told(answer.json())) == (401, unknown)
    answer = await house.client.post(path, headers=named("wrong"), json={})
    assert (answer.status_code, told(answer.json())) == (429, too_many)
    assert answer.headers["retry-after"] == "60"
    right = await house.client.post(path, headers=named(house.ingest_key), json={})
    assert right.status_code not in {401, 429}
    assert (await house.client.post(path, json={})).status_code == 401


def told(body: dict[str, Any]) -> dict[str, Any]:
    """The body without what is of each request its own."""
    return {name: value for name, value in body.items() if name != "request_id"}

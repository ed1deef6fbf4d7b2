"""Clients of our own API: one that may do everything, and ones that may less."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from tests.conftest import RunningHouse

Speak = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def speak(house: RunningHouse) -> AsyncIterator[Speak]:
    """Make a client that speaks with a new key; its arguments are those of `house.key`."""
    opened: list[httpx.AsyncClient] = []

    async def client(*place: str, key: str | None = None, **terms: object) -> httpx.AsyncClient:
        key = key or await house.key(*place, **terms)  # type: ignore[arg-type]  # as it takes them
        opened.append(
            httpx.AsyncClient(
                base_url=f"{house.base_url}/slowping/v1",
                headers={"authorization": f"Bearer {key}"},
                trust_env=False,
            )
        )
        return opened[-1]

    yield client
    for one in opened:
        await one.aclose()


@pytest.fixture
async def admin(house: RunningHouse, speak: Speak) -> httpx.AsyncClient:
    return await speak(key=house.admin_key)

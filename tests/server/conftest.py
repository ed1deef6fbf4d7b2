"""An engine for each test that asks for one."""

from collections.abc import AsyncIterator

import pytest

from slowping.store.port import Store
from slowping.testing import FrozenClock
from tests.server.engine import Engine


@pytest.fixture
async def engine(store: Store, clock: FrozenClock) -> AsyncIterator[Engine]:
    """An engine with the project `shop`, which is not running yet."""
    made = Engine(store, clock)
    await made.project()
    yield made
    await made.close()

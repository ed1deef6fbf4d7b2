"""One server for all of these tests: what stands in it takes a while to write."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.acceptance.hostile import haunted
from tests.acceptance.hostile.haunted import Haunted


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def haunt(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Haunted]:
    async with haunted.haunted(tmp_path_factory.mktemp("haunted")) as opened:
        yield opened

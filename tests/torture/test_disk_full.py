from pathlib import Path

import pytest

from tests.torture import disk_full
from tests.torture.bar import Run, missed


@pytest.mark.timeout(180)  # it starts the program six times, and holds each trouble for a while
async def test_a_disk_that_is_full_or_fails_loses_nothing(tmp_path: Path) -> None:
    assert missed(await disk_full.BAR.run(Run(folder=tmp_path, scale=0.3))) == []

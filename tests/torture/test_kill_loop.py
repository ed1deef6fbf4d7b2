from pathlib import Path

import pytest

from tests.torture import kill_loop
from tests.torture.bar import Run, missed


@pytest.mark.timeout(180)  # it starts the program four times
async def test_nothing_acknowledged_is_lost_in_a_few_kills_under_load(tmp_path: Path) -> None:
    assert missed(await kill_loop.BAR.run(Run(folder=tmp_path, scale=0.01))) == []

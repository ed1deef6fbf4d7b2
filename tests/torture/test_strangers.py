from pathlib import Path

import pytest

from tests.torture import strangers
from tests.torture.bar import Run, missed


@pytest.mark.timeout(120)  # it keeps the machine busy
async def test_strangers_hold_up_nobody_else(tmp_path: Path) -> None:
    assert missed(await strangers.BAR.run(Run(folder=tmp_path, scale=0.05))) == []

from pathlib import Path

import pytest

from tests.torture import backup_under_load
from tests.torture.bar import Run, missed


@pytest.mark.timeout(120)  # it starts the program six times
async def test_a_backup_under_load_misses_nothing(tmp_path: Path) -> None:
    assert missed(await backup_under_load.BAR.run(Run(folder=tmp_path, scale=0.02))) == []

from pathlib import Path

import pytest

from tests.torture import migrations
from tests.torture.bar import Run, missed


@pytest.mark.timeout(180)  # it starts the program a few times
async def test_an_update_that_is_broken_off_keeps_everything(tmp_path: Path) -> None:
    assert missed(await migrations.BAR.run(Run(folder=tmp_path, scale=0.02))) == []

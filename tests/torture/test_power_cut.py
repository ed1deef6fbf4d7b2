from pathlib import Path

import pytest

from tests.laboratory import lossy_disk
from tests.torture import power_cut
from tests.torture.bar import Run, missed


@pytest.mark.timeout(180)  # it starts the program a dozen times
@pytest.mark.skipif(lossy_disk.why_not() is not None, reason=str(lossy_disk.why_not()))
async def test_nothing_acknowledged_is_lost_in_a_few_power_cuts(tmp_path: Path) -> None:
    assert missed(await power_cut.BAR.run(Run(folder=tmp_path, scale=0.04))) == []

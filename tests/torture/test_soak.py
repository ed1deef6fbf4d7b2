from pathlib import Path

import pytest

from tests.torture import soak
from tests.torture.bar import Run, missed


@pytest.mark.timeout(180)  # deliveries that went wrong go again
async def test_ordinary_work_leaves_nothing_behind(tmp_path: Path) -> None:
    assert missed(await soak.BAR.run(Run(folder=tmp_path, scale=0.004))) == []


@pytest.mark.parametrize(
    ("readings", "slope"),
    [
        ([50, 50, 50, 50], 0),
        ([50, 51, 52, 53], 3_600),
        ([50] * 3 + [60] * 9, 0),  # a cache has filled, once
    ],
)
def test_memory_grows_where_it_goes_on_growing(readings: list[float], slope: float) -> None:
    looks = [
        soak._Look(at=second, memory_mib=0, own_mib=reading, log_mib=0)
        for second, reading in enumerate(readings)
    ]
    assert soak.slope_mib(looks) == pytest.approx(slope)

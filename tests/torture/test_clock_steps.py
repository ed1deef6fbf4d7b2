from pathlib import Path

import pytest

from tests.laboratory import set_clock
from tests.torture import clock_steps
from tests.torture.bar import Run, missed


@pytest.mark.timeout(180)  # a round of steps, each held for a while
@pytest.mark.skipif(set_clock.why_not() is not None, reason=str(set_clock.why_not()))
async def test_a_clock_that_is_set_loses_nothing_and_delays_nothing(tmp_path: Path) -> None:
    assert missed(await clock_steps.BAR.run(Run(folder=tmp_path, scale=0.1))) == []

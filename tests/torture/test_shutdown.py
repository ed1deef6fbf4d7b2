from pathlib import Path

import pytest

from tests.torture import shutdown
from tests.torture.bar import Run, missed


@pytest.mark.timeout(120)  # it starts the program three times
async def test_a_stop_under_load_cuts_nobody_off(tmp_path: Path) -> None:
    assert missed(await shutdown.BAR.run(Run(folder=tmp_path, scale=0.07))) == []

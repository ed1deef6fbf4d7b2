from pathlib import Path

import pytest

from tests.torture import overload
from tests.torture.bar import Run, missed


@pytest.mark.timeout(120)  # it keeps the machine busy
async def test_too_much_is_refused_and_what_is_taken_is_kept(tmp_path: Path) -> None:
    assert missed(await overload.BAR.run(Run(folder=tmp_path, scale=0.05))) == []

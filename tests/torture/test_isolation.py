from pathlib import Path

import pytest

from tests.torture import isolation
from tests.torture.bar import Run, missed


@pytest.mark.timeout(180)  # it starts the program, and a hundred far sides
async def test_a_far_side_that_never_answers_keeps_nothing_from_the_others(tmp_path: Path) -> None:
    assert missed(await isolation.BAR.run(Run(folder=tmp_path, scale=0.1))) == []

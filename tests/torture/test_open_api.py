from pathlib import Path

import pytest

from tests.torture import open_api
from tests.torture.bar import Run, missed


@pytest.mark.timeout(180)  # all operations, on a machine that may have other work
async def test_every_operation_answers_as_it_is_documented(tmp_path: Path) -> None:
    assert missed(await open_api.run(Run(folder=tmp_path, scale=0.002))) == []

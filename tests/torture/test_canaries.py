from pathlib import Path

import pytest

from tests.torture import canaries
from tests.torture.bar import Run, missed
from tests.torture.lookout import Lookout


@pytest.mark.timeout(180)  # it starts the program many times
async def test_no_secret_is_told_to_anybody_whatever_far_sides_repeat(tmp_path: Path) -> None:
    said: list[str] = []
    figures = await canaries.BAR.run(Run(folder=tmp_path, scale=0.06, say=said.append))
    assert missed(figures) == [], said


@pytest.mark.parametrize(
    "said",
    [
        "it said Cnry0123456789abcdef0123456789ab aloud",
        "CNRY0123456789ABCDEF0123456789AB",
        "Q25yeTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWI=",
        "AENucnkwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFi",
        "436e727930313233343536373839616263646566303132333435363738396162",
    ],
)
def test_a_canary_is_found_however_it_is_spelt(said: str) -> None:
    lookout = Lookout()
    lookout.plant("here", "Cnry0123456789abcdef0123456789ab")
    lookout.look("log", said)
    assert lookout.seen == {"log": ["here"]}

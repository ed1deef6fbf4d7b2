from pathlib import Path

from tests.torture import malformed_bodies
from tests.torture.bar import Run, missed


async def test_no_body_breaks_the_server_or_a_reader(tmp_path: Path) -> None:
    assert missed(await malformed_bodies.run(Run(folder=tmp_path, scale=0.005))) == []

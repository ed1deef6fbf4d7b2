from pathlib import Path

from tests.torture import forbidden_addresses
from tests.torture.bar import Run, missed


async def test_no_way_leads_to_an_address_that_is_not_public(tmp_path: Path) -> None:
    figures = await forbidden_addresses.BAR.run(Run(folder=tmp_path, scale=0.1))
    assert missed(figures) == []

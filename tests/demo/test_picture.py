from pathlib import Path

import pytest

from slowping.demo.picture import PICTURES

FOLDER = Path(__file__).parents[2] / "docs/pictures"


@pytest.mark.parametrize("name", [picture.name for picture in PICTURES])
def test_a_picture_of_the_readme_shows_something_and_loads_nothing(name: str) -> None:
    drawn = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert "sale" in drawn
    assert "live" in drawn
    assert "@font-face" not in drawn
    assert "href" not in drawn
    assert f"docs/pictures/{name}.svg" in (FOLDER.parents[1] / "README.md").read_text()

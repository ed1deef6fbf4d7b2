import pytest

from benchmarks import page
from benchmarks.bar import Bar

EMPTY = f"before\n\n{page.START}\n{page.END}\n\nafter\n"


def test_figures_stand_between_the_marks() -> None:
    bars = [Bar(what="fast", measured=1.234, bar=1), Bar(what="slow", measured=9.0, bar=3)]
    told = page.filled(EMPTY, "A machine", {"ingest": bars})
    assert told.startswith("before\n")
    assert told.endswith("\nafter\n")
    assert "A machine:" in told
    assert "| `ingest` | fast | 1.23 | ≥ 1 |" in told
    assert "| `ingest` | slow | 9.00 | ≥ 3 |" in told


def test_what_is_missed_is_said() -> None:
    bar = Bar(what="slow", measured=9.0, bar=3, at_most=True)
    assert "| 9.00 **missed** | ≤ 3 |" in page.filled(EMPTY, "A machine", {"start": [bar]})


def test_figures_of_other_parts_stay() -> None:
    first = page.filled(EMPTY, "A machine", {"scale": [Bar(what="page", measured=1)]})
    both = page.filled(first, "Another", {"ingest": [Bar(what="fast", measured=2)]})
    again = page.filled(both, "A third", {"ingest": [Bar(what="fast", measured=3)]})
    assert again.count("| `scale` | page | 1.00 |") == 1
    assert again.count("| `ingest` |") == 1
    assert "| fast | 3.00 |" in again


def test_a_page_without_marks_is_left_alone() -> None:
    with pytest.raises(SystemExit, match="no <!-- figures -->"):
        page.filled("nothing", "A machine", {})

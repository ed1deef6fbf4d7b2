from pathlib import Path

from tests.laboratory import events
from tests.torture import conformance
from tests.torture.bar import Run, missed


async def test_what_is_sent_for_odd_events_is_what_the_far_sides_ask_for(tmp_path: Path) -> None:
    said: list[str] = []
    figures = await conformance.BAR.run(Run(folder=tmp_path, scale=0.006, say=said.append))
    assert missed(figures) == [], said


def test_the_same_seed_makes_the_same_events() -> None:
    first, second = (list(events.notifications(7, 20)) for _ in range(2))
    assert first == second
    assert first != list(events.notifications(8, 20))

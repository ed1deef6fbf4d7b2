import pytest

from slowping.server.dispatch.timetable import Timetable


@pytest.fixture
def timetable() -> Timetable:
    return Timetable()


def test_turns_come_in_the_order_they_are_due(timetable: Timetable) -> None:
    for channel_id, due_at in ((1, 300), (2, 100), (3, 200)):
        timetable.plan(channel_id, due_at)
    assert timetable.next_due() == 100
    assert timetable.take(250) == [2, 3]
    assert timetable.next_due() == 300


def test_an_earlier_turn_takes_the_place_of_a_later_one(timetable: Timetable) -> None:
    timetable.plan(1, 300)
    timetable.plan(1, 100)
    assert timetable.take(100) == [1]
    timetable.give_back(1)
    assert timetable.take(1_000) == []


def test_a_later_turn_does_not_put_off_an_earlier_one(timetable: Timetable) -> None:
    timetable.plan(1, 100)
    timetable.plan(1, 300)
    assert timetable.take(100) == [1]


def test_a_channel_whose_turn_is_on_gets_no_second_one(timetable: Timetable) -> None:
    timetable.plan(1, 0)
    timetable.take(0)
    timetable.plan(1, 0)
    assert timetable.take(1_000) == []


def test_what_was_planned_during_a_turn_counts_after_it(timetable: Timetable) -> None:
    timetable.plan(1, 0)
    timetable.take(0)
    timetable.plan(1, 0)
    timetable.give_back(1)
    assert timetable.take(0) == [1]


def test_nothing_is_next_where_nothing_is_planned(timetable: Timetable) -> None:
    assert timetable.next_due() is None


def test_a_busy_channel_with_one_late_delivery_takes_no_room(timetable: Timetable) -> None:
    for now in range(10_000):
        timetable.plan(1, now)
        assert timetable.take(now) == [1]
        timetable.plan(1, 1_000_000)
        timetable.give_back(1)
    assert len(timetable._entries) < 100
    assert timetable.take(1_000_000) == [1]


def test_what_is_not_due_is_not_touched(timetable: Timetable) -> None:
    for channel_id in range(1_000):
        timetable.plan(channel_id, 1_000)
    before = list(timetable._entries)
    assert timetable.take(999) == []
    assert timetable._entries == before

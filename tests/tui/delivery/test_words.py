import pytest

from slowping.core.delivery import Delivery, DeliveryState
from slowping.tui.delivery import words
from slowping.tui.delivery.groups import Group
from tests.tui.delivery.samples import channel, failed, group, moved, scene
from tests.tui.driver import NOW_MS, moment

PENDING = moved(failed(1), DeliveryState.PENDING, due_at=moment(42), tries=2)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "due now"),
        (0, "due now"),
        (0.4, "in 1 s"),
        (42, "in 42 s"),
        (119, "in 119 s"),
        (120, "in 2 min"),
        (3_599, "in 59 min"),
        (12_000, "in 3 h 20 min"),
        (7_200, "in 2 h"),
        (40_000, "in 11 h"),
        (172_800, "in 2 d"),
    ],
)
def test_a_countdown_is_read_at_a_glance(seconds: float, said: str) -> None:
    assert words.due_in(moment(seconds), NOW_MS) == said


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (PENDING, "in 42 s, try 3 of 8"),
        (moved(PENDING, DeliveryState.LEASED, tries=3), "being sent, try 3 of 8"),
        (moved(PENDING, DeliveryState.PENDING, tries=8), "in 42 s, try 9"),
        (moved(PENDING, DeliveryState.DELIVERED, ended_at=moment(-3)), "delivered 3s ago"),
        (moved(PENDING, DeliveryState.DELIVERED), "delivered just now"),
        (failed(1), "failed 3m ago"),
        (moved(PENDING, DeliveryState.DISCARDED, ended_at=None), "discarded"),
    ],
)
def test_a_delivery_says_how_it_stands(one: Delivery, said: str) -> None:
    assert words.said_of(one, 8, scene(channel("hook")), NOW_MS) == said


def test_how_many_tries_there_are_is_said_only_where_it_is_known() -> None:
    assert words.said_of(PENDING, None, scene(), NOW_MS) == "in 42 s, try 3"


@pytest.mark.parametrize(
    ("settings", "schedules", "tries"),
    [
        ({}, {"webhook": (1.0, 5.0)}, 3),
        ({"retry_delays": None}, {"webhook": (1.0, 5.0)}, 3),
        ({"retry_delays": [1, 2, 3, 4]}, {"webhook": (1.0, 5.0)}, 5),
        ({"retry_delays": []}, {"webhook": (1.0, 5.0)}, 1),
        ({}, {}, None),
    ],
)
def test_a_channel_is_tried_by_its_own_schedule_or_by_that_of_its_kind(
    settings: dict[str, object], schedules: dict[str, tuple[float, ...]], tries: int | None
) -> None:
    known = scene(channel("hook", settings=settings))
    assert words.tries_of(PENDING, known, schedules) == tries


def test_what_waits_for_a_paused_channel_is_marked_so() -> None:
    paused = scene(channel("hook", paused_at=moment(-9)))
    assert words.look_of(PENDING, paused).mark == "⏸"
    assert words.look_of(failed(1), paused).mark == "✗"
    assert words.said_of(PENDING, 8, paused, NOW_MS) == "waits: its channel is paused"
    waiting = Group.told(group("hook", DeliveryState.PENDING, None, 1, next_at=moment(9)))
    assert words.look_of_group(waiting, paused).mark == "⏸"
    assert words.next_of_group(waiting, paused, NOW_MS) == "paused"
    assert words.next_of_group(waiting, scene(), NOW_MS) == "in 9 s"


def test_a_group_of_which_all_are_on_their_way_has_no_next_try() -> None:
    leased = Group.told(group("hook", DeliveryState.LEASED, None, 1))
    assert words.next_of_group(leased, scene(), NOW_MS) == "under way"


def test_what_waits_for_a_troubled_channel_says_when_that_is_tried() -> None:
    troubled = scene(channel("hook", held_until=moment(300), held_reason="HTTP 500"))
    said = words.said_of(PENDING, 8, troubled, NOW_MS)
    assert said == "its channel is tried in 5 min, try 3 of 8"
    later = moved(PENDING, DeliveryState.PENDING, due_at=moment(12_000))
    assert words.said_of(later, 8, troubled, NOW_MS).startswith("in 3 h 20 min")
    due = Group.told(group("hook", DeliveryState.PENDING, None, 1, next_at=moment(-9)))
    assert words.next_of_group(due, troubled, NOW_MS) == "in 5 min"
    tried = scene(channel("hook", held_until=moment(-1)))
    assert words.next_of_group(due, tried, NOW_MS) == "due now"

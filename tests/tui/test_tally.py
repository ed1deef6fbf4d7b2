import datetime as dt
from typing import Any

from slowping.core.delivery import Delivery, DeliveryState
from slowping.core.feed import CategoryChanged, DeliveryChanged, EventAccepted, KeyChanged
from slowping.core.overview import Counts, Overview
from slowping.tui.figures.tally import Tally
from tests.tui.driver import category, delivery, event, moment
from tests.tui.figures import category_figures, channel_figures, overview


def accepted(number: int, seconds: float, **what: Any) -> EventAccepted:
    """An event of so many seconds after the server has counted."""
    given = event(number, received_at=moment(seconds), **what)
    return EventAccepted(id=given.id, event=given)


def moved(
    number: int, state: DeliveryState, seconds: float | None = None, **what: Any
) -> DeliveryChanged:
    """A delivery that ended so many seconds after the server has counted, or has not ended."""
    ended = None if seconds is None else moment(seconds)
    given: Delivery = delivery(number, number, state, ended_at=ended, **what)
    return DeliveryChanged(id=given.id, delivery=given)


def counted() -> Overview:
    return overview(
        events=Counts(today=5, week=50, month=500, total=5_000),
        waiting=4,
        failed=1,
        categories=(category_figures("sale"), category_figures("bug")),
        channels=(channel_figures("ops"),),
    )


def test_what_is_heard_is_added_to_what_was_counted() -> None:
    tally = Tally()
    assert tally.hear([accepted(1, 1), accepted(2, 2, category="bug"), accepted(3, 3)])
    shown = tally.added_to(counted())
    assert shown.events == Counts(today=8, week=53, month=503, total=5_003)
    assert shown.hours[-1] == counted().hours[-1] + 3
    assert [each.events.today for each in shown.categories] == [
        category_figures("sale").events.today + 2,
        category_figures("bug").events.today + 1,
    ]


def test_nothing_heard_leaves_the_figures_as_they_are() -> None:
    assert Tally().added_to(counted()) == counted()


def test_what_the_server_has_counted_is_not_added_again() -> None:
    tally = Tally()
    tally.hear([accepted(1, -1), accepted(2, 0), accepted(3, 1, deliveries={"pending": 2})])
    tally.hear([moved(7, DeliveryState.FAILED, -1), moved(8, DeliveryState.FAILED, 1)])
    tally.forget(counted().as_of)
    assert tally.added_to(counted()).events.today == 6
    assert tally.backlog(counted()) == (4 + 2 - 1, 1 + 1)
    tally.forget(counted().as_of + dt.timedelta(seconds=5))
    assert not tally


def test_the_backlog_moves_with_what_comes_in_and_what_ends() -> None:
    tally = Tally()
    tally.hear([accepted(1, 1, deliveries={"pending": 2, "delivered": 1})])
    assert tally.backlog(counted()) == (7, 1)
    tally.hear([moved(1, DeliveryState.DELIVERED, 2), moved(2, DeliveryState.FAILED, 2)])
    assert tally.backlog(counted()) == (5, 2)


def test_a_delivery_ends_once_however_often_that_is_told() -> None:
    tally = Tally()
    tally.hear([moved(1, DeliveryState.DELIVERED, 1), moved(1, DeliveryState.DELIVERED, 1)])
    assert tally.backlog(counted()) == (3, 1)


def test_what_failed_and_is_tried_again_waits_again() -> None:
    tally = Tally()
    tally.hear([moved(1, DeliveryState.FAILED, 1), moved(1, DeliveryState.PENDING)])
    assert tally.backlog(counted()) == (4, 1)
    tally.hear([moved(1, DeliveryState.DELIVERED, 2)])
    assert tally.backlog(counted()) == (3, 1)


def test_what_may_have_been_started_again_is_left_to_the_server() -> None:
    tally = Tally()
    tally.hear([moved(1, DeliveryState.PENDING), moved(1, DeliveryState.DELIVERED, 1)])
    assert tally.backlog(counted()) == (4, 1)


def test_there_is_never_less_than_nothing() -> None:
    tally = Tally()
    tally.hear([moved(number, DeliveryState.DELIVERED, 1) for number in range(9)])
    assert tally.backlog(counted()) == (0, 1)


def test_what_was_delivered_is_added_to_its_channel() -> None:
    tally = Tally()
    tally.hear([moved(1, DeliveryState.DELIVERED, 1, channel="ops")])
    [ops] = tally.added_to(counted()).channels
    assert ops.delivered == channel_figures("ops").delivered + 1
    assert ops.hours[-1] == channel_figures("ops").hours[-1] + 1


def test_a_change_of_a_category_moves_the_figures_and_one_of_a_key_does_not() -> None:
    tally = Tally()
    assert tally.hear([CategoryChanged(id="cat_sale", category=category("sale"))])
    assert not tally.hear([KeyChanged(id="key_1", api_key=None)])
    assert not tally

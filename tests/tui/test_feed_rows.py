from slowping.core.delivery import DeliveryState
from slowping.core.event import Event
from slowping.tui.feed.rows import Rows
from slowping.tui.sifting.query import Query
from tests.tui.driver import delivery, event, events

DELIVERED, FAILED, PENDING = DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.PENDING


def said(rows: Rows) -> list[str | None]:
    return [row.event.description for row in rows.shown]


def numbers(*numbers: int) -> list[str]:
    return [f"event {number}" for number in numbers]


def newest(*given: Event) -> list[Event]:
    return list(reversed(given))


def test_a_page_comes_newest_first_and_is_shown_oldest_first() -> None:
    rows = Rows()
    rows.load(newest(*events(1, 3)))
    assert said(rows) == numbers(1, 2, 3)


def test_what_is_heard_while_a_page_is_loaded_is_shown_once() -> None:
    rows = Rows()
    rows.load(events(1, 2))
    rows.expect()
    rows.add(events(3, 5))
    rows.load(newest(*events(1, 4)))
    assert said(rows) == numbers(1, 2, 3, 4, 5)
    assert rows.add(events(4, 5)) == 0


def test_what_is_not_in_the_new_page_is_gone() -> None:
    rows = Rows()
    rows.load(events(1, 9))
    rows.expect()
    rows.load(events(20, 22))
    assert said(rows) == numbers(20, 21, 22)


def test_the_oldest_go_when_there_are_too_many() -> None:
    rows = Rows(capacity=3)
    rows.add(events(1, 2))
    assert rows.add(events(3, 5)) == 3
    assert said(rows) == numbers(3, 4, 5)
    assert rows.get(event(1).id) is None


def test_nothing_goes_while_held() -> None:
    rows = Rows(capacity=3)
    rows.add(events(1, 3))
    rows.held = True
    rows.add(events(4, 9))
    assert said(rows) == numbers(1, 2, 3, 4, 5, 6)
    assert rows.lost == 3
    rows.held = False
    assert rows.trim() == 3
    assert said(rows) == numbers(4, 5, 6)


def test_the_filter_holds_for_what_comes() -> None:
    rows = Rows()
    rows.add(events(1, 12))
    rows.sift(Query.read('"event 1"'))
    assert said(rows) == numbers(1, 10, 11, 12)
    assert rows.add(events(13, 22)) == 7
    rows.sift(Query())
    assert len(rows.shown) == 22


def test_trimming_keeps_filtered_rows_that_are_young_enough() -> None:
    rows = Rows(capacity=10)
    rows.sift(Query.read('"event 1"'))
    rows.add(events(1, 10))
    rows.add(events(11, 12))
    assert said(rows) == numbers(10, 11, 12)


def test_every_change_of_an_event_that_was_heard_of_is_counted() -> None:
    rows = Rows()
    rows.add([event(1, deliveries={"pending": 3})])
    row = rows.change(delivery(1, 1, DELIVERED))
    assert row is not None
    assert row.is_certain
    assert row.counts == {DELIVERED: 1, PENDING: 2}
    rows.change(delivery(2, 1, FAILED))
    rows.change(delivery(2, 1, PENDING))
    rows.change(delivery(2, 1, DELIVERED))
    rows.change(delivery(3, 1, FAILED))
    assert row.counts == {DELIVERED: 2, FAILED: 1}


def test_an_event_may_be_read_later_than_its_first_changes() -> None:
    """The feed tells of things as they are when they are read."""
    rows = Rows()
    rows.add([event(1, deliveries={"delivered": 2})])
    rows.change(delivery(1, 1, DELIVERED))
    row = rows.change(delivery(2, 1, DELIVERED))
    assert row is not None
    assert row.counts == {DELIVERED: 2}


def test_one_change_of_an_old_event_leaves_doubt_until_the_server_is_asked() -> None:
    rows = Rows()
    rows.load([event(1, deliveries={"failed": 1, "delivered": 1})])
    row = rows.change(delivery(1, 1, DELIVERED))
    assert row is not None
    assert not row.is_certain
    rows.settle(event(1).id, {delivery(1, 1, FAILED).id: FAILED, delivery(2, 1, FAILED).id: FAILED})
    assert row.is_certain
    assert row.counts == {DELIVERED: 1, FAILED: 1}


def test_the_only_delivery_of_an_old_event_leaves_no_doubt() -> None:
    rows = Rows()
    rows.load([event(1, deliveries={"failed": 1})])
    row = rows.change(delivery(1, 1, DELIVERED))
    assert row is not None
    assert row.is_certain
    assert row.counts == {DELIVERED: 1}


def test_changes_that_are_heard_while_a_page_is_loaded_are_not_lost() -> None:
    rows = Rows()
    rows.expect()
    assert rows.change(delivery(1, 1, DELIVERED)) is None
    rows.load([event(1, deliveries={"pending": 1})])
    assert rows.shown[0].counts == {DELIVERED: 1}


def test_a_change_of_an_event_that_is_not_kept_is_nothing() -> None:
    assert Rows().change(delivery(1, 1, DELIVERED)) is None


def test_a_page_that_could_not_be_loaded_is_not_waited_for() -> None:
    rows = Rows()
    rows.expect()
    rows.give_up()
    rows.add([event(2)])
    rows.change(delivery(1, 1, DeliveryState.FAILED))
    rows.load([event(1, deliveries={"pending": 1})])
    [row] = rows.shown
    assert row.event.id == event(1).id
    assert row.counts == {"pending": 1}

from slowping.core.delivery import Delivery, DeliveryState
from slowping.tui.delivery import rows
from slowping.tui.delivery.groups import key_of
from slowping.tui.delivery.rows import GroupRows
from tests.tui.delivery.samples import failed, moved


def opened(*deliveries: Delivery) -> GroupRows:
    kept = GroupRows(key_of(failed(1)))
    kept.expect()
    kept.load(deliveries, is_whole=True)
    return kept


def test_the_oldest_comes_first() -> None:
    assert list(opened(failed(3), failed(1), failed(2)).rows) == [
        failed(1).id, failed(2).id, failed(3).id,
    ]  # fmt: skip


def test_what_is_of_another_group_is_left_out() -> None:
    assert list(opened(failed(1), failed(2, last_error="HTTP 404")).rows) == [failed(1).id]


def test_deliveries_join_in_their_place_and_leave() -> None:
    kept = opened(failed(2), failed(4))
    kept.take(failed(5))
    kept.take(failed(3))
    kept.take(moved(failed(2), DeliveryState.PENDING))
    kept.take(failed(9, channel="mail"))
    assert list(kept.rows) == [failed(3).id, failed(4).id, failed(5).id]


def test_what_somebody_waits_for_stays_until_he_has_seen_it() -> None:
    kept = opened(failed(1), failed(2))
    kept.stay([failed(1).id])
    kept.take(moved(failed(1), DeliveryState.DELIVERED))
    assert kept.rows[failed(1).id].state is DeliveryState.DELIVERED
    kept.let_go()
    assert list(kept.rows) == [failed(2).id]


def test_what_is_heard_while_a_page_is_loaded_is_newer_than_the_page() -> None:
    kept = GroupRows(key_of(failed(1)))
    kept.expect()
    assert kept.is_expecting
    kept.take(moved(failed(1), DeliveryState.PENDING))
    kept.take(failed(3))
    kept.load([failed(1), failed(2)], is_whole=True)
    assert list(kept.rows) == [failed(2).id, failed(3).id]
    assert not kept.is_expecting


def test_there_is_an_end_to_what_is_kept() -> None:
    kept = opened(*(failed(number) for number in range(1, rows.MOST + 1)))
    assert kept.is_whole
    kept.take(failed(rows.MOST + 1))
    assert len(kept.rows) == rows.MOST
    assert not kept.is_whole

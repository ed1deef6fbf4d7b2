from slowping.core.delivery import DeliveryState
from slowping.tui.delivery import groups
from slowping.tui.delivery.groups import Groups, View, key_of
from slowping.tui.sifting.standing import Standing
from tests.tui.delivery.samples import BUSY, failed, group, moved
from tests.tui.driver import moment


def loaded() -> Groups:
    kept = Groups()
    kept.load(
        [
            group("hook", DeliveryState.FAILED, BUSY, 3),
            group("mail", DeliveryState.FAILED, "no such box", 1, oldest_at=moment(-9_000)),
            group("hook", DeliveryState.PENDING, BUSY, 2, next_at=moment(42)),
            group("hook", DeliveryState.LEASED, BUSY, 1, oldest_at=moment(-9_999)),
        ],
        View.FAILED.loaded,
    )
    return kept


def counts(kept: Groups, view: View) -> list[tuple[str, str, str | None, int]]:
    return [
        (each.key.channel, each.key.standing.value, each.key.error, each.count)
        for each in kept.shown(view)
    ]


def test_the_oldest_group_comes_first() -> None:
    assert counts(loaded(), View.FAILED) == [
        ("mail", "failed", "no such box", 1),
        ("hook", "failed", BUSY, 3),
    ]


def test_what_is_on_its_way_waits_in_one_group_with_what_is_pending() -> None:
    [waiting] = loaded().shown(View.WAITING)
    assert (waiting.count, waiting.oldest_at, waiting.next_at) == (3, moment(-9_999), moment(42))


def test_failed_ones_come_before_all_others() -> None:
    standings = [standing for _, standing, _, _ in counts(loaded(), View.ALL)]
    assert standings == ["failed", "failed", "waiting"]


def test_a_delivery_moves_from_group_to_group() -> None:
    kept, one = loaded(), failed(1)
    kept.know([one])
    kept.take(moved(one, DeliveryState.PENDING))
    assert kept.totals() == {Standing.FAILED: 3, Standing.WAITING: 4}
    kept.take(moved(one, DeliveryState.DELIVERED, last_error=None))
    assert kept.totals() == {Standing.FAILED: 3, Standing.WAITING: 3}


def test_the_last_one_takes_its_group_away() -> None:
    kept = loaded()
    only = failed(9, channel="mail", last_error="no such box")
    kept.know([only])
    kept.take(moved(only, DeliveryState.DISCARDED))
    assert counts(kept, View.FAILED) == [("hook", "failed", BUSY, 3)]
    assert kept.get(key_of(only)) is None


def test_the_same_news_twice_counts_once() -> None:
    kept = loaded()
    for _ in range(2):
        kept.take(failed(7))
    assert counts(kept, View.FAILED)[1] == ("hook", "failed", BUSY, 4)


def test_what_is_not_shown_makes_no_group() -> None:
    kept = loaded()
    kept.take(failed(1, state=DeliveryState.DELIVERED, last_error=None))
    assert counts(kept, View.ALL) == counts(loaded(), View.ALL)


def test_another_error_makes_another_group() -> None:
    kept, one = loaded(), failed(1)
    kept.know([one])
    kept.take(moved(one, DeliveryState.FAILED, last_error="HTTP 404"))
    assert ("hook", "failed", "HTTP 404", 1) in counts(kept, View.FAILED)
    assert ("hook", "failed", BUSY, 2) in counts(kept, View.FAILED)


def test_only_the_latest_places_are_remembered() -> None:
    kept = loaded()
    kept.know([failed(number) for number in range(1, groups.MOST_PLACES + 10)])
    kept.take(moved(failed(1), DeliveryState.PENDING))  # forgotten: it is only counted where it is
    kept.take(moved(failed(groups.MOST_PLACES), DeliveryState.PENDING))
    assert kept.totals() == {Standing.FAILED: 3, Standing.WAITING: 5}


def test_more_groups_than_are_told_at_once_are_known_to_be_there() -> None:
    kept = loaded()
    assert not kept.is_cut
    many = [group("hook", DeliveryState.FAILED, f"error {number}", 1) for number in range(1_000)]
    kept.load(many, View.FAILED.loaded)
    assert kept.is_cut


def test_a_view_follows_the_other() -> None:
    assert [View.FAILED.following, View.WAITING.following, View.ALL.following] == [
        View.WAITING, View.ALL, View.FAILED,
    ]  # fmt: skip

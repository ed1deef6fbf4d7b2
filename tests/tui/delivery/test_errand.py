from collections.abc import Sequence
from typing import Any

import pytest

from slowping.core.delivery import Delivery, DeliveryState
from slowping.core.page import Page
from slowping.tui.delivery import errand
from slowping.tui.delivery.errand import Errand, Verb
from slowping.tui.delivery.groups import Group, key_of
from slowping.tui.sifting.query import Query
from tests.tui.delivery.samples import channel, failed, group, moved, scene
from tests.tui.driver import moment

HOOK = channel("hook")
PAUSED = channel("hook", paused_at=moment(-9))

STATES = {
    "failed": failed(1),
    "pending": moved(failed(1), DeliveryState.PENDING),
    "leased": moved(failed(1), DeliveryState.LEASED),
    "delivered": moved(failed(1), DeliveryState.DELIVERED),
    "discarded": moved(failed(1), DeliveryState.DISCARDED),
}


@pytest.mark.parametrize(
    ("verb", "state", "why"),
    [
        (Verb.RETRY, "failed", None),
        (Verb.RETRY, "pending", None),
        (Verb.RETRY, "discarded", None),
        (Verb.RETRY, "leased", "being sent right now"),
        (Verb.RETRY, "delivered", "it has arrived; w sends"),
        (Verb.DISCARD, "failed", None),
        (Verb.DISCARD, "pending", None),
        (Verb.DISCARD, "discarded", "discarded already"),
        (Verb.DISCARD, "leased", "being sent right now"),
        (Verb.DISCARD, "delivered", "it has arrived."),
    ],
)
def test_what_cannot_be_done_says_why(verb: Verb, state: str, why: str | None) -> None:
    one = STATES[state]
    said = errand.obstacle(verb, key_of(one), one.state, scene(HOOK))
    assert said is why if why is None else why in str(said)


def test_what_waits_for_a_paused_channel_is_not_retried_but_can_be_discarded() -> None:
    one = STATES["pending"]
    assert "paused" in str(errand.obstacle(Verb.RETRY, key_of(one), one.state, scene(PAUSED)))
    assert errand.obstacle(Verb.DISCARD, key_of(one), one.state, scene(PAUSED)) is None
    assert errand.obstacle(Verb.RETRY, key_of(failed(1)), None, scene(PAUSED)) is None


def test_what_goes_to_a_removed_channel_is_not_retried() -> None:
    assert "removed" in str(errand.obstacle(Verb.RETRY, key_of(failed(1)), None, scene()))
    unsure = scene(is_whole=False)
    assert errand.obstacle(Verb.RETRY, key_of(failed(1)), None, unsure) is None


def test_only_what_is_possible_is_counted() -> None:
    act = errand.of_deliveries(Verb.RETRY, reversed(STATES.values()), scene(HOOK))
    assert act.number == 3
    told = [
        Group.told(group("hook", DeliveryState.FAILED, "x", 1_200)),
        Group.told(group("hook", DeliveryState.DELIVERED, None, 9)),
        Group.told(group("gone", DeliveryState.FAILED, "x", 9)),
    ]
    assert errand.of_groups(Verb.RETRY, told, scene(HOOK)).counted == "1,200 deliveries"


class Shelf:
    """Deliveries as the server lists them: newest first, a few at a time."""

    def __init__(self, *deliveries: Delivery) -> None:
        self.deliveries = {each.id: each for each in deliveries}
        self.asked: list[dict[str, Any]] = []

    async def list(self, *, limit: int, cursor: str | None, **asked: Any) -> Page[Delivery]:
        """Two at a time, whatever is asked for."""
        self.asked.append(asked)
        states, error = asked["states"], asked["error"]
        found = [
            each
            for name, each in sorted(self.deliveries.items(), reverse=True)
            if (cursor is None or name < cursor)
            and each.state in states
            and each.channel == asked["channel"]
            and (error is None or each.last_error == error)
        ]
        page = tuple(found[:2])
        return Page(items=page, cursor=page[-1].id if len(found) > 2 else None)


async def gone_through(act: Errand, shelf: Shelf) -> list[Sequence[str]]:
    return [[each.id for each in batch] async for batch in errand.batches(act, shelf.list)]


def about(*deliveries: Delivery, sought: str = "") -> Errand:
    return Errand(
        verb=Verb.RETRY,
        groups=tuple(dict.fromkeys(map(key_of, deliveries))),
        number=9,
        sought=Query.read(sought),
    )


async def test_a_group_is_gone_through_from_the_newest_to_the_oldest() -> None:
    shelf = Shelf(*(failed(number) for number in range(1, 6)))
    steps = await gone_through(about(failed(1)), shelf)
    assert steps == [
        [failed(5).id, failed(4).id], [failed(3).id, failed(2).id], [failed(1).id],
    ]  # fmt: skip
    assert shelf.asked[0] == {
        "project": "shop", "channel": "hook", "states": (DeliveryState.FAILED,),
        "error": "HTTP 503",
    }  # fmt: skip


async def test_what_fails_again_meanwhile_is_not_met_again() -> None:
    other = failed(9, last_error="HTTP 404")
    shelf = Shelf(failed(1), failed(2), failed(3), other)
    met: list[str] = []
    async for batch in errand.batches(about(failed(1), other), shelf.list):
        met += [each.id for each in batch]
        for each in batch:  # it fails at once, with the error of the group that comes next
            shelf.deliveries[each.id] = moved(each, DeliveryState.FAILED, last_error="HTTP 404")
    assert sorted(met) == [failed(1).id, failed(2).id, failed(3).id, other.id]


async def test_only_what_the_filter_lets_through_is_met() -> None:
    shelf = Shelf(failed(1, category="bug"), failed(2), failed(3, category="bug"))
    steps = await gone_through(about(failed(1), sought="category:bug"), shelf)
    assert steps == [[failed(3).id], [failed(1).id]]


async def test_a_group_without_an_error_is_only_what_has_none() -> None:
    plain = failed(1, state=DeliveryState.PENDING, last_error=None)
    shelf = Shelf(plain, failed(2, state=DeliveryState.PENDING))
    assert await gone_through(about(plain), shelf) == [[plain.id]]


async def test_named_deliveries_go_in_steps_too() -> None:
    many = tuple(failed(number) for number in range(1, errand.STEP + 2))
    act = errand.of_deliveries(Verb.DISCARD, many, scene(HOOK))
    assert [len(step) for step in await gone_through(act, Shelf())] == [errand.STEP, 1]


def test_a_number_that_is_not_exact_says_so() -> None:
    act = Errand(verb=Verb.RETRY, number=12, is_exact=False)
    assert act.counted == "12 or more deliveries"
    assert Errand(verb=Verb.RETRY, number=1).counted == "1 delivery"

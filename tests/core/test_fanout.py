import pytest

from slowping.core import fanout
from slowping.core.delivery import DeliveryState
from slowping.core.fanout import ReplayPlan, Standing, Told


@pytest.mark.parametrize(
    ("channels", "ad_hoc", "routes", "targets"),
    [
        ((), (), (), ()),
        ((1, 2, 3), (), (), (1, 2, 3)),
        ((1, 2, 3), (2,), (), (1, 3)),
        ((1, 2, 3), (), (3, 1), (3, 1)),
        ((1, 2, 3), (2,), (2, 3), (3,)),  # what a request named cannot be routed to
        ((1, 2), (), (9,), ()),  # a removed channel's events do not go to the others
        ((1, 2), (), (9, 2), (2,)),
    ],
)
def test_an_event_goes_to_the_channels_of_its_category(
    channels: tuple[int, ...],
    ad_hoc: tuple[int, ...],
    routes: tuple[int, ...],
    targets: tuple[int, ...],
) -> None:
    assert fanout.targets(channels, frozenset(ad_hoc), routes) == targets


EVERY_STATE = Told(
    7,
    1,
    (
        Standing(10, 1, DeliveryState.PENDING),
        Standing(20, 2, DeliveryState.LEASED),
        Standing(30, 3, DeliveryState.DELIVERED),
        Standing(40, 4, DeliveryState.FAILED),
        Standing(50, 5, DeliveryState.DISCARDED),
    ),
)
UNTOLD = Told(8, 1)


@pytest.mark.parametrize(
    ("told", "targets", "only", "again", "plan"),
    [
        (UNTOLD, (), None, False, ReplayPlan((), ())),
        (UNTOLD, (1, 2), None, False, ReplayPlan((), (1, 2))),
        (UNTOLD, (1, 2), 2, False, ReplayPlan((), (2,))),
        (UNTOLD, (1, 2), 3, False, ReplayPlan((), ())),  # its category does not go there
        (EVERY_STATE, (), None, False, ReplayPlan((40, 50), ())),
        (EVERY_STATE, (), None, True, ReplayPlan((30, 40, 50), ())),
        (EVERY_STATE, (1, 2, 3, 4, 5), None, True, ReplayPlan((30, 40, 50), ())),
        (EVERY_STATE, (6, 4), None, False, ReplayPlan((40, 50), (6,))),
        (EVERY_STATE, (6, 4), 4, False, ReplayPlan((40,), ())),
        (EVERY_STATE, (6, 4), 3, False, ReplayPlan((), ())),
        (EVERY_STATE, (6, 4), 3, True, ReplayPlan((30,), ())),
    ],
)
def test_a_replay_sends_what_has_ended_and_what_is_missing(
    told: Told, targets: tuple[int, ...], only: int | None, again: bool, plan: ReplayPlan
) -> None:
    assert fanout.replay(told, targets, only=only, again=again) == plan

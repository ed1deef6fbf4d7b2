import pytest

from slowping.core import fanout


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

import collections
import itertools

import pytest

from benchmarks import with_channels


@pytest.mark.parametrize(
    ("deliveries", "channels", "step", "expected"),
    [
        (4, 2, 2, [[0, 1], [0, 1]]),
        (4, 4, 2, [[0, 1], [2, 3]]),
        (4, 2, 4, [[0, 1, 0, 1]]),
        (5, 5, 2, [[0, 1], [2, 3], [4]]),
    ],
)
def test_channels_take_turns(
    deliveries: int, channels: int, step: int, expected: list[list[int]]
) -> None:
    assert list(with_channels.spread(deliveries, channels, step)) == expected


@pytest.mark.parametrize("channels", with_channels.CHANNELS)
@pytest.mark.parametrize("step", with_channels.STEPS)
def test_every_channel_gets_as_much_as_another(channels: int, step: int) -> None:
    steps = list(with_channels.spread(with_channels.DELIVERIES, channels, step))
    got = collections.Counter(itertools.chain.from_iterable(steps))
    assert set(got.values()) == {with_channels.DELIVERIES // channels}
    assert len(got) == channels
    assert {len(numbers) for numbers in steps} == {step}

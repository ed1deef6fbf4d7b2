from pathlib import Path

import pytest

from tests.torture import discord_burst
from tests.torture.bar import Run, missed


@pytest.mark.timeout(120)  # it starts the program
async def test_a_small_burst_arrives_in_order_and_once(tmp_path: Path) -> None:
    assert missed(await discord_burst.BAR.run(Run(folder=tmp_path, scale=0.1))) == []


@pytest.mark.parametrize(
    ("messages", "seconds"), [(1, 0), (5, 0), (6, 2), (30, 10), (31, 60), (1_000, 1_982)]
)
def test_messages_take_as_long_as_the_limits_of_a_webhook_ask_for(
    messages: int, seconds: float
) -> None:
    assert discord_burst.alone_s(messages) == seconds

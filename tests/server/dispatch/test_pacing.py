"""Far sides that enforce their limits, on a clock that is moved."""

import contextlib
import itertools
from collections.abc import AsyncIterator

from slowping.core.delivery import DeliveryState
from slowping.server.dispatch.breakers import SPREAD_S
from slowping.server.dispatch.dispatcher import CONCURRENCY
from slowping.store.port import Store
from slowping.testing import FrozenClock
from tests.laboratory import discord
from tests.laboratory.discord import Discord
from tests.laboratory.telegram import Telegram
from tests.server.engine import Engine

HOUR_S = 3_600.0
MANY = [f"event {no}" for no in range(1_000)]
ONE_BY_ONE_S = len(MANY) / discord.HIDDEN * discord.HIDDEN_S
"""What a thousand messages take in a Discord channel, one for each event."""

TOKEN = "123:secret-token"


@contextlib.asynccontextmanager
async def opened(
    store: Store, clock: FrozenClock, far_side: Discord | Telegram
) -> AsyncIterator[Engine]:
    """An engine whose notifiers speak to this far side."""
    engine = Engine(store, clock, far_side)
    await engine.project()
    try:
        yield engine
    finally:
        await engine.close()


def a_discord(clock: FrozenClock) -> Discord:
    return Discord(lambda: clock.now_ms() / 1000)


# Discord -------------------------------------------------------------------------------------


async def test_a_burst_goes_out_within_limits_that_nobody_told_of(
    store: Store, clock: FrozenClock
) -> None:
    far_side = a_discord(clock)
    async with opened(store, clock, far_side) as engine:
        [url] = discord.webhooks(1)
        await engine.channel(kind="discord", url=url)
        await engine.accept(*MANY)
        engine.start()
        took_s = await engine.goes_on(HOUR_S)
    assert far_side.taken == MANY
    assert far_side.refused() / len(far_side.seen) < 0.01
    assert took_s < ONE_BY_ONE_S / 7


async def test_channels_that_share_a_webhook_share_what_it_takes(
    store: Store, clock: FrozenClock
) -> None:
    far_side = a_discord(clock)
    async with opened(store, clock, far_side) as engine:
        [url] = discord.webhooks(1)
        for no in range(20):
            await engine.channel(f"team-{no}", kind="discord", url=url)
        await engine.accept("a")
        engine.start()
        await engine.goes_on(HOUR_S)
    assert len(far_side.taken) == 20
    assert far_side.refused() == 0


async def test_webhooks_of_one_discord_channel_find_out_what_it_takes(
    store: Store, clock: FrozenClock
) -> None:
    far_side = a_discord(clock)
    async with opened(store, clock, far_side) as engine:
        for no, url in enumerate(discord.webhooks(3), start=1):
            await engine.channel(f"team-{no}", kind="discord", url=url)
            far_side.channels[str(no)] = "one for all"
        await engine.accept(*MANY)
        engine.start()
        await engine.goes_on(HOUR_S)
    assert sorted(far_side.taken) == sorted(MANY * 3)
    assert far_side.refused() / len(far_side.seen) < 0.05


async def test_as_many_webhooks_as_one_likes_stay_within_what_discord_takes_in_all(
    store: Store, clock: FrozenClock
) -> None:
    far_side = a_discord(clock)
    async with opened(store, clock, far_side) as engine:
        for no, url in enumerate(discord.webhooks(200)):
            await engine.channel(f"team-{no}", kind="discord", url=url)
        await engine.accept("a")
        engine.start()
        took_s = await engine.goes_on(HOUR_S)
    assert len(far_side.taken) == 200
    # Those that were on their way before the first answer; none is refused after that.
    assert far_side.refused() <= CONCURRENCY - discord.OVERALL
    assert took_s < 10


async def test_a_ban_is_ended_by_one_request_and_the_others_follow(
    store: Store, clock: FrozenClock
) -> None:
    far_side = a_discord(clock)
    async with opened(store, clock, far_side) as engine:
        engine.draw = itertools.cycle((0.1, 0.9, 0.5, 0.3, 0.7)).__next__
        for no, url in enumerate(discord.webhooks(100)):
            await engine.channel(f"team-{no}", kind="discord", url=url)
        far_side.ban()
        await engine.accept("a")
        engine.start()
        await engine.quiet()
        pages = len(far_side.seen)
        took_s = await engine.goes_on(discord.BAN_S + 2 * SPREAD_S)
    assert pages <= CONCURRENCY  # what was on its way when the first was answered
    after = [seen.at_s - far_side.seen[0].at_s for seen in far_side.seen[pages:]]
    assert len(far_side.taken) == len(after) == 100
    assert discord.BAN_S <= after[0] < after[1]
    assert took_s >= discord.BAN_S


# Telegram ------------------------------------------------------------------------------------


async def test_chats_and_groups_are_written_to_as_fast_as_telegram_takes_it(
    store: Store, clock: FrozenClock
) -> None:
    far_side = Telegram(lambda: clock.now_ms() / 1000)
    chats = [4711, -1007]
    async with opened(store, clock, far_side) as engine:
        for chat in chats:
            await engine.channel(f"chat{chat}", kind="telegram", bot_token=TOKEN, chat_id=chat)
        await engine.accept(*MANY)
        engine.start()
        await engine.goes_on(HOUR_S)
    for chat in chats:
        text = "\n".join(far_side.taken(chat))
        assert [text.count(f": {told}\n") for told in MANY] == [1] * len(MANY)
    assert far_side.refused() == 0


async def test_a_bot_with_many_chats_stays_within_what_it_may_send_in_all(
    store: Store, clock: FrozenClock
) -> None:
    far_side = Telegram(lambda: clock.now_ms() / 1000)
    async with opened(store, clock, far_side) as engine:
        for chat in range(1, 151):
            await engine.channel(f"chat{chat}", kind="telegram", bot_token=TOKEN, chat_id=chat)
        await engine.accept("a")
        engine.start()
        took_s = await engine.goes_on(HOUR_S)
    assert all(len(far_side.taken(chat)) == 1 for chat in range(1, 151))
    assert far_side.refused() == 0
    assert took_s < 10


async def test_a_group_that_is_made_a_supergroup_misses_nothing(
    store: Store, clock: FrozenClock
) -> None:
    far_side = Telegram(lambda: clock.now_ms() / 1000)
    async with opened(store, clock, far_side) as engine:
        await engine.channel(kind="telegram", bot_token=TOKEN, chat_id=-7)
        await engine.accept("a")
        await engine.run_until_quiet()
        far_side.moved[-7] = -1007
        await engine.accept("b")
        await engine.accept("c")
        await engine.goes_on(HOUR_S)
        deliveries = await engine.deliveries()
    assert [len(far_side.taken(chat)) for chat in (-7, -1007)] == [1, 1]
    assert {each.attempts for each in deliveries} == {1}
    assert {each.state for each in deliveries} == {DeliveryState.DELIVERED}
    assert [seen.chat for seen in far_side.seen] == [-7, -7, -1007]

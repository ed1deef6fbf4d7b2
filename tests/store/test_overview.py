import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from slowping.core import ids, times
from slowping.core.category import NewCategory
from slowping.core.delivery import AttemptOutcome, AttemptRecord, DeliveryState, Settlement
from slowping.core.overview import (
    HOURS,
    CategoryFigures,
    ChannelFigures,
    Counts,
    FieldSum,
    Overview,
    Periods,
)
from slowping.core.retention import Sweep, What
from slowping.store.port import Store
from slowping.store.sqlite import overview, rollups
from slowping.store.sqlite.overview import category, channel
from slowping.store.sqlite.store import SqliteStore
from tests.store import samples
from tests.store.conftest import Shop
from tests.store.samples import DAY, NOW

MINUTE = 60_000
HOUR = 60 * MINUTE
MIDNIGHT = NOW // DAY * DAY
PERIODS = Periods(
    today=times.to_datetime(MIDNIGHT),
    week=times.to_datetime(MIDNIGHT - 3 * DAY),
    month=times.to_datetime(MIDNIGHT - 27 * DAY),
)


async def accept(shop: Shop, *moments: int, category_id: int | None = None, **fields: Any) -> None:
    """Accept an event at each of these moments."""
    for at in moments:
        entry = shop.entry(at=at, category_id=category_id)
        event = msgspec.structs.replace(entry.events[0], fields=json.dumps(fields))
        await shop.store.inbox.accept(msgspec.structs.replace(entry, events=(event,)))


async def drawer(shop: Shop, name: str, **looks: Any) -> int:
    """Make one more category."""
    made = await shop.store.directory.create_category(
        shop.project_id, NewCategory(name=name, **looks), now=NOW
    )
    return ids.decode(ids.CATEGORY, made.id)


async def read(
    shop: Shop,
    *projects: int,
    now: int = NOW,
    periods: Periods = PERIODS,
) -> Overview:
    """The overview, with everything counted."""
    while await shop.store.journal.count_on():
        pass
    return await shop.store.journal.overview(projects or None, periods, now=now)


async def attempt(
    shop: Shop,
    *,
    at: int = NOW,
    to: int | None = None,
    state: DeliveryState = DeliveryState.DELIVERED,
    took_ms: int = 0,
) -> int:
    """Accept an event, and send it to a channel; the number of the delivery."""
    to = to or shop.team
    number = await shop.deliver(at=at - took_ms, channel=to)
    await shop.lease(now=at, channel=to)
    done = state is DeliveryState.DELIVERED
    record = AttemptRecord(
        started_at=at,
        duration_ms=0,
        outcome=AttemptOutcome.DELIVERED if done else AttemptOutcome.REJECTED,
        reason=None if done else "no such webhook",
    )
    settled = Settlement(
        delivery_id=number, state=state, attempt=record, due_at=at, last_error=record.reason
    )
    await shop.store.outbox.settle(to, [settled], now=at)
    return number


def _projects(told: Overview) -> set[str]:
    categories = {one.project for one in told.categories}
    return categories | {one.project for one in told.channels}


def by_name(told: Overview) -> Mapping[str, CategoryFigures]:
    return {one.category: one for one in told.categories}


async def team(shop: Shop, **asked: Any) -> ChannelFigures:
    """How the channel `team` is doing."""
    [figures] = [one for one in (await read(shop, **asked)).channels if one.channel == "team"]
    return figures


# Categories ----------------------------------------------------------------------------------


async def test_of_an_empty_store_everything_is_nothing(store: Store) -> None:
    told = await store.journal.overview(None, PERIODS, now=NOW)
    assert told == Overview(
        as_of=times.to_datetime(NOW),
        periods=PERIODS,
        events=Counts(),
        hours=(0,) * HOURS,
        waiting=0,
        failed=0,
        categories=(),
        channels=(),
    )


async def test_events_count_in_every_period_that_they_fall_into(shop: Shop) -> None:
    day, week, month = (times.to_ms(getattr(PERIODS, name)) for name in ("today", "week", "month"))
    await accept(shop, month - 1, month, week - 1, week, day - 1, day, NOW)
    told = await read(shop)
    assert told.events == Counts(today=2, week=4, month=6, total=7)
    assert by_name(told)["sale"].events == told.events


# Kathmandu is three quarters of an hour away from any hour of UTC.
@pytest.mark.parametrize("offset_min", [0, 120, -480, 330, 345])
async def test_a_day_sums_right_in_every_time_zone(shop: Shop, offset_min: int) -> None:
    zone = dt.timezone(dt.timedelta(minutes=offset_min))
    local = times.to_datetime(NOW).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    start = times.to_ms(midnight)
    await accept(shop, start - DAY, start - DAY + 1, start - 1, start, amount=2)
    periods = Periods(
        today=midnight,
        week=midnight - dt.timedelta(days=1),
        month=midnight - dt.timedelta(days=3),
    )
    told = await read(shop, periods=periods)
    assert told.events == Counts(today=1, week=4, month=4, total=4)
    [amount] = told.categories[0].sums
    assert amount == FieldSum(field="amount", today=2.0, week=8.0, month=8.0)


async def test_hours_go_back_a_day_and_hold_the_running_one(shop: Shop) -> None:
    first = NOW // HOUR * HOUR - 23 * HOUR
    await accept(shop, first - 1, first, first + HOUR - 1, NOW)
    told = await read(shop)
    assert told.hours == (2, *[0] * 22, 1)
    assert by_name(told)["sale"].hours == told.hours


async def test_the_busiest_category_of_the_month_comes_first(shop: Shop) -> None:
    names = ("quiet", "b", "a", "busy")
    made = [await drawer(shop, name) for name in names]
    for number, count in zip(made[1:], (1, 1, 2), strict=True):
        await accept(shop, *[NOW] * count, category_id=number)
    listed = [(one.category, one.events.month) for one in (await read(shop)).categories]
    assert listed == [("busy", 2), ("a", 1), ("b", 1), ("quiet", 0), ("sale", 0)]


async def test_a_category_looks_as_it_looks_now(shop: Shop) -> None:
    await drawer(shop, "bug", emoji="🪲", color=7)
    bug = by_name(await read(shop))["bug"]
    assert (bug.project, bug.emoji, bug.color) == ("shop", "🪲", 7)


async def test_a_categorys_name_covers_those_that_had_it_before(shop: Shop) -> None:
    await accept(shop, NOW, amount=1)
    await shop.store.directory.remove_category(shop.category_id, now=NOW)
    again = await drawer(shop, "sale", emoji="💶")
    await accept(shop, NOW, category_id=again, amount=2)
    [sale] = (await read(shop)).categories
    assert (sale.emoji, sale.events.total) == ("💶", 2)
    assert sale.sums == (FieldSum(field="amount", today=3.0, week=3.0, month=3.0),)


async def test_a_removed_category_stays_while_its_events_are_in_a_period(shop: Shop) -> None:
    await accept(shop, NOW)
    await shop.store.directory.remove_category(shop.category_id, now=NOW)
    assert by_name(await read(shop))["sale"].events.today == 1
    later = Periods(
        today=times.to_datetime(NOW + 60 * DAY),
        week=times.to_datetime(NOW + 60 * DAY),
        month=times.to_datetime(NOW + 60 * DAY),
    )
    told = await read(shop, now=NOW + 60 * DAY, periods=later)
    assert told.categories == ()
    assert told.events.total == 1


async def test_fields_that_held_a_number_in_a_period_are_summed_up_by_name(shop: Shop) -> None:
    await accept(shop, NOW, b=1, a=0, text="x")
    await accept(shop, MIDNIGHT - 2 * DAY, b=-3)
    await accept(shop, MIDNIGHT - 300 * DAY, old=1)
    assert by_name(await read(shop))["sale"].sums == (
        FieldSum(field="a", today=0.0, week=0.0, month=0.0),
        FieldSum(field="b", today=1.0, week=-2.0, month=-2.0),
    )


async def test_a_sum_shows_nothing_of_how_it_was_added_up(shop: Shop) -> None:
    await accept(shop, NOW, NOW, NOW, amount=0.1)
    await accept(shop, NOW, bytes=2**53)
    amount, size = by_name(await read(shop))["sale"].sums
    assert (amount.today, size.today) == (0.3, float(2**53))


async def test_what_is_not_counted_yet_is_told(shop: Shop) -> None:
    await read(shop)
    await accept(shop, NOW - 5, NOW - 1)
    told = await shop.store.journal.overview(None, PERIODS, now=NOW)
    assert (told.as_of, told.events.total) == (times.to_datetime(NOW - 5), 0)
    told = await read(shop)
    assert (told.as_of, told.events.total) == (times.to_datetime(NOW), 2)


async def test_projects_are_told_apart(shop: Shop) -> None:
    assert isinstance(shop.store, SqliteStore)
    other = await Shop(shop.store).furnish("other")
    await accept(shop, NOW, amount=1)
    await accept(other, NOW, NOW, amount=10)
    for one in (shop, other):
        await attempt(one, state=DeliveryState.FAILED)
    told = await read(shop, other.project_id)
    assert (told.events.today, told.failed) == (3, 1)
    assert _projects(told) == {"other"}
    assert (await read(shop, shop.project_id, other.project_id)).events.today == 5
    await shop.store.directory.remove_project(other.project_id, now=NOW)
    told = await read(shop)
    assert (told.events.today, told.failed) == (2, 1)
    assert _projects(told) == {"shop"}


# Channels ------------------------------------------------------------------------------------


async def test_a_channel_tells_what_waits_and_what_has_failed(shop: Shop) -> None:
    await attempt(shop, state=DeliveryState.FAILED)
    await shop.deliver()
    await shop.lease()
    await shop.deliver()
    told = await read(shop)
    assert (told.waiting, told.failed) == (2, 1)
    figures = await team(shop)
    assert (figures.waiting, figures.failed, figures.paused) == (2, 1, False)
    assert figures.id == ids.encode(ids.CHANNEL, shop.team)


async def test_what_has_failed_is_known_whatever_becomes_of_it(shop: Shop) -> None:
    again, never, *_ = [await attempt(shop, state=DeliveryState.FAILED) for _ in range(5)]
    assert (await read(shop)).failed == 5
    await shop.retry(numbers=[again])
    await shop.discard(numbers=[never])
    assert (await read(shop)).failed == 3
    await shop.lease()
    await shop.store.outbox.settle(
        shop.team,
        [Settlement(delivery_id=again, state=DeliveryState.FAILED, attempt=None, due_at=NOW)],
        now=NOW,
    )
    assert (await read(shop)).failed == 4
    later = NOW + DAY
    sweep = Sweep(what=What.EVENTS, before=later, before_id=ids.floor(later))
    await shop.store.retention.remove(sweep)
    assert await shop.peek("select count(*) from delivery") == [(0,)]
    assert (await read(shop)).failed == 0


async def test_attempts_are_those_of_the_last_hours(shop: Shop) -> None:
    first = NOW // HOUR * HOUR - 23 * HOUR
    await attempt(shop, at=first - 1)
    await attempt(shop, at=first)
    await attempt(shop, at=NOW - HOUR, state=DeliveryState.FAILED)
    await attempt(shop, at=NOW)
    figures = await team(shop)
    assert (figures.delivered, figures.troubled) == (2, 1)
    assert figures.hours == (1, *[0] * 22, 1)
    assert figures.troubled_hours == (*[0] * 22, 1, 0)


async def test_latency_is_told_for_half_and_for_nearly_all(shop: Shop) -> None:
    for _ in range(18):
        await attempt(shop, took_ms=100)
    for _ in range(2):
        await attempt(shop, took_ms=20_000)
    figures = await team(shop)
    assert figures.latency_p50_ms == pytest.approx(100, rel=0.1)
    assert figures.latency_p95_ms == pytest.approx(20_000, rel=0.1)
    later = await team(shop, now=NOW + 2 * DAY)
    assert (later.latency_p50_ms, later.latency_p95_ms) == (None, None)


async def test_a_channel_tells_its_last_error_however_long_ago(shop: Shop) -> None:
    figures = await team(shop)
    assert (figures.last_error, figures.last_error_at) == (None, None)
    await attempt(shop, state=DeliveryState.FAILED)
    figures = await team(shop, now=NOW + 90 * DAY)
    assert figures.last_error == "no such webhook"
    assert figures.last_error_at == times.to_datetime(NOW)


async def test_a_channel_tells_since_when_it_works_again(shop: Shop) -> None:
    await attempt(shop, state=DeliveryState.FAILED)
    assert (await team(shop)).mended_at is None
    await attempt(shop, at=NOW + 5)
    assert (await team(shop, now=NOW + DAY)).mended_at == times.to_datetime(NOW + 5)


async def test_channels_that_somebody_should_look_at_come_first(shop: Shop) -> None:
    made = {name: await shop.channel(name) for name in ("a", "z")}
    await shop.store.directory.pause_channel(made["z"], "by hand", now=NOW)
    await attempt(shop, state=DeliveryState.PENDING)
    listed = [one.channel for one in (await read(shop)).channels]
    assert listed == ["team", "z", "a", "boss"]


async def test_a_channel_that_a_request_named_is_told_while_it_does_something(shop: Shop) -> None:
    made = await shop.store.directory.create_channel(shop.project_id, samples.ad_hoc(), now=NOW)
    number = ids.decode(ids.CHANNEL, made.id)
    assert made.name not in [one.channel for one in (await read(shop)).channels]
    await attempt(shop, to=number)
    assert made.name in [one.channel for one in (await read(shop)).channels]
    told = await read(shop, now=NOW + 2 * DAY)
    assert made.name not in [one.channel for one in told.channels]


async def test_what_failed_counts_although_its_channel_is_gone(shop: Shop) -> None:
    await attempt(shop, state=DeliveryState.FAILED)
    await shop.store.directory.remove_channel(shop.team, now=NOW)
    told = await read(shop)
    assert (told.failed, [one.channel for one in told.channels]) == (1, ["boss"])


# How it is read ------------------------------------------------------------------------------

_ASKED = {
    "projects": None, "pieces": "[]", "since": 0, "hour": HOUR, "place": 0, "reached": 9,
    "quarter": rollups.QUARTER_MS, "max_number": 1.0, "max_name": 1, "max_fields": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        overview.NEXT,
        category.EVENTS,
        category.NUMBERS,
        channel.CHANNELS,
        channel.ATTEMPTS,
        channel.LATENCIES,
        rollups.PLACES,
        rollups.COUNTED,
    ],
)
async def test_neither_events_nor_deliveries_nor_figures_are_gone_through(
    shop: Shop, statement: str
) -> None:
    plan = await shop.plan(statement, _ASKED)
    scans = [step for step in plan if step.startswith("SCAN")]
    large = re.compile("SCAN (event|delivery|attempt|journal|counted|tried|sent|known)\\b")
    assert [step for step in scans if large.match(step)] == []

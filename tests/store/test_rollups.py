import asyncio
import contextlib
import json
import pathlib
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slowping.core import errors, ids
from slowping.core.category import CategoryChange, NewCategory
from slowping.core.delivery import (
    AttemptOutcome,
    AttemptRecord,
    DeliveryFilter,
    DeliveryState,
    Settlement,
)
from slowping.store.sqlite import migrate, rollups
from slowping.store.sqlite.rollups import DAY_MS, HOUR_MS, QUARTER_MS, SPANS_MS, Rollups
from slowping.store.sqlite.store import SqliteStore
from slowping.store.sqlite.writer import Deed
from slowping.store.vault import Vault
from tests.conftest import VAULT_KEY
from tests.store.conftest import Shop
from tests.store.samples import NOW

QUARTER = NOW // QUARTER_MS * QUARTER_MS
DELIVERED, FAILED, PENDING = DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.PENDING


# Events --------------------------------------------------------------------------------------


async def accept(
    shop: Shop, *fields: Mapping[str, Any] | str, at: int = NOW, category_id: int | None = None
) -> None:
    """Accept an event with each of these fields, in one request."""
    entry = shop.entry(count=len(fields), at=at, category_id=category_id)
    events = tuple(
        msgspec.structs.replace(
            event, fields=told if isinstance(told, str) else json.dumps(told, allow_nan=False)
        )
        for event, told in zip(entry.events, fields, strict=True)
    )
    await shop.store.inbox.accept(msgspec.structs.replace(entry, events=events))


async def count(shop: Shop) -> None:
    """Count all there is."""
    while await shop.store.journal.count_on():
        pass


async def events(shop: Shop, span: int = QUARTER_MS) -> list[tuple[object, ...]]:
    """Starts, with how many events."""
    return await shop.peek(
        "select start, events from event_rollup where span = ? order by start", span
    )


async def numbers(shop: Shop) -> dict[object, tuple[object, object]]:
    """Fields, with how many numbers there were and what they add up to."""
    found = await shop.peek(
        """select name, sum(numbers), total(total)
             from field_rollup
             join number_field on number_field.id = field_id
            where span = ?
            group by name""",
        DAY_MS,
    )
    return {name: (many, total) for name, many, total in found}


async def place(shop: Shop) -> int:
    """Up to where the journal is counted."""
    [(value,)] = await shop.peek("select value from meta where key = 'rolled_up'")
    return int(str(value))


async def test_events_are_counted_in_each_span_that_they_fall_into(shop: Shop) -> None:
    await accept(shop, {}, {}, at=QUARTER)
    await accept(shop, {}, at=QUARTER + QUARTER_MS - 1)
    await accept(shop, {}, at=QUARTER + QUARTER_MS)
    await count(shop)
    assert await events(shop) == [(QUARTER, 3), (QUARTER + QUARTER_MS, 1)]
    for span in SPANS_MS[1:]:
        assert await events(shop, span) == [(QUARTER // span * span, 4)]


async def test_what_comes_later_is_added(shop: Shop) -> None:
    for amount in (1, 2.5):
        await accept(shop, {"amount": amount})
        await count(shop)
    assert await events(shop) == [(QUARTER, 2)]
    assert await numbers(shop) == {"amount": (2, 3.5)}


async def test_numbers_are_summed_up_and_nothing_else_is(shop: Shop) -> None:
    await accept(
        shop,
        {"amount": 49.99, "": -3, "text": "7", "yes": True, "none": None, "deep": {"amount": 1}},
        {"amount": 1, "list": [1, 2], "plan": "pro"},
        {"n" * (rollups.MAX_NAME + 1): 1},
    )
    await count(shop)
    assert await numbers(shop) == {"amount": (2, 50.99), "": (1, -3.0)}
    assert await events(shop) == [(QUARTER, 3)]


async def test_numbers_that_no_sum_could_hold_are_left_out(shop: Shop) -> None:
    largest = f"{rollups.MAX_NUMBER:f}"
    await accept(
        shop,
        f'{{"amount":{largest}}}',
        *(f'{{"amount":{number}}}' for number in ("1e291", "-1.7e308", "1e999", "-1e999")),
        f'{{"amount":-{2**63}}}',
    )
    await count(shop)
    assert await numbers(shop) == {"amount": (2, rollups.MAX_NUMBER)}


async def test_of_a_category_the_first_fields_are_summed_up_and_later_ones_not(shop: Shop) -> None:
    most = rollups.MAX_FIELDS
    await accept(shop, {f"early {number}": 1 for number in range(most - 1)})
    await count(shop)
    await accept(shop, {"b": 1}, {"a": 1, "b": 1, "early 0": 1})
    await count(shop)
    await accept(shop, {"a": 1, "b": 1})
    await count(shop)
    found = await numbers(shop)
    assert len(found) == most
    assert (found["b"], found["early 0"]) == ((3, 3.0), (2, 2.0))


async def test_a_stretch_is_no_longer_than_it_may_be(shop: Shop) -> None:
    await accept(shop, *[{}] * rollups.LINES)
    start = await place(shop)
    assert await shop.store.journal.count_on()
    assert await place(shop) == start + rollups.LINES
    assert not await shop.store.journal.count_on()
    assert await events(shop) == [(QUARTER, rollups.LINES)]


async def test_lines_that_are_no_events_are_gone_past(shop: Shop) -> None:
    change = CategoryChange(color=1)
    await shop.store.directory.change_category(shop.category_id, change, now=NOW)
    await count(shop)
    [(head,)] = await shop.peek("select max(seq) from journal")
    assert await place(shop) == head
    assert await events(shop) == []


async def test_where_nothing_has_happened_nothing_is_written(shop: Shop) -> None:
    await accept(shop, {})
    await count(shop)
    rung: list[str] = []
    shop.store.journal.listen(lambda: rung.append("rang"))
    assert not await shop.store.journal.count_on()
    assert rung == []


class Together:
    """A writer that writes once so many have read what they want written."""

    def __init__(self, store: SqliteStore, number: int) -> None:
        self._writer = store._writer
        self._barrier = asyncio.Barrier(number)

    async def run(self, deed: Deed[Any]) -> Any:
        """Write it, once the others are there as well."""
        await self._barrier.wait()
        return await self._writer.run(deed)


async def test_what_others_count_meanwhile_counts_once(shop: Shop) -> None:
    await accept(shop, *[{"amount": 1}] * 10)
    together: Any = Together(shop.store, 5)
    many = [Rollups(together, shop.store._readers) for _ in range(5)]
    more = await asyncio.gather(*(one.count_on() for one in many))
    assert sum(more) == 4  # all but one were late, and have to look again
    await count(shop)
    assert await events(shop) == [(QUARTER, 10)]
    assert await numbers(shop) == {"amount": (10, 10.0)}


class Doomed:
    """A writer of a process that ends before or after what it is given is written."""

    def __init__(self, store: SqliteStore, *, after: bool) -> None:
        self._writer = store._writer
        self._after = after

    async def run(self, deed: Deed[Any]) -> Any:
        """Never gives an answer."""
        if self._after:
            await self._writer.run(deed)
        raise ConnectionAbortedError


@pytest.mark.parametrize("after", [False, True])
async def test_a_process_that_ends_while_it_counts_counts_once_or_not_at_all(
    shop: Shop, after: bool
) -> None:
    await accept(shop, {"amount": 1})
    doomed: Any = Doomed(shop.store, after=after)
    with pytest.raises(ConnectionAbortedError):
        await Rollups(doomed, shop.store._readers).count_on()
    assert await events(shop) == ([(QUARTER, 1)] if after else [])
    await count(shop)
    assert await events(shop) == [(QUARTER, 1)]
    assert await numbers(shop) == {"amount": (1, 1.0)}


async def test_a_full_disk_leaves_figures_and_place_as_they_were(shop: Shop) -> None:
    await accept(shop, *({f"{number:090}": 1} for number in range(50)))
    before = await place(shop)
    await shop.fill_disk()
    with pytest.raises(errors.Unavailable):
        await shop.store.journal.count_on()
    assert (await place(shop), await events(shop)) == (before, [])
    await shop.fill_disk(1_000)
    await count(shop)
    assert await events(shop) == [(QUARTER, 50)]


class Slow:
    """Readers that take too long for stretches of more than `most` lines."""

    def __init__(self, store: SqliteStore, most: int) -> None:
        self._readers = store._readers
        self.most = most
        self.asked: list[int] = []

    async def fetch(self, sql: str, values: Mapping[str, int] | None = None) -> Any:
        """Fail as a read does that is broken off."""
        if sql == rollups.COUNTED and values is not None:
            self.asked.append(values["reached"] - values["place"])
            if self.asked[-1] > self.most:
                raise errors.Unavailable("Reading took too long.")
        return await self._readers.fetch(sql, values or ())


async def test_a_stretch_that_takes_too_long_is_cut_shorter_for_a_while(shop: Shop) -> None:
    await count(shop)
    await accept(shop, *[{}] * rollups.LINES * 2)
    slow: Any = Slow(shop.store, most=rollups.LINES // 4)
    counting = Rollups(shop.store._writer, slow)
    for _ in range(2):
        with pytest.raises(errors.Unavailable):
            await counting.count_on()
    assert await counting.count_on()
    slow.most = rollups.LINES
    assert await counting.count_on()
    assert await counting.count_on()
    most = rollups.LINES
    assert slow.asked == [most, most // 2, most // 4, most // 2, most]


async def change(shop: Shop, script: str) -> None:
    """Do something to the database that the server itself does not do."""
    await shop.store._writer.run(lambda connection: connection.execute(script) and None)


async def test_what_was_trimmed_before_it_was_counted_is_gone_past(shop: Shop) -> None:
    await accept(shop, *[{}] * 3)
    await change(shop, "delete from journal where seq < (select max(seq) from journal)")
    assert not await shop.store.journal.count_on()
    assert await events(shop) == [(QUARTER, 1)]


async def test_a_journal_that_was_emptied_is_gone_past(shop: Shop) -> None:
    await accept(shop, {})
    await change(shop, "delete from journal")
    await count(shop)
    await accept(shop, {})
    await count(shop)
    assert await events(shop) == [(QUARTER, 1)]


async def test_a_journal_that_begins_anew_is_counted_from_its_first_line(shop: Shop) -> None:
    await accept(shop, {}, {})
    await count(shop)
    await change(shop, "delete from journal")
    await change(shop, "delete from sqlite_sequence where name = 'journal'")
    await accept(shop, {})
    await count(shop)
    assert await events(shop) == [(QUARTER, 3)]
    assert await place(shop) == 1


# A database of an earlier version -------------------------------------------------------------

EARLIER = f"""
insert into project (id, name, created_at) values (1, 'shop', 0);
insert into category (id, project_id, name, emoji, color, created_at)
values (2, 1, 'sale', '', 0, 0);
insert into channel (id, project_id, name, kind, created_at) values (3, 1, 'team', 'webhook', 0);
insert into event (id, project_id, category_id, dialect, fields, received_at, notify, size)
values (4, 1, 2, 'slowping', '{{"amount":2.5}}', {NOW}, 1, 14);
insert into journal (at, kind, project_id, category_id, subject_id)
values ({NOW}, 'event.accepted', 1, 2, 4);
insert into delivery (id, event_id, project_id, channel_id, state, due_at, attempts, created_at)
values ({ids.floor(NOW)}, 4, 1, 3, 'failed', {NOW}, 3, {NOW});
insert into attempt (delivery_id, no, started_at, duration_ms, outcome, reason)
values ({ids.floor(NOW)}, 1, {QUARTER}, 5, 'retry', 'too busy'),
       ({ids.floor(NOW)}, 2, {QUARTER + QUARTER_MS}, 5, 'rejected', 'no such webhook'),
       ({ids.floor(NOW)}, 3, {QUARTER + QUARTER_MS}, 9, 'delivered', null);
"""  # noqa: S608 - it is all ours


async def test_what_a_database_held_before_it_had_figures_is_counted(
    tmp_path: pathlib.Path,
) -> None:
    earlier = sqlite3.connect(tmp_path / "slowping.db", isolation_level=None)
    earlier.execute(f"pragma application_id = {migrate.APPLICATION_ID}")
    migrate.migrate(earlier, migrate.scripts()[:2])
    earlier.executescript(EARLIER)
    earlier.close()
    store = await SqliteStore.open(tmp_path / "slowping.db", Vault([VAULT_KEY]))
    shop = Shop(store)
    await count(shop)
    assert await events(shop) == [(QUARTER, 1)]
    assert await numbers(shop) == {"amount": (1, 2.5)}
    assert await attempts(shop) == [(3, QUARTER, 0, 1), (3, QUARTER + QUARTER_MS, 1, 1)]
    assert await shop.peek("select * from channel_error") == [
        (3, "no such webhook", QUARTER + QUARTER_MS + 5, QUARTER + QUARTER_MS + 9)
    ]
    await store.close()


# All of it together --------------------------------------------------------------------------

EVENTS_BY_SPAN = """
select category_id, received_at / :span * :span as start, count(*)
  from event
 group by 1, 2
 order by 1, 2
"""

NUMBERS_BY_SPAN = """
select event.category_id, field.key, event.received_at / :span * :span as start, count(*),
       total(field.value)
  from event, json_each(event.fields) as field
 where field.type in ('integer', 'real')
 group by 1, 2, 3
 order by 1, 2, 3
"""

KEPT_EVENTS = """
select category_id, start, events
  from event_rollup
 where span = :span
 order by 1, 2
"""

KEPT_NUMBERS = """
select category_id, name, start, numbers, total
  from field_rollup
  join number_field on number_field.id = field_id
 where span = :span
 order by 1, 2, 3
"""

Fields = st.dictionaries(
    st.sampled_from(["amount", "n", "", "plan", "ünï"]),
    st.one_of(
        st.integers(-(2**53), 2**53),
        st.floats(-1e9, 1e9, allow_nan=False),
        st.booleans(),
        st.none(),
        st.text(max_size=3),
        st.lists(st.integers(), max_size=2),
    ),
    max_size=4,
)
Accepted = st.tuples(
    st.just("accept"),
    st.integers(0, 1),
    st.integers(0, 3 * DAY_MS),
    st.lists(Fields, min_size=1, max_size=4),
)
Step = st.one_of(Accepted, st.sampled_from([("count",), ("die before",), ("die after",)]))


@settings(max_examples=30)
@given(st.lists(Step, min_size=1, max_size=12))
def test_figures_are_what_a_look_at_all_events_would_give(steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_compare(pathlib.Path(folder), steps))


async def _compare(folder: pathlib.Path, steps: Sequence[tuple[Any, ...]]) -> None:
    store = await SqliteStore.open(folder / "slowping.db", Vault([VAULT_KEY]))
    try:
        shop = await Shop(store).furnish()
        bug = await store.directory.create_category(
            shop.project_id, NewCategory(name="bug"), now=NOW
        )
        categories = [shop.category_id, ids.decode(ids.CATEGORY, bug.id)]
        for deed, *told in steps:
            await _take(shop, categories, deed, told)
        await count(shop)
        for span in SPANS_MS:
            wanted = await store._readers.fetch(EVENTS_BY_SPAN, {"span": span})
            kept = await store._readers.fetch(KEPT_EVENTS, {"span": span})
            assert [tuple(row) for row in kept] == [tuple(row) for row in wanted]
        for span in SPANS_MS[:-1]:
            wanted = await store._readers.fetch(NUMBERS_BY_SPAN, {"span": span})
            kept = await store._readers.fetch(KEPT_NUMBERS, {"span": span})
            assert [tuple(row)[:4] for row in kept] == [tuple(row)[:4] for row in wanted]
            totals = [row[4] for row in wanted]
            assert [row[4] for row in kept] == pytest.approx(totals, rel=1e-9, abs=1e-3)
    finally:
        await store.close()


async def _take(shop: Shop, categories: Sequence[int], deed: str, told: Sequence[Any]) -> None:
    if deed == "accept":
        category, after, fields = told
        await accept(shop, *fields, at=NOW + after, category_id=categories[category])
    elif deed == "count":
        await shop.store.journal.count_on()
    else:
        doomed: Any = Doomed(shop.store, after=deed == "die after")
        with contextlib.suppress(ConnectionAbortedError):
            await Rollups(doomed, shop.store._readers).count_on()


# Attempts ------------------------------------------------------------------------------------


async def settle(
    shop: Shop, numbers: Sequence[int], state: DeliveryState = DELIVERED, *, now: int = NOW
) -> None:
    """Record an attempt at each of these claimed deliveries: what is not delivered is late."""
    done = state is DELIVERED
    record = AttemptRecord(
        started_at=now,
        duration_ms=5,
        outcome=AttemptOutcome.DELIVERED if done else AttemptOutcome.RETRY,
        reason=None if done else "too busy",
    )
    settled = [
        Settlement(
            delivery_id=number,
            state=state,
            due_at=now if state is PENDING else None,
            attempt=record,
            last_error=record.reason,
        )
        for number in numbers
    ]
    await shop.store.outbox.settle(shop.team, settled, now=now)


async def attempts(shop: Shop) -> list[tuple[object, ...]]:
    """Channel, start, delivered and troubled."""
    return await shop.peek("select * from channel_rollup order by channel_id, start")


async def test_a_batch_of_attempts_is_counted_in_its_quarter_of_an_hour(shop: Shop) -> None:
    numbers = [await shop.deliver() for _ in range(5)]
    await shop.lease()
    await settle(shop, numbers[:2])
    await settle(shop, numbers[2:3], PENDING)
    await settle(shop, numbers[3:], FAILED, now=NOW + QUARTER_MS)
    assert await attempts(shop) == [
        (shop.team, QUARTER, 2, 1),
        (shop.team, QUARTER + QUARTER_MS, 0, 2),
    ]


async def test_what_is_given_back_was_no_attempt(shop: Shop) -> None:
    number = await shop.deliver()
    await shop.lease()
    given_back = Settlement(delivery_id=number, state=PENDING)
    await shop.store.outbox.settle(shop.team, [given_back], now=NOW)
    assert await attempts(shop) == []


async def test_what_nobody_holds_any_more_is_not_counted(shop: Shop) -> None:
    number = await shop.deliver()
    await shop.lease()
    await settle(shop, [number])
    await settle(shop, [number])
    assert await attempts(shop) == [(shop.team, QUARTER, 1, 0)]


async def test_attempts_that_were_cut_off_are_counted_for_their_channels(shop: Shop) -> None:
    for channel in (shop.team, shop.team, shop.boss):
        await shop.deliver(channel=channel)
        await shop.lease(channel=channel)
    await shop.store.outbox.free_leases(owner="another", now=NOW)
    assert await attempts(shop) == [(shop.team, QUARTER, 0, 2), (shop.boss, QUARTER, 0, 1)]


async def test_the_last_error_of_a_channel_is_kept(shop: Shop) -> None:
    numbers = [await shop.deliver() for _ in range(2)]
    await shop.lease()
    await settle(shop, numbers[:1], PENDING)
    await settle(shop, numbers[1:], now=NOW + 1)
    errors_kept = await shop.peek("select * from channel_error")
    assert errors_kept == [(shop.team, "too busy", NOW, NOW + 1)]
    await shop.lease(now=NOW + 2)
    await settle(shop, numbers[:1], PENDING, now=NOW + 2)
    assert await shop.peek("select at, mended_at from channel_error") == [(NOW + 2, None)]


async def test_a_channel_is_mended_when_something_is_delivered_after_its_last_error(
    shop: Shop,
) -> None:
    numbers = [await shop.deliver() for _ in range(4)]
    await shop.lease()
    await settle(shop, numbers[:1])
    assert await shop.peek("select * from channel_error") == []
    await settle(shop, numbers[1:2], FAILED, now=NOW + 1)
    assert await shop.peek("select mended_at from channel_error") == [(None,)]
    for number in numbers[2:]:
        await settle(shop, [number], now=NOW + number % 2 + 2)
    [(mended_at,)] = await shop.peek("select mended_at from channel_error")
    assert mended_at == NOW + numbers[2] % 2 + 2


async def test_latency_is_from_acceptance_to_delivery_however_many_tries_that_took(
    shop: Shop,
) -> None:
    number = await shop.deliver()
    await shop.lease()
    await settle(shop, [number], PENDING, now=NOW + 10)
    await shop.lease(now=NOW + 20)
    await settle(shop, [number], now=NOW + 64)
    kept = await shop.peek("select start, bucket, delivered from latency_rollup")
    assert kept == [(NOW // HOUR_MS * HOUR_MS, 24, 1)]


async def test_what_was_sent_again_by_hand_has_no_latency(shop: Shop) -> None:
    number = await shop.deliver()
    await shop.lease()
    await settle(shop, [number], FAILED)
    await shop.retry(DeliveryFilter(), [number], now=NOW + HOUR_MS)
    await shop.lease(now=NOW + HOUR_MS)
    await settle(shop, [number], now=NOW + HOUR_MS)
    assert await attempts(shop) == [
        (shop.team, QUARTER, 0, 1),
        (shop.team, QUARTER + HOUR_MS, 1, 0),
    ]
    assert await shop.peek("select * from latency_rollup") == []

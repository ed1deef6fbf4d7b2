import sqlite3

import pytest

from slowping.core import ids
from slowping.core.audit import ActFilter, ActKind, Author
from slowping.store.port import ActRecord, EventRow, StepwiseAct
from tests.store import samples
from tests.store.conftest import Shop
from tests.store.samples import NOW


def _row(shop: Shop, number: int, description: str = "Long ago") -> EventRow:
    return EventRow(
        number, shop.project_id, shop.category_id, None, "slowping", None, description, None, "{}",
        None, NOW, True, 10,
    )  # fmt: skip


async def test_no_id_of_an_imported_event_is_handed_out_again(shop: Shop) -> None:
    late = ids.floor(NOW + 10_000)
    assert await shop.store.inbox.import_events([_row(shop, late)], now=NOW) == 1
    taken = shop.store.ids.take(NOW)
    assert taken > late
    # Nor is one that another event of that moment would have to move to.
    assert await shop.store.inbox.import_events([_row(shop, late, "Another")], now=NOW) == 1
    assert shop.store.ids.take(NOW) > taken
    assert await shop.peek("select max(id) < ? from event", taken) == [(1,)]


async def test_an_imported_event_is_written_down_in_the_journal_when_it_comes(shop: Shop) -> None:
    later = NOW + 86_400_000
    await shop.store.inbox.import_events([_row(shop, ids.floor(NOW))], now=later)
    lines = await shop.peek("select at, subject_id from journal where kind = 'event.imported'")
    assert lines == [(later, ids.floor(NOW))]


def _act(shop: Shop) -> StepwiseAct:
    record = ActRecord(kind=ActKind.EVENTS_IMPORTED, by=Author(key_id=None, name="ann"))
    return StepwiseAct(id=shop.store.ids.take(NOW), record=record, counted="imported")


async def test_what_was_new_is_told_by_the_act(shop: Shop) -> None:
    row = _row(shop, ids.floor(NOW))
    for _ in range(2):
        await shop.store.inbox.import_events([row], now=NOW, act=_act(shop))
    [told] = await shop.store.directory.list_acts(
        ActFilter(act="events.imported"), before=None, limit=2
    )
    assert (told.author, told.after) == ("ann", {"imported": 1})


async def test_nothing_is_imported_without_the_act(shop: Shop) -> None:
    samples.forbid_acts(shop.store.path)
    with pytest.raises(sqlite3.IntegrityError, match="no act"):
        await shop.store.inbox.import_events([_row(shop, ids.floor(NOW))], now=NOW, act=_act(shop))
    assert await shop.peek("select count(*) from event") == [(0,)]

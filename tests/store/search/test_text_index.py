import contextlib
import json
import pathlib
import sqlite3
from typing import Any

import msgspec
import pytest

from slowping.core import ids, search
from slowping.core.category import NewCategory
from slowping.core.event import EventFilter
from slowping.core.retention import Sweep, What
from slowping.store.port import Entry
from slowping.store.sqlite import migrate
from slowping.store.sqlite.search import text_index
from tests.store.conftest import Shop
from tests.store.samples import NOW


async def accept(shop: Shop, *told: str, category_id: int | None = None, **fields: Any) -> Entry:
    """Accept an event with each of these descriptions, and all of them with these fields."""
    entry = shop.entry(count=len(told), category_id=category_id)
    events = tuple(
        msgspec.structs.replace(
            event, description=said, fields=json.dumps(fields), size=len(said) + 2
        )
        for event, said in zip(entry.events, told, strict=True)
    )
    entry = msgspec.structs.replace(entry, events=events)
    await shop.store.inbox.accept(entry)
    return entry


async def index(shop: Shop) -> int:
    """Put in all there is; in how many stretches."""
    stretches = 1
    while await shop.store.journal.index_on():
        stretches += 1
    return stretches


async def found(shop: Shop, typed: str, *, limit: int = 10, **which: object) -> list[str | None]:
    """The descriptions of the events that are found."""
    sought = EventFilter(text=search.phrases(typed), **which)  # type: ignore[arg-type] # as it is
    events = await shop.store.journal.list_events(sought, before=None, limit=limit)
    return [event.description for event in events]


@pytest.mark.parametrize(
    "typed",
    [
        "refund", "REFUND", "refund anna", "ref*", '"refund for anna"', "for anna*", "muller",
        "anna@example.com", "exampl*", "49.5", "pro", "plan", '"plan pro"', "deep", "buried",
        '"refund for an"*', "refund ! *",
    ],
)  # fmt: skip
async def test_an_event_is_found_by_what_it_says(shop: Shop, typed: str) -> None:
    fields: dict[str, Any] = {"user": "anna@example.com", "amount": 49.5, "plan": "pro"}
    await accept(shop, "Refund for Anna Müller", b=[{"deep": "buried"}], **fields)
    await accept(shop, "something else", amount=1)
    await index(shop)
    assert await found(shop, typed) == ["Refund for Anna Müller"]


@pytest.mark.parametrize(
    "typed",
    [
        "fund", "refund bob", '"anna refund"', "refun", "true", "NOT", "refund OR bob", "c*",
        "words:refund", "category", "NEAR(refund anna)", "^refund^ nothing", "'); drop table event",
    ],
)  # fmt: skip
async def test_an_event_is_not_found_by_what_it_does_not_say(shop: Shop, typed: str) -> None:
    await accept(shop, "Refund for Anna", yes=True)
    await index(shop)
    assert await found(shop, typed) == []


async def test_the_newest_stand_first_and_a_page_goes_on_where_the_last_ended(shop: Shop) -> None:
    entry = await accept(shop, "one", "two", "three", of="many")
    await index(shop)
    assert await found(shop, "many", limit=2) == ["three", "two"]
    sought = EventFilter(text=search.phrases("many"))
    later = entry.events[1].id
    rest = await shop.store.journal.list_events(sought, before=later, limit=2)
    assert [event.description for event in rest] == ["one"]


async def test_a_search_is_narrowed_as_any_list_is(shop: Shop) -> None:
    other = await Shop(shop.store).furnish("other")
    made = await shop.store.directory.create_category(
        shop.project_id, NewCategory(name="bug"), now=NOW
    )
    await accept(shop, "here", it="same")
    await accept(shop, "a bug", it="same", category_id=ids.decode(ids.CATEGORY, made.id))
    await accept(other, "elsewhere", it="same")
    await index(shop)
    assert await found(shop, "same") == ["elsewhere", "a bug", "here"]
    assert await found(shop, "same", project_ids=(shop.project_id,)) == ["a bug", "here"]
    assert await found(shop, "same", category="sale") == ["elsewhere", "here"]
    assert await found(shop, "same", category="bug", project_ids=(other.project_id,)) == []
    assert await found(shop, "same", category="no such") == []
    assert await found(shop, "same", project_ids=()) == []
    assert await found(shop, "same", until=NOW) == []
    assert await found(shop, "same", since=NOW, source="till") == []
    await shop.store.directory.remove_project(other.project_id, now=NOW)
    assert await found(shop, "same") == ["a bug", "here"]


async def test_many_categories_are_no_hindrance(shop: Shop) -> None:
    rows = [(shop.project_id, f"c{number}") for number in range(2_000)]

    def furnish(connection: sqlite3.Connection) -> None:
        connection.executemany(
            "insert into category (project_id, name, emoji, color, created_at)"
            " values (?, ?, '', 0, 0)",
            rows,
        )

    await shop.store._writer.run(furnish)
    await accept(shop, "one")
    await index(shop)
    assert await found(shop, "one", project_ids=(shop.project_id,)) == ["one"]


async def test_events_are_found_once_they_are_put_in(shop: Shop) -> None:
    await accept(shop, "early")
    assert await found(shop, "early") == []
    await index(shop)
    await accept(shop, "late")
    assert await found(shop, "early") == ["early"]
    assert await found(shop, "late") == []


async def test_many_are_put_in_in_small_steps(shop: Shop) -> None:
    many = text_index.EVENTS * 2 + 1
    await accept(shop, *["like all"] * many)
    assert await index(shop) == 3
    assert len(await found(shop, "like", limit=many)) == many


async def test_large_texts_are_put_in_by_themselves(shop: Shop) -> None:
    await accept(shop, *["long " * text_index.BYTES] * 3)
    assert await index(shop) == 3


async def test_what_stands_far_behind_in_a_text_is_not_looked_at(shop: Shop) -> None:
    await accept(shop, "start " + "long " * 10_000 + "end")
    await index(shop)
    assert len(await found(shop, "start long")) == 1
    assert await found(shop, "end") == []


async def test_whoever_indexes_at_the_same_time_puts_nothing_in_twice(shop: Shop) -> None:
    entry = await accept(shop, "one", "two")
    await index(shop)

    def forget(connection: sqlite3.Connection) -> None:
        connection.execute("update meta set value = '0' where key = 'searchable'")

    await shop.store._writer.run(forget)
    await index(shop)
    assert await shop.peek("select id from event_text_docsize") == [
        (event.id,) for event in entry.events
    ]


async def test_a_place_of_another_journal_is_none(shop: Shop) -> None:
    await accept(shop, "one")

    def move(connection: sqlite3.Connection) -> None:
        connection.execute("update meta set value = '1000000' where key = 'searchable'")

    await shop.store._writer.run(move)
    assert not await shop.store.journal.index_on()
    await accept(shop, "two")
    await index(shop)
    assert await found(shop, "two") == ["two"]


async def test_where_nothing_came_nothing_is_written(shop: Shop) -> None:
    await index(shop)
    rung: list[str] = []
    shop.store.journal.listen(lambda: rung.append("rang"))
    assert not await shop.store.journal.index_on()
    assert rung == []


async def test_what_is_removed_leaves_the_index_whether_it_was_in_it_or_not(shop: Shop) -> None:
    await accept(shop, "gone")
    await index(shop)
    entry = await accept(shop, "gone before it was put in")
    sweep = Sweep(
        what=What.EVENTS,
        before=NOW + 1,
        before_id=entry.events[0].id + 1,
        category_id=shop.category_id,
    )
    await shop.store.retention.remove(sweep)
    assert await shop.peek("select count(*) from event") == [(0,)]
    await index(shop)
    assert await found(shop, "gone") == []
    assert await shop.peek("select count(*) from event_text_docsize") == [(0,)]
    assert await shop.peek("select rowid from event_text where event_text match 'gone'") == []


async def test_events_of_before_there_was_an_index_are_found(tmp_path: pathlib.Path) -> None:
    scripts = migrate.scripts()
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as old:
        for script in scripts[:6]:
            old.executescript(script)
        old.executescript(
            """
            insert into project (id, name, created_at) values (1, 'shop', 0);
            insert into category (id, project_id, name, emoji, color, created_at)
            values (2, 1, 'sale', '', 0, 0);
            insert into event (id, project_id, category_id, dialect, description, fields,
                               received_at, notify, size)
            values (9, 1, 2, 'slowping', 'of old', '{"a": 1}', 0, 1, 10);
            """
        )
        for script in scripts[6:]:
            old.executescript(script)
        assert old.execute("select rowid from event_text where event_text match 'old'").fetchall()

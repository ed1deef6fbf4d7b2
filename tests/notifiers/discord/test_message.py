from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slowping.core import text
from slowping.core.notification import Notification
from slowping.notifiers.discord import message as messages
from tests.notifiers.samples import bug, long_text
from tests.vectors import vectors


def total(embeds: list[Any]) -> int:
    """What Discord counts against its limit of 6,000."""
    texts = [
        part
        for embed in embeds
        for part in (
            embed["title"],
            embed.get("description", ""),
            *(field[name] for field in embed.get("fields", ()) for name in ("name", "value")),
        )
    ]
    return sum(map(text.utf16_length, texts))


def fields(count: int, name: str = "n", value: str = "v") -> tuple[tuple[str, str], ...]:
    return tuple((f"{name}{number}", value) for number in range(count))


def test_an_event_is_title_text_colour_time_and_fields() -> None:
    assert messages.embed(bug()) == {
        "title": "🐛 Bug",
        "description": "Critical database connection error",
        "color": 0xE74C3C,
        "timestamp": "2026-03-06T10:30:00.000Z",
        "fields": [
            {"name": "severity", "value": "high", "inline": True},
            {"name": r"retry\_count", "value": "3", "inline": True},
        ],
    }


def test_the_time_is_when_it_occurred() -> None:
    assert messages.embed(bug(occurred_at=0))["timestamp"] == "1970-01-01T00:00:00.000Z"


def test_nobody_is_ever_called() -> None:
    body = messages.message([bug(body="@everyone")])
    assert body["allowed_mentions"] == {"parse": []}
    assert "content" not in body


def test_what_is_empty_is_left_out_or_said_to_be() -> None:
    embed = messages.embed(bug(title="\n", body=" ", fields=(("", "x"), ("y", "\t"))))
    assert embed["title"] == "(empty)"
    assert "description" not in embed
    assert [(field["name"], field["value"]) for field in embed["fields"]] == [
        ("(empty)", "x"),
        ("y", "(empty)"),
    ]
    assert "fields" not in messages.embed(bug(fields=()))


def test_every_text_is_cut_at_its_own_limit() -> None:
    embed = messages.embed(
        bug(title="t" * 300, body="b" * 5_000, fields=(("n" * 300, "v" * 2_000),))
    )
    [field] = embed["fields"]
    cut = [embed["title"], embed["description"], field["name"], field["value"]]
    assert [len(part) for part in cut] == [256, 4_096, 256, 1_024]
    assert all(part.endswith("…") for part in cut)


def test_twenty_five_fields_fit() -> None:
    assert len(messages.embed(bug(fields=fields(25)))["fields"]) == 25


def test_of_more_the_last_one_says_how_many_are_missing() -> None:
    shown = messages.embed(bug(fields=fields(30)))["fields"]
    assert len(shown) == 25
    assert shown[-1] == {"name": "…", "value": "… and 6 more", "inline": True}


def test_so_does_it_where_the_sum_leaves_no_room() -> None:
    notification = bug(title="t" * 256, body="b" * 4_096, fields=fields(10, value="v" * 500))
    embed = messages.embed(notification)
    assert total([embed]) <= 6_000
    assert embed["fields"][-1]["value"] == f"… and {10 - len(embed['fields']) + 1} more"


@pytest.mark.parametrize(("count", "fitting"), [(1, 1), (10, 10), (20, 10)])
def test_ten_embeds_fit_into_a_message(count: int, fitting: int) -> None:
    assert messages.fits([bug()] * count) == fitting


def test_fewer_do_where_the_sum_is_full() -> None:
    assert messages.fits([bug(body="b" * 2_500)] * 4) == 2


def test_marks_that_take_no_room_do_not_make_it_read_for_long() -> None:
    hidden = bug(fields=fields(20, value="\u0301" * 4_000))
    assert messages.fits([bug(), hidden, hidden]) == 1
    shown = messages.embed(hidden)["fields"]
    assert shown[-1] == {"name": "…", "value": f"… and {21 - len(shown)} more", "inline": True}
    assert len(shown) < 8


@pytest.mark.parametrize("hostile", vectors("injection", "discord"))
def test_hostile_text_is_harmless_wherever_it_stands(hostile: str) -> None:
    embed = messages.embed(bug(title=hostile, body=hostile, fields=((hostile, hostile),)))
    [field] = embed["fields"]
    for part in (embed["title"], embed["description"], field["name"], field["value"]):
        assert "](" not in part
        assert "\u202e" not in part
        assert "||" not in part


def test_the_plain_form_is_short_and_has_no_fields() -> None:
    body = messages.plain_message(bug(body="b" * 2_000))
    [embed] = body["embeds"]
    assert embed.keys() == {"title", "description"}
    assert len(embed["description"]) == 1_000


def test_the_plain_form_tells_the_fields_as_lines() -> None:
    [embed] = messages.plain_message(bug())["embeds"]
    assert embed["description"].endswith("\nseverity: high\nretry\\_count: 3")


notifications: st.SearchStrategy[Notification] = st.builds(
    bug,
    title=long_text(400),
    body=long_text(6_000) | long_text(6_000, "*_🐛"),
    fields=st.lists(st.tuples(long_text(300), long_text(1_500)), max_size=40).map(tuple),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(notifications, min_size=1, max_size=12))
def test_every_limit_holds_for_every_text(batch: list[Notification]) -> None:
    fitting = messages.fits(batch)
    embeds = messages.message(batch[:fitting])["embeds"]
    assert total(embeds) == sum(map(messages.size, embeds)) <= 6_000
    assert 1 <= len(embeds) <= 10
    for embed in embeds:
        shown = embed.get("fields", ())
        assert len(shown) <= 25
        assert 0 < text.utf16_length(embed["title"].strip()) <= 256
        assert text.utf16_length(embed.get("description", "")) <= 4_096
        assert all(0 < text.utf16_length(field["name"].strip()) <= 256 for field in shown)
        assert all(0 < text.utf16_length(field["value"].strip()) <= 1_024 for field in shown)

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slowping.core import text
from slowping.core.notification import Notification
from slowping.notifiers.telegram import message as messages
from tests.notifiers.samples import BUG, bug, long_text
from tests.vectors import vectors

HEAD = "🎉 Event Notification 🎉\n\n📌 Category: 🐛 Bug\n"
FOOT = "🎨 Color Code: 15158332\n🕒 Timestamp: 2026-03-06T10:30:00.000Z"
RULE = "\n\n———\n\n"


def fields(count: int, value: str = "v") -> tuple[tuple[str, str], ...]:
    return tuple((f"n{number}", value) for number in range(count))


def test_the_layout_is_pingpilots() -> None:
    notification = bug(
        fields=(
            ("severity", "high"),
            ("service", "api-server"),
            ("error_code", "ECONNREFUSED"),
            ("retry_count", "3"),
        ),
        color=16_711_680,
    )
    assert messages.message([notification]) == (
        "🎉 Event Notification 🎉\n"
        "\n"
        "📌 Category: 🐛 Bug\n"
        "📝 Description: Critical database connection error\n"
        "🎨 Color Code: 16711680\n"
        "🕒 Timestamp: 2026-03-06T10:30:00.000Z\n"
        "\n"
        "📌 Details:\n"
        "🔹 severity: high\n"
        "🔹 service: api-server\n"
        "🔹 error_code: ECONNREFUSED\n"
        "🔹 retry_count: 3"
    )


def test_without_fields_there_are_no_details_and_without_text_no_description() -> None:
    assert messages.message([bug(fields=(), body="")]) == HEAD + FOOT


def test_what_is_empty_is_said_to_be() -> None:
    told = messages.message([bug(title="", fields=(("", "\n"),))])
    assert "📌 Category: (empty)\n" in told
    assert told.endswith("🔹 (empty): (empty)")


def test_control_characters_are_seen_and_names_stay_on_their_line() -> None:
    told = messages.message([bug(body="a\x1b[m\r\nb", fields=(("n\nm", "1\n2"),))])
    assert "📝 Description: a\u241b[m\nb\n" in told
    assert told.endswith("🔹 n m: 1\n2")


@pytest.mark.parametrize("hostile", vectors("injection", "telegram_html"))
def test_markup_is_told_as_it_is(hostile: str) -> None:
    told = messages.message([bug(body=hostile)])
    assert f"📝 Description: {hostile}\n" in told


@pytest.mark.parametrize(
    ("given_text", "told"),
    [
        ("@jane and (@joe)", "@\u2060jane and (@\u2060joe)"),
        ("jane@example.test", "jane@example.test"),
        ("@ home", "@ home"),
    ],
)
def test_nobody_is_called_and_addresses_stay_whole(given_text: str, told: str) -> None:
    assert f"Description: {told}\n" in messages.message([bug(body=given_text)])


def test_a_long_text_is_cut_and_leaves_room_for_the_details() -> None:
    told = messages.message([bug(body="b" * 5_000)])
    assert text.utf16_length(told) <= 4_000
    assert "bbb…\n🎨" in told
    assert told.endswith("🔹 severity: high\n🔹 retry_count: 3")


def test_a_long_value_is_cut() -> None:
    told = messages.message([bug(fields=(("n", "v" * 2_000),))])
    assert told.endswith("v" * 1_023 + "…")


def test_the_last_line_says_how_many_details_are_missing() -> None:
    told = messages.message([bug(body="b" * 5_000, fields=fields(100, "v" * 40))])
    assert text.utf16_length(told) <= 4_000
    *_, before, last = told.split("\n")
    shown = told.count("🔹")
    assert before.startswith("🔹")
    assert last == f"… and {100 - shown} more"


def test_marks_that_take_no_room_do_not_make_it_read_for_long() -> None:
    hidden = bug(fields=fields(20, "\u0301" * 4_000))
    assert messages.fits([BUG, hidden, hidden]) == 1
    told = messages.message([hidden])
    assert told.endswith(f"\n… and {20 - told.count('🔹')} more")
    assert told.count("🔹") < 5


def test_several_stand_under_each_other_with_a_rule_between() -> None:
    lone = messages.message([BUG])
    assert messages.message([BUG, BUG]) == f"{lone}{RULE}{lone}"


@pytest.mark.parametrize(("body", "fitting"), [("b", 20), ("b" * 1_500, 2), ("b" * 5_000, 1)])
def test_as_many_go_together_as_there_is_room_for(body: str, fitting: int) -> None:
    assert messages.fits([bug(body=body, fields=())] * 30) == fitting


def test_the_plain_form_is_short() -> None:
    told = messages.plain_message(bug(body="b" * 5_000))
    assert told.startswith("🐛 Bug\nbbb")
    assert text.utf16_length(told) == 1_000


notifications: st.SearchStrategy[Notification] = st.builds(
    bug,
    title=long_text(400),
    body=long_text(5_000) | long_text(5_000, "@🐛a "),
    fields=st.lists(st.tuples(long_text(300), long_text(1_500)), max_size=40).map(tuple),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(notifications, min_size=1, max_size=5))
def test_the_limit_holds_for_every_text(batch: list[Notification]) -> None:
    fitting = messages.fits(batch)
    told = messages.message(batch[:fitting])
    assert text.utf16_length(told) <= 4_000
    assert told.count("🎉 Event Notification 🎉") >= fitting
    assert told.encode()

from typing import Any

import msgspec
import pytest

from slowping.core import notification
from slowping.core.category import DEFAULT_COLOR
from tests.core.test_settle import NOW, leased

DELIVERY = msgspec.structs.replace(
    leased(1), category="bug", emoji="🐛", category_color=0x111111, fields={"amount": 49.0}
)


def composed(**given: Any) -> notification.Notification:  # as LeasedDelivery takes them
    """The notification of a delivery with these members."""
    return notification.compose(msgspec.structs.replace(DELIVERY, **given))


@pytest.mark.parametrize(
    ("given", "title", "body"),
    [
        ({}, "🐛 Bug", "A new bug event has occurred!"),
        ({"emoji": ""}, "🔔 Bug", "A new bug event has occurred!"),
        ({"category": "user signup"}, "🐛 User signup", "A new user signup event has occurred!"),
        ({"description": "It broke."}, "🐛 Bug", "It broke."),
        ({"description": ""}, "🐛 Bug", "A new bug event has occurred!"),
        ({"overrides": {"title": "Hello"}}, "Hello", ""),
        ({"overrides": {"title": "Hello", "description": "World"}}, "Hello", "World"),
        ({"overrides": {"description": "World"}}, "🐛 Bug", "World"),
        ({"overrides": {"title": "Hello"}, "description": "It broke."}, "Hello", "It broke."),
    ],
)
def test_an_event_is_told_in_the_words_that_were_given(
    given: dict[str, Any], title: str, body: str
) -> None:
    told = composed(**given)
    assert (told.title, told.body) == (title, body)


@pytest.mark.parametrize(
    ("given", "color"),
    [
        ({}, 0x111111),
        ({"color": 0x222222}, 0x222222),
        ({"color": 0}, 0),
        ({"overrides": {"color": 0}, "color": 0x222222}, 0),
        ({"overrides": {"title": "Hello"}, "color": 0x222222}, 0x222222),
    ],
)
def test_the_nearest_colour_wins(given: dict[str, Any], color: int) -> None:
    assert composed(**given).color == color


def test_fields_are_texts_and_stay_in_their_order() -> None:
    told = composed(fields={"plan": "pro", "amount": 49.0, "paid": True, "tags": ["a", {"b": 1}]})
    assert told.fields == (
        ("plan", "pro"),
        ("amount", "49"),
        ("paid", "true"),
        ("tags", '["a",{"b":1}]'),
    )
    assert told.data["amount"] == 49.0


def test_who_names_the_words_of_a_message_gets_no_fields_beside_them() -> None:
    assert composed(overrides={"title": "Hello"}).fields == ()


@pytest.mark.parametrize(("occurred_at", "told"), [(None, NOW), (0, 0), (NOW - 5, NOW - 5)])
def test_an_event_without_a_time_occurred_when_it_came(occurred_at: int | None, told: int) -> None:
    assert composed(occurred_at=occurred_at).occurred_at == told


def test_a_test_names_its_channel_and_is_new_each_time() -> None:
    one, other = (notification.trial("team", "shop", moment) for moment in (NOW, NOW + 1))
    assert "team" in one.body
    assert one.color == DEFAULT_COLOR
    assert one.delivery_id != other.delivery_id

import datetime as dt
from typing import Any

import pytest

from slowping.core import audit, errors
from slowping.core.channel import Channel
from slowping.core.project import Project

MOMENT = dt.datetime(2026, 3, 6, tzinfo=dt.UTC)


def test_a_thing_is_told_without_what_every_act_says_anyhow() -> None:
    project = Project(
        id="prj_0000000000001",
        name="shop",
        strict_destinations=False,
        allowed_origins=("https://shop.example",),
        monthly_quota=None,
        created_at=MOMENT,
    )
    told = audit.told(project)
    assert told["name"] == "shop"
    assert told["allowed_origins"] == ("https://shop.example",)
    assert told["monthly_quota"] is None
    assert not {"id", "created_at"} & set(told)


def test_settings_are_told_one_by_one() -> None:
    channel = Channel(
        id="chn_0000000000001",
        project="shop",
        name="ops",
        kind="webhook",
        settings={"url": "https://ops.example", "secret": "…abcd"},
        ad_hoc=False,
        paused_at=None,
        paused_reason=None,
        created_at=MOMENT,
    )
    told = audit.told(channel)
    assert told["settings.url"] == "https://ops.example"
    assert told["settings.secret"] == "…abcd"
    assert not {"settings", "project"} & set(told)


@pytest.mark.parametrize(
    ("before", "after", "touched", "was", "now"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, (), {"b": 2}, {"b": 3}),
        ({"a": 1}, {"a": 1}, (), {}, {}),
        ({"a": 1}, {"a": 1, "b": 2}, (), {}, {"b": 2}),
        ({"a": 1, "b": 2}, {"a": 1}, (), {"b": 2}, {}),
        ({"secret": "…"}, {"secret": "…"}, ("secret",), {"secret": "…"}, {"secret": "…"}),
        ({}, {}, ("secret",), {}, {}),
    ],
)
def test_a_difference_is_what_was_and_what_is(
    before: dict[str, Any],
    after: dict[str, Any],
    touched: tuple[str, ...],
    was: dict[str, Any],
    now: dict[str, Any],
) -> None:
    assert audit.difference(before, after, touched) == (was, now)


@pytest.mark.parametrize("act", ["channel", "channel.paused", "secrets"])
def test_a_kind_and_the_noun_of_kinds_are_known(act: str) -> None:
    audit.require_known(act)


@pytest.mark.parametrize("act", ["", "chan", "paused", "channel.", "channel.painted"])
def test_anything_else_is_not(act: str) -> None:
    with pytest.raises(errors.InvalidInput, match=f"There is no act '{act}'"):
        audit.require_known(act)

import datetime as dt
import json
from typing import Any

import msgspec
import pytest

from slowping.cli.tail import Printer
from slowping.core import times
from slowping.core.api_key import ApiKey, ApiKeyKind, Scope
from slowping.core.category import Category
from slowping.core.channel import Channel
from slowping.core.delivery import Delivery, DeliveryState
from slowping.core.event import Event
from slowping.core.feed import (
    CategoryChanged,
    ChannelChanged,
    DeliveryChanged,
    EventAccepted,
    FeedItem,
    KeyChanged,
    ProjectChanged,
)
from slowping.core.project import Project
from slowping.testing import START_MS
from tests.vectors import vectors

AT = times.to_datetime(START_MS)
NOW = AT + dt.timedelta(seconds=5)
HOSTILE = [text for texts in vectors("injection").values() for text in texts]


def accepted(**changed: Any) -> EventAccepted:
    given: dict[str, Any] = {
        "id": "evt_1", "project": "shop", "category": "sale", "description": "New sale!",
        "fields": {"amount": 49.0, "plan": "very pro"}, "source": None, "color": None,
        "dialect": "slowping", "occurred_at": None, "received_at": AT, "notify": True,
    }  # fmt: skip
    return EventAccepted(id="evt_1", event=Event(**{**given, **changed}))


def sale(emoji: str = "💰") -> Category:
    return Category(
        id="cat_1", project="shop", name="sale", emoji=emoji, color=1, priority=0, channels=(),
        created_at=AT,
    )  # fmt: skip


def delivery(**changed: Any) -> DeliveryChanged:
    given: dict[str, Any] = {
        "id": "dlv_1", "event_id": "evt_1", "project": "shop", "category": "sale",
        "channel": "team", "kind": "discord", "state": DeliveryState.DELIVERED, "attempts": 1,
        "last_error": None, "due_at": None, "created_at": AT, "ended_at": AT, "reference": None,
    }  # fmt: skip
    return DeliveryChanged(id="dlv_1", delivery=Delivery(**{**given, **changed}))


def channel(reason: str | None = None) -> Channel:
    return Channel(
        id="chn_1", project="shop", name="team", kind="discord", settings={}, ad_hoc=False,
        paused_at=AT if reason else None, paused_reason=reason, created_at=AT,
    )  # fmt: skip


def troubled() -> Channel:
    return msgspec.structs.replace(channel(), held_until=AT, held_reason="HTTP 503")


def key(*, revoked: bool = False) -> ApiKey:
    return ApiKey(
        id="key_1", name="ci", prefix="slp_abcd", kind=ApiKeyKind.SECRET, scopes=(Scope.READ,),
        project="shop", projects=(), all_projects=False, rate_limit=0, origins=(), created_at=AT,
        expires_at=None, revoked_at=AT if revoked else None, last_used_at=None,
    )  # fmt: skip


SHOP = Project(
    id="prj_1", name="shop", strict_destinations=False, allowed_origins=(), monthly_quota=None,
    created_at=AT,
)  # fmt: skip


def printer(**terms: bool) -> Printer:
    given = {"everything": True, "as_json": False, "with_project": True}
    made = Printer(**{**given, **terms})
    made.learn(sale())
    return made


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (accepted(), '💰 shop/sale · New sale! · amount=49 plan="very pro"'),
        (accepted(description=None, fields={}), "💰 shop/sale"),
        (
            accepted(category="bug", fields={"a": {"b": [1]}}),
            '🔔 shop/bug · New sale! · a={"b":[1]}',
        ),
        (accepted(description="x" * 600, fields={}), f"💰 shop/sale · {'x' * 499}…"),
        (accepted(fields={"a": "y" * 70}), f"💰 shop/sale · New sale! · a={'y' * 59}…"),
        (
            accepted(fields={f"f{n}": n for n in range(14)}),
            f"💰 shop/sale · New sale! · {' '.join(f'f{n}={n}' for n in range(12))} …",
        ),
    ],
)
def test_an_event_is_a_line_with_its_own_time(item: FeedItem, line: str) -> None:
    assert printer().line(item, NOW) == f"{times.iso_s(START_MS)} {line}"


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (delivery(), "delivery.changed dlv_1 💰 shop/sale → team (discord): delivered, 1 attempt"),
        (
            delivery(state=DeliveryState.PENDING, attempts=2, last_error="HTTP 503"),
            "delivery.changed dlv_1 💰 shop/sale → team (discord): pending, 2 attempts: HTTP 503",
        ),
        (ChannelChanged(id="chn_1", channel=channel()), "channel.changed shop/team (discord)"),
        (
            ChannelChanged(id="chn_1", channel=channel("deleted")),
            "channel.changed shop/team (discord), paused: deleted",
        ),
        (
            ChannelChanged(id="chn_1", channel=troubled()),
            "channel.changed shop/team (discord), troubled: HTTP 503",
        ),
        (ChannelChanged(id="chn_1", channel=None), "channel.changed chn_1 is gone"),
        (CategoryChanged(id="cat_1", category=sale()), "category.changed 💰 shop/sale"),
        (CategoryChanged(id="cat_1", category=None), "category.changed cat_1 is gone"),
        (KeyChanged(id="key_1", api_key=key()), "key.changed ci (slp_abcd…)"),
        (KeyChanged(id="key_1", api_key=key(revoked=True)), "key.changed ci (slp_abcd…), revoked"),
        (ProjectChanged(id="prj_1", project=SHOP), "project.changed shop"),
        (ProjectChanged(id="prj_1", project=None), "project.changed prj_1 is gone"),
    ],
)
def test_what_changed_is_a_line_with_the_time_of_now(item: FeedItem, line: str) -> None:
    assert printer().line(item, NOW) == f"{times.iso_s(START_MS + 5_000)} {line}"


def test_the_project_is_left_out_where_it_was_asked_for() -> None:
    assert "💰 sale · New sale!" in printer(with_project=False).line(accepted(), NOW)


def test_a_changed_category_changes_the_lines_that_follow(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = printer(everything=False)
    lines.print(CategoryChanged(id="cat_1", category=sale("🎉")), NOW)
    lines.print(delivery(), NOW)
    lines.print(accepted(), NOW)
    [printed] = capsys.readouterr().out.splitlines()
    assert "🎉 shop/sale" in printed


def test_json_is_the_event_a_line_or_everything_with_its_kind(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for everything in (False, True):
        lines = printer(everything=everything, as_json=True)
        lines.print(accepted(description="two\nlines"), NOW)
        lines.print(delivery(), NOW)
    event, item, changed = map(json.loads, capsys.readouterr().out.splitlines())
    assert (event["id"], event["description"]) == ("evt_1", "two\nlines")
    assert (item["kind"], item["event"]) == ("event.accepted", event)
    assert (changed["kind"], changed["delivery"]["state"]) == ("delivery.changed", "delivered")


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("as_json", [False, True])
def test_no_text_of_a_sender_reaches_the_terminal_as_an_instruction(
    capsys: pytest.CaptureFixture[str], hostile: str, as_json: bool
) -> None:
    lines = printer(as_json=as_json)
    lines.learn(sale(hostile))
    lines.print(accepted(description=hostile, fields={hostile: hostile, "a": [hostile]}), NOW)
    lines.print(accepted(category=hostile, source=hostile), NOW)
    lines.print(delivery(last_error=hostile, channel=hostile), NOW)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 3
    assert not [letter for letter in printed if letter != "\n" and not _is_harmless(letter)]


def _is_harmless(letter: str) -> bool:
    from slowping.core import text

    return letter >= " " and text.visible(letter) == letter

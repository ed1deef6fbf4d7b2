"""The channels: what is told of them, and what can be done about them, by its keys."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from slowping.core import errors
from slowping.core.channel import Channel, ChannelKind, ChannelTest, IssuedChannel
from slowping.core.delivery import DeliveryGroup, DeliveryState
from slowping.core.feed import CategoryChanged, ChannelChanged
from slowping.core.page import Page
from slowping.tui.screens.channel import ChannelScreen
from tests.tui.channels import channel, figures, hours, overview, real_kinds
from tests.tui.driver import (
    Driver,
    ScriptedServer,
    category,
    delivery,
    moment,
    refusal,
    running,
)
from tests.tui.things import has_projects

LooksLike = Callable[[str, str], None]
SIZES = {"60x18": (60, 18), "80x24": (80, 24), "160x45": (160, 45)}

OPS = channel("ops")
MAIL = channel(
    "mail",
    "email",
    settings={
        "to": "ann@shop.test",
        "host": "smtp.shop.test",
        "port": 587,
        "tls": "starttls",
        "password": "…",
        "retry_delays": [5, 300.5],
    },
)
ALERTS = channel(
    "alerts",
    "telegram",
    paused_at=moment(-3_600),
    paused_reason="Telegram does not know the chat: add the bot to it",
    settings={"bot_token": "…abcd", "chat_id": "-100123"},
)
MADE = channel("discord-1234567890123456789", "discord", ad_hoc=True, settings={"url": "…wxyz"})
CATEGORIES = [
    category("sale", channels=("ops", "mail")),
    category("bug", channels=("ops",)),
    category("question"),
]
REFUSED = (
    "the SMTP server refused the login; check username, password and tls: 535 5.7.8 see "
    "https://smtp.shop.test/help/" + "what-to-do-when-authentication-has-failed-" * 3
)
FIGURES = (
    figures(OPS, delivered=118, troubled=2, hours=hours(1, 4, 2, 9, 12, 40),
            troubled_hours=hours(2, 0, 0), latency_p50_ms=120, latency_p95_ms=1_240,
            last_error="HTTP 503: busy", last_error_at=moment(-7_200)),
    figures(MAIL, waiting=12, failed=3, delivered=5, troubled=44, hours=hours(5, 0, 0),
            troubled_hours=hours(4, 20, 20), latency_p50_ms=420, latency_p95_ms=31_200,
            last_error=REFUSED, last_error_at=moment(-40)),
    figures(ALERTS, waiting=1_200, troubled=1, troubled_hours=hours(1, 0)),
    figures(MADE, delivered=3, hours=hours(3, 0)),
)  # fmt: skip


def full(server: ScriptedServer, *channels: Channel) -> None:
    """A server with a channel of every sort."""
    server.answers["GET /channels"] = Page(items=channels or (OPS, MAIL, ALERTS, MADE))
    server.answers["GET /channel-kinds"] = Page(items=real_kinds())
    server.answers["GET /deliveries"] = Page(items=())
    server.answers["GET /overview"] = overview(*FIGURES)
    server.categories = CATEGORIES


@contextlib.asynccontextmanager
async def looking(
    server: ScriptedServer, size: tuple[int, int] = (120, 30), *, project: str | None = "shop"
) -> AsyncIterator[Driver]:
    """Look at the channels of a project; None is all of them."""
    async with running(server, size=size) as live:
        live.app.set_reactive(type(live.app).project, project)
        await live.connects()
        await live.press("3")
        yield live


def screen(live: Driver) -> ChannelScreen:
    found = live.app.screen_stack[0]
    assert isinstance(found, ChannelScreen)
    return found


def current(live: Driver) -> str | None:
    item = screen(live).current
    return item.name if item else None


async def rested(live: Driver) -> str:
    """The picture, once nothing in it moves: other columns are shown when a pane takes room."""
    before = None
    while (picture := live.picture()) != before:
        before = picture
        await live.settle()
    return picture


# What is shown -----------------------------------------------------------------------------------


async def test_how_each_channel_stands_is_said_in_words(server: ScriptedServer) -> None:
    full(server)
    async with looking(server) as live:
        live.shows("⏸ paused", "✗ troubled", "● sending", "98% of 120", "10% of 49", "1,200")
        live.shows("discord ad hoc", "HTTP 503: busy")


async def test_the_project_is_shown_where_all_are_looked_at(server: ScriptedServer) -> None:
    full(server)
    async with looking(server, project=None) as live:
        live.shows("Project")
    async with looking(server) as live:
        live.hides("Project")


async def test_an_older_server_has_no_figures_and_all_else_works(server: ScriptedServer) -> None:
    full(server)
    server.refusing["/overview"] = (404, errors.UnknownPath)
    async with looking(server) as live:
        live.shows("● sending  ops", "⏸ paused")
        live.hides("Attempts", "Waiting")
        assert not live.toasts()
        await live.press("G", "enter")
        live.shows("ad hoc: made by a request", "Settings")


async def test_ad_hoc_channels_can_be_left_out(server: ScriptedServer) -> None:
    full(server)
    async with looking(server) as live:
        await live.press("slash")
        await live.write("configured")
        live.shows("3 of 4 channels")
        live.hides("discord-123")
        await live.press("escape", "slash")
        await live.write("state:troubled")
        live.shows("1 of 4 channels", "mail")


async def test_a_change_is_shown_without_asking_again(server: ScriptedServer) -> None:
    full(server)
    async with looking(server) as live:
        before = server.asked.count("GET /channels")
        paused = channel("ops", paused_at=moment(0), paused_reason="maintenance")
        await live.receives(
            ChannelChanged(id=OPS.id, channel=paused),
            ChannelChanged(id="chn_new", channel=channel("new")),
            ChannelChanged(id=MAIL.id, channel=None),
        )
        live.shows("⏸ paused    ops", "● sending   new", "4 channels")
        live.hides("mail")
        assert server.asked.count("GET /channels") == before


async def test_what_changes_while_channels_are_loaded_is_not_shown_as_it_was(
    server: ScriptedServer,
) -> None:
    full(server)
    async with looking(server) as live:
        server.gate.clear()
        screen(live).load()
        await live.pilot.pause()
        await live.receives(
            ChannelChanged(id=OPS.id, channel=channel("ops", paused_at=moment(0))),
            ChannelChanged(id=MAIL.id, channel=None),
        )
        server.gate.set()
        await live.settle()
        live.shows("3 channels")
        assert screen(live).items[OPS.id].paused_at is not None


async def test_what_leads_to_a_channel_follows_the_categories(server: ScriptedServer) -> None:
    full(server)
    async with looking(server) as live:
        screen(live).jump("ops")
        await live.press("enter")
        live.shows("sale, bug  by name", "question  as every channel does")
        await live.receives(
            CategoryChanged(id="cat_bug", category=None),
            CategoryChanged(id="cat_question", category=category("question", channels=("ops",))),
        )
        live.shows("sale, question  by name")
        live.hides("as every channel does")


async def test_the_details_tell_all_there_is(server: ScriptedServer) -> None:
    full(server)
    async with looking(server, (120, 45)) as live:
        screen(live).jump("mail")
        await live.press("enter")
        live.shows(
            "ann@shop.test", "smtp.shop.test", "587", "10% of 49",
            "420 ms for half of them, 31 s for 95%", "12 waiting · 3 failed",
            "Last error", "check username,", "sale  by name", "5, 300.5",
        )  # fmt: skip
        await live.press("g")
        live.shows("Since", "Telegram does not know the chat", "s resumes it")


async def test_the_palette_jumps_to_a_channel(server: ScriptedServer) -> None:
    full(server)
    async with running(server) as live:
        await live.connects()
        await live.press("colon")
        await live.write("mail")
        await live.press("enter")
        assert current(live) == "mail"


# Making and changing -----------------------------------------------------------------------------


def makes(server: ScriptedServer, made: Channel, **secrets: str) -> None:
    server.answers["POST /channels"] = IssuedChannel(channel=made, secrets=secrets)


async def test_a_kind_is_chosen_and_its_form_filled_in(server: ScriptedServer) -> None:
    full(server)
    makes(server, channel("new-mail", "email"))
    async with looking(server) as live:
        await live.press("n")
        live.shows("A signed HTTP POST to a URL of your own")
        await live.write("nowhere")
        live.shows("Nothing is called so.")
        await live.press("ctrl+u")
        await live.write("mail")
        live.hides("A signed HTTP POST")
        await live.press("enter")
        live.shows("New email channel in shop", "To *", "SMTP server")
        await live.write("new-mail")
        await live.press("enter")
        await live.write("bob@shop.test")
        await live.press("enter", "enter")
        await live.write("587")
        await live.press("enter", "right", "right")
        await live.press("ctrl+s")
        assert server.sent["POST /channels"] == {
            "kind": "email",
            "name": "new-mail",
            "project": "shop",
            "settings": {"to": "bob@shop.test", "port": 587, "tls": "starttls"},
        }
        assert current(live) == "new-mail"
        assert live.toasts() == ["Created new-mail: t sends a test."]


async def test_a_name_that_is_free_is_proposed(server: ScriptedServer) -> None:
    full(server, channel("webhook"), channel("webhook-2"))
    makes(server, channel("webhook-3"))
    async with looking(server) as live:
        await live.press("n", "G", "end", "k", "down", "enter")
        await live.press("escape", "n", "k", "enter", "enter")
        await live.write("https://ops.test/hook")
        await live.press("ctrl+s")
        assert server.sent["POST /channels"]["name"] == "webhook-3"


async def test_the_form_asks_for_the_project_where_all_are_looked_at(
    server: ScriptedServer,
) -> None:
    full(server)
    makes(server, channel("console", "console"))
    has_projects(server, "blog", "shop")
    async with looking(server, project=None) as live:
        await live.press("n", "enter")
        live.shows("[shop]", "blog")
        await live.press("enter", "right", "ctrl+s")
        assert server.sent["POST /channels"] == {
            "kind": "console", "name": "console", "project": "blog", "settings": {},
        }  # fmt: skip


async def test_a_secret_that_was_made_is_shown_once(server: ScriptedServer) -> None:
    full(server)
    makes(server, channel("hook"), secret="whsec_made")
    async with looking(server) as live:
        await live.press("n", "k", "enter", "enter")
        await live.write("https://ops.test/hook")
        await live.press("ctrl+s")
        live.shows("Made for hook", "whsec_made", "Shown this once")
        await live.press("escape", "y")
        live.hides("whsec_made")
        assert "Created hook: t sends a test." in live.toasts()


async def test_a_refusal_points_at_the_field_and_keeps_what_was_typed(
    server: ScriptedServer,
) -> None:
    full(server)
    said = "The setting 'secret' is 'whsec_' and 24 to 64 bytes in base64."
    server.answers["POST /channels"] = lambda _: refusal(422, errors.InvalidInput, said)
    async with looking(server) as live:
        await live.press("n", "k", "enter", "enter")
        await live.write("https://ops.test/hook")
        await live.press("enter")
        await live.write("s3cret")
        await live.press("enter", "ctrl+s")
        live.shows("✗ The setting 'secret'", "✗ Signing secret", "•" * len("https://ops.test/hook"))
        live.hides("s3cret ", "https://ops.test/hook")
        await live.write("x")
        live.hides("✗ Signing", "✗ The")
        makes(server, channel("hook"))
        await live.press("ctrl+s")
        assert server.sent["POST /channels"]["settings"]["secret"] == "s3cretx"


@pytest.mark.parametrize(
    ("condition", "more", "label"),
    [
        (errors.NameTaken, {"noun": "channel", "name": "webhook"}, "✗ Name *"),
        (errors.InvalidInput, {"detail": "name: takes letters and digits."}, "✗ Name *"),
        (errors.ForeignProject, {"project": "shop"}, "✗ Project *"),
    ],
)
async def test_name_and_project_are_pointed_at_too(
    server: ScriptedServer, condition: type[errors.SlowpingError], more: Any, label: str
) -> None:
    full(server)
    server.answers["POST /channels"] = lambda _: refusal(422, condition, **more)
    has_projects(server, "blog", "shop")
    async with looking(server, project=None) as live:
        await live.press("n", "k", "enter", "enter", "enter")
        await live.write("https://ops.test/hook")
        await live.press("ctrl+s")
        live.shows(label)


async def test_what_is_missing_is_said_without_asking_the_server(server: ScriptedServer) -> None:
    full(server)
    async with looking(server) as live:
        await live.press("n", "k", "enter", "ctrl+s")
        live.shows("✗ URL is required.", "✗ URL *")
        assert "POST /channels" not in server.asked


async def test_a_secret_is_masked_until_it_is_asked_for(server: ScriptedServer) -> None:
    full(server)
    async with looking(server) as live:
        await live.press("n", "k", "enter", "enter", "enter")
        await live.write("whsec_x")
        live.hides("whsec_x")
        await live.press("ctrl+r")
        live.shows("whsec_x")
        await live.press("ctrl+r")
        live.hides("whsec_x")


async def test_the_form_stays_until_the_answer_is_there(server: ScriptedServer) -> None:
    full(server)
    makes(server, channel("hook"), secret="whsec_made")
    async with looking(server) as live:
        await live.press("n", "k", "enter", "enter")
        await live.write("https://ops.test/hook")
        server.gate.clear()
        await live.press("ctrl+s", "escape")
        live.shows("Saving…")
        server.gate.set()
        await live.settle()
        live.shows("whsec_made")


async def test_only_what_was_changed_is_sent(server: ScriptedServer) -> None:
    full(server)
    server.answers[f"PATCH /channels/{MAIL.id}"] = IssuedChannel(channel=MAIL)
    async with looking(server) as live:
        screen(live).jump("mail")
        await live.press("e")
        live.shows("Change mail", "ann@shop.test", "[starttls]", "… stays", "5, 300.5")
        await live.press("enter", "enter", "enter", "ctrl+u")
        await live.press("enter", "right", "ctrl+s")
        assert server.sent[f"PATCH /channels/{MAIL.id}"] == {
            "settings": {"port": None, "tls": "tls"}
        }
        assert live.toasts() == ["Changed mail: t sends a test."]


async def test_a_form_that_was_left_as_it_is_sends_nothing(server: ScriptedServer) -> None:
    full(server)
    async with looking(server) as live:
        await live.press("e", "ctrl+s")
        live.hides("Change alerts")
        assert not [asked for asked in server.asked if asked.startswith("PATCH")]


async def test_a_secret_is_taken_away_where_that_is_marked(server: ScriptedServer) -> None:
    full(server)
    server.answers[f"PATCH /channels/{OPS.id}"] = IssuedChannel(
        channel=OPS, secrets={"secret": "whsec_new"}
    )
    async with looking(server) as live:
        screen(live).jump("ops")
        await live.press("e", "down", "down", "tab", "space")
        live.shows("[x] unset")
        await live.press("ctrl+s")
        assert server.sent[f"PATCH /channels/{OPS.id}"] == {"settings": {"secret": None}}
        live.shows("whsec_new")


async def test_what_is_typed_on_the_mark_beside_a_secret_is_typed_into_the_secret(
    server: ScriptedServer,
) -> None:
    full(server)
    server.answers[f"PATCH /channels/{OPS.id}"] = IssuedChannel(channel=OPS, secrets={})
    async with looking(server) as live:
        screen(live).jump("ops")
        await live.press("e", "down", "down", "tab")
        await live.write("unhinged")
        await live.press("ctrl+s")
        sent = server.sent[f"PATCH /channels/{OPS.id}"]
        assert sent == {"settings": {"secret": "unhinged"}}


PAGER = ChannelKind(
    kind="pager",
    summary="A plug-in of somebody's",
    settings={
        "properties": {
            "number": {"title": "Number", "type": "string"},
            "loud": {"title": "Loud", "type": "boolean", "default": False},
            "tags": {"title": "Tags", "type": "array", "items": {"type": "string"}},
            "headers": {
                "title": "Headers", "type": "object", "additionalProperties": {"type": "string"},
            },
            "proxy": {
                "title": "Proxy",
                "type": "object",
                "properties": {"host": {"title": "Host", "type": "string", "default": "::1"}},
            },
            "extra": {"title": "Extra", "description": "Whatever the pager knows."},
        },
        "required": ["number"],
    },
)  # fmt: skip


async def test_a_plug_in_has_a_form_as_all_others(
    server: ScriptedServer, looks_like: LooksLike
) -> None:
    full(server)
    server.answers["GET /channel-kinds"] = Page(items=(PAGER,))
    makes(server, channel("pager", "pager"))
    async with looking(server, SIZES["80x24"]) as live:
        await live.press("n", "enter", "enter")
        await live.write("0800")
        await live.press("enter", "right", "enter")
        await live.write("night")
        await live.press("enter")
        await live.write("day")
        await live.press("tab")
        await live.write("X-Key: 1")
        await live.press("tab", "enter")
        await live.write("{")
        await live.press("ctrl+s")
        looks_like(await rested(live), "channel-form-plug-in-80x24")
        await live.write("}")
        await live.press("ctrl+s")
        assert server.sent["POST /channels"]["settings"] == {
            "number": "0800",
            "loud": True,
            "tags": ["night", "day"],
            "headers": {"X-Key": "1"},
            "extra": {},
        }


async def test_a_kind_that_is_gone_has_no_form(server: ScriptedServer) -> None:
    full(server, channel("pager", "pager"))
    async with looking(server) as live:
        await live.press("e")
        [toast] = live.toasts()
        assert "knows no channels of kind pager any more" in toast


# Testing -----------------------------------------------------------------------------------------


def answers_a_test(server: ScriptedServer, item: Channel, outcome: str, status: int | None) -> None:
    server.answers[f"POST /channels/{item.id}/test"] = ChannelTest(
        outcome=outcome,
        reason=None if outcome == "delivered" else "HTTP 404",
        status=status,
        excerpt="no such hook",
        duration_ms=812,
    )


async def test_a_test_shows_what_the_far_side_has_said(server: ScriptedServer) -> None:
    full(server)
    answers_a_test(server, OPS, "retry", 404)
    async with looking(server) as live:
        screen(live).jump("ops")
        await live.press("t")
        live.shows("A test of ops", "✗ failed after 812 ms, status 404", "HTTP 404", "no such hook")
        live.shows("Nothing is at that address.")
        answers_a_test(server, OPS, "delivered", 204)
        await live.press("t")
        live.shows("✓ delivered in 812 ms, status 204")
        await live.press("escape", "enter")
        live.shows("Last test", "✓ delivered in 812 ms, status 204")


async def test_a_test_on_its_way_can_be_left_and_tells_its_end_in_a_toast(
    server: ScriptedServer,
) -> None:
    full(server)
    answers_a_test(server, OPS, "delivered", 204)
    async with looking(server) as live:
        screen(live).jump("ops")
        server.gate.clear()
        await live.press("t")
        live.shows("on its way for 0 s", "esc goes on", "Testing ops…")
        await live.press("escape")
        await live.press("t")
        assert "Send a test: a test of it is on its way." in live.toasts()
        server.gate.set()
        await live.settle()
        assert "The test of ops: delivered in 812 ms, status 204." in live.toasts()


async def test_a_test_that_could_not_be_sent_says_why(server: ScriptedServer) -> None:
    full(server)
    server.refusing[f"/channels/{OPS.id}/test"] = (503, errors.Unavailable)
    async with looking(server) as live:
        screen(live).jump("ops")
        await live.press("t")
        live.shows("A test of ops", "✗ no result", "Do it again in")
        assert any(toast.startswith("Testing ops failed") for toast in live.toasts())


# Pausing, removing, failed ones ------------------------------------------------------------------


async def test_a_channel_pauses_for_a_reason(server: ScriptedServer) -> None:
    full(server)
    paused = channel("ops", paused_at=moment(0), paused_reason="new server")
    server.answers[f"POST /channels/{OPS.id}/pause"] = paused
    async with looking(server) as live:
        screen(live).jump("ops")
        await live.press("s")
        live.shows("Pause ops?", "in order")
        await live.write("new server")
        await live.press("enter", "enter")
        assert server.sent[f"POST /channels/{OPS.id}/pause"] == {"reason": "new server"}
        assert live.toasts() == ["Paused ops: its deliveries wait."]
        live.hides("● sending  ops")


async def test_a_pause_that_is_refused_keeps_the_reason(server: ScriptedServer) -> None:
    full(server)
    server.refusing[f"/channels/{OPS.id}/pause"] = (409, errors.WrongState)
    async with looking(server) as live:
        screen(live).jump("ops")
        await live.press("s")
        await live.write("new server")
        await live.press("ctrl+s")
        live.shows("✗ It was refused.", "new server")


async def test_a_paused_channel_resumes(server: ScriptedServer) -> None:
    full(server)
    server.answers[f"POST /channels/{ALERTS.id}/resume"] = channel("alerts", "telegram")
    async with looking(server) as live:
        await live.press("s")
        live.hides("⏸ paused")
        assert live.toasts() == ["Resumed alerts: what waited goes out in order."]


async def test_a_removal_says_what_goes_along_and_asks_for_the_name(
    server: ScriptedServer,
) -> None:
    full(server)
    server.answers["GET /deliveries"] = Page(
        items=tuple(delivery(n, n, DeliveryState.PENDING) for n in range(3))
    )
    async with looking(server) as live:
        screen(live).jump("ops")
        await live.press("d")
        live.shows("Remove ops?", "3 waiting deliveries will be discarded.")
        live.shows("Events of bug will go", "nowhere", "Events of sale")
        assert "channel=ops" in server.queries["/deliveries"]
        assert "state=pending" in server.queries["/deliveries"]
        await live.press("enter")
        assert f"DELETE /channels/{OPS.id}" not in server.asked
        await live.write("ops")
        await live.press("enter")
        assert f"DELETE /channels/{OPS.id}" in server.asked
        assert "Removed ops." in live.toasts()
        live.shows("3 channels")


async def test_a_removal_that_is_not_meant_removes_nothing(server: ScriptedServer) -> None:
    full(server)
    async with looking(server) as live:
        await live.press("d", "escape")
        assert not [asked for asked in server.asked if asked.startswith("DELETE")]


async def test_there_is_nothing_to_see_where_nothing_has_failed(server: ScriptedServer) -> None:
    full(server)
    async with looking(server) as live:
        screen(live).jump("ops")
        await live.press("f")
        assert live.toasts() == ["Failed deliveries: no delivery of it stands as failed."]


async def test_failed_deliveries_are_a_key_away(server: ScriptedServer) -> None:
    full(server)
    server.answers["GET /deliveries/groups"] = Page(items=(_group("mail"), _group("ops")))
    async with looking(server) as live:
        screen(live).jump("mail")
        await live.press("f")
        assert live.app.current_mode == "delivery"
        live.shows("mail")
        live.hides("ops")


async def test_a_key_that_may_only_read_changes_nothing(server: ScriptedServer) -> None:
    full(server)
    server.refusing["/keys"] = (403, errors.Forbidden)
    async with looking(server) as live:
        for key in ("n", "e", "t", "s", "d"):
            await live.press(key)
            assert live.toasts()[-1].endswith("this API key may only read.")
        assert not set(server.sent)


def _group(name: str) -> DeliveryGroup:
    return DeliveryGroup(
        project="shop", channel=name, kind="webhook", state=DeliveryState.FAILED,
        last_error="HTTP 503", count=3, oldest_at=moment(-60), newest_at=moment(-5),
    )  # fmt: skip


# Pictures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_full_channels(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with looking(server, SIZES[size], project=None) as live:
        looks_like(await rested(live), f"channel-full-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_no_channels(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    server.answers["GET /channels"] = Page(items=())
    async with looking(server, SIZES[size]) as live:
        looks_like(await rested(live), f"channel-empty-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_channels_that_cannot_be_loaded(
    server: ScriptedServer, looks_like: LooksLike, size: str
) -> None:
    full(server)
    server.refusing["/channels"] = (503, errors.Unavailable)
    async with looking(server, SIZES[size]) as live:
        looks_like(await rested(live), f"channel-error-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_details(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with looking(server, SIZES[size]) as live:
        screen(live).jump("mail")
        await live.press("enter")
        looks_like(await rested(live), f"channel-details-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_a_form(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    said = "The setting 'from' has the wrong form: An address, or `Name <address>`."
    server.answers[f"PATCH /channels/{MAIL.id}"] = lambda _: refusal(422, errors.InvalidInput, said)
    async with looking(server, SIZES[size]) as live:
        screen(live).jump("mail")
        await live.press("e")
        await live.write("-2")
        await live.press("ctrl+s")
        looks_like(await rested(live), f"channel-form-refused-{size}")


async def test_a_kind(server: ScriptedServer, looks_like: LooksLike) -> None:
    full(server)
    async with looking(server, SIZES["80x24"]) as live:
        await live.press("n")
        looks_like(await rested(live), "channel-kind-80x24")


@pytest.mark.parametrize("size", ["60x18", "80x24"])
async def test_a_test(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    answers_a_test(server, MAIL, "unusable", 535)
    async with looking(server, SIZES[size]) as live:
        screen(live).jump("mail")
        await live.press("t")
        looks_like(await rested(live), f"channel-test-{size}")

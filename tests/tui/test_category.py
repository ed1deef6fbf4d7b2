"""The place of the categories: its table, its details, and every act, by the keyboard."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import msgspec
import pytest
from textual.widgets import Input

from slowping.core import errors
from slowping.core.category import Category
from slowping.core.event import Event
from slowping.core.feed import CategoryChanged, ChannelChanged, KeyChanged
from slowping.core.overview import Counts, FieldSum
from slowping.core.page import Page
from slowping.tui.category.surroundings import Known
from slowping.tui.screens.category import CategoryScreen
from slowping.tui.settings import Remembered, Settings
from slowping.tui.widgets import category_look
from tests.tui.channels import channel
from tests.tui.driver import (
    Driver,
    ScriptedServer,
    category,
    event,
    events,
    moment,
    refusal,
    running,
)
from tests.tui.figures import category_figures, overview
from tests.tui.things import has_keys, has_projects, key

LooksLike = Callable[[str, str], None]
SIZES = {"60x18": (60, 18), "80x24": (80, 24), "160x45": (160, 45)}


def full(server: ScriptedServer) -> None:
    """A shop and a support desk."""
    server.categories = [
        category("sale", "💰", 0xFFEB3B, channels=["ops", "mail"], priority=10),
        category("bug", "🐛", 0xFF6B6B),
        category("question", "🤔", 0x6C5CE7, project="support"),
        category("日本語の長い名前、どの列よりも長い名前", "🎉", 0x45B7D1),
    ]
    server.answers["GET /channels"] = Page(items=(channel("ops"), channel("mail", "email")))
    server.answers["GET /overview"] = overview(
        categories=(
            category_figures(
                "sale",
                events=Counts(today=180, week=1_204, month=5_120, total=80_000),
                sums=(FieldSum(field="amount", today=1240.5, week=9310.0, month=31002.25),),
            ),
            category_figures("bug", events=Counts(month=4, total=4), hours=(0,) * 24),
            category_figures("question", project="support", events=Counts(), hours=(0,) * 24),
        )
    )
    has_projects(server, "shop", "support", "default")
    has_keys(server, key(1, name="checkout"), key(2, name="desk", project="support"))
    server.events = [
        event(1, received_at=moment(-3_700), fields={"amount": 49.0}),
        event(2, category="bug", description="日本語のエラー", received_at=moment(-95)),
    ]

    def listed(request: httpx.Request) -> Page[Event]:
        wanted = request.url.params.get("category")
        newest = reversed(server.events)
        return Page(items=tuple(e for e in newest if wanted in {None, e.category}))

    server.answers["GET /events"] = listed


@contextlib.asynccontextmanager
async def showing(
    server: ScriptedServer, *, size: tuple[int, int] = (80, 24), project: str | None = None
) -> AsyncIterator[Driver]:
    """The categories on the screen, of one project or of all."""
    server.answers.setdefault("GET /channels", Page(items=()))
    server.answers.setdefault("GET /overview", overview())
    settings = Settings()
    settings.remembered = Remembered(project=project)
    async with running(server, size=size, settings=settings) as live:
        await live.connects()
        await live.press("4")
        yield live


def created(project: str = "shop", **what: Any) -> Callable[[httpx.Request], Category]:
    """Create what is asked for."""

    def create(request: httpx.Request) -> Category:
        asked = msgspec.json.decode(request.content)
        asked["project"] = asked.get("project") or project
        return category(asked.pop("name"), **{**asked, **what})

    return create


def names(live: Driver) -> list[str]:
    """What stands in the first column, without emoji."""
    assert isinstance(live.app.screen, CategoryScreen)
    table = live.app.screen.table
    return [table.get_row(key)[0].plain[1:].strip() for key in table.shown]


# Pictures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_all_categories(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with showing(server, size=SIZES[size]) as live:
        looks_like(live.picture(), f"category-full-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_the_details(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with showing(server, size=SIZES[size]) as live:
        await live.press("j", "enter")
        looks_like(live.picture(), f"category-details-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_no_categories(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    async with showing(server, size=SIZES[size], project="shop") as live:
        looks_like(live.picture(), f"category-empty-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_what_could_not_be_loaded(
    server: ScriptedServer, looks_like: LooksLike, size: str
) -> None:
    server.refusing["/categories"] = (503, errors.Unavailable)
    async with showing(server, size=SIZES[size]) as live:
        looks_like(live.picture(), f"category-error-{size}")


# The table ---------------------------------------------------------------------------------------


async def test_categories_stand_by_project_and_name(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        assert [name.split()[-1][:4] for name in names(live)[:2]] == ["bug", "sale"]
        assert names(live)[-1].endswith("question")


async def test_of_one_project_no_project_is_shown(server: ScriptedServer) -> None:
    server.categories = [category("sale")]
    async with showing(server, project="shop") as live:
        live.hides("Project ")


async def test_without_figures_it_works_without(server: ScriptedServer) -> None:
    full(server)
    server.answers["GET /overview"] = lambda _: refusal(404, errors.UnknownPath)
    async with showing(server) as live:
        live.shows("sale", "Channels")
        live.hides("Today")
        assert live.toasts() == []


async def test_what_stands_beside_may_be_refused(server: ScriptedServer) -> None:
    full(server)
    for path in ("/channels", "/keys", "/events"):
        server.refusing[path] = (403, errors.Forbidden)
    async with showing(server) as live:
        live.shows("sale", "bug")


async def test_figures_move_with_the_events(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        live.shows("180")
        await live.receives(*events(10, 12, received_at=moment(2)))
        live.shows("183", "now")


async def test_changes_show_in_place(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        asked = len(server.asked)
        renamed = category("order", "🛒", id="cat_sale")
        await live.receives(CategoryChanged(id="cat_sale", category=renamed))
        live.shows("🛒 order")
        live.hides("💰 sale")
        await live.receives(CategoryChanged(id="cat_bug", category=None))
        live.hides("🐛 bug")
        await live.receives(
            CategoryChanged(id="cat_new", category=category("new", id="cat_new", emoji="🌱"))
        )
        live.shows("🌱 new")
        assert "GET /categories" not in server.asked[asked:]


async def test_the_filter_knows_projects_and_channels(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("slash")
        await live.write("project:supp")
        assert len(names(live)) == 1
        await live.press("escape", "slash")
        await live.write("mail")
        assert [name.split()[-1] for name in names(live)] == ["sale"]


# The details -------------------------------------------------------------------------------------


async def test_the_details_tell_who_may_send(server: ScriptedServer) -> None:
    full(server)
    async with showing(server, size=(160, 45)) as live:
        await live.press("j", "enter")
        live.shows("checkout", "amount", "1,240.50", "80,000 events in all", "event 1")
        live.hides("desk")
        await live.receives(KeyChanged(id="key_x", api_key=key(3, id="key_x", name="till")))
        live.shows("till")
        await live.receives(
            KeyChanged(id="key_x", api_key=key(3, id="key_x", name="till", revoked_at=moment(0)))
        )
        live.hides("till")


async def test_a_new_event_shows_in_the_details(server: ScriptedServer) -> None:
    full(server)
    async with showing(server, size=(160, 45)) as live:
        await live.press("j", "enter")
        await live.receives(event(50, description="fresh", received_at=moment(0)))
        live.shows("fresh")


# New ---------------------------------------------------------------------------------------------


async def test_a_category_is_made_by_keys(server: ScriptedServer) -> None:
    full(server)
    server.answers["POST /categories"] = created()
    async with showing(server) as live:
        await live.press("n")
        await live.write("rocket-launch")
        await live.press("enter", "l", "enter")  # the project after `default`
        await live.write("rocket")
        await live.press("enter")
        await live.write("#2ecc71")
        await live.press("enter", "l", "space", "enter", "ctrl+s")
        assert server.sent["POST /categories"] == {
            "name": "rocket-launch",
            "project": "shop",
            "emoji": "🚀",
            "color": 0x2ECC71,
            "priority": 0,
            "channels": ["ops"],
            "keep_days": None,
            "keep_mb": None,
        }
        live.shows("🚀 rocket-launch")
        assert live.toasts()[-1] == "Created rocket-launch."
        assert live.app.screen.current.name == "rocket-launch"  # type: ignore[attr-defined]


async def test_the_project_looked_at_is_not_asked_for(server: ScriptedServer) -> None:
    server.answers["POST /categories"] = created()
    async with showing(server, project="blog") as live:
        await live.press("n")
        live.hides("Project ")
        await live.write("post")
        await live.press("ctrl+s")
        assert server.sent["POST /categories"]["project"] == "blog"


async def test_a_refusal_leaves_what_was_typed(server: ScriptedServer) -> None:
    server.answers["POST /categories"] = lambda _: refusal(
        409, errors.NameTaken, noun="category", name="sale"
    )
    async with showing(server, project="shop") as live:
        await live.press("n")
        await live.write("sale")
        await live.press("ctrl+s")
        live.shows("There is already a category named 'sale'.", "A new category")
        await live.press("escape")
        live.shows("What you entered is lost then.", "sale")
        await live.press("escape")
        live.hides("A new category")


@pytest.mark.parametrize(
    ("name", "says"), [("", "Give it a name."), ("a\u200bb", "takes printable characters only")]
)
async def test_a_name_that_cannot_be_is_not_sent(
    server: ScriptedServer, name: str, says: str
) -> None:
    async with showing(server, project="shop") as live:
        await live.press("n")
        live.app.screen.query(Input).first().value = name
        await live.press("ctrl+s")
        live.shows(says)
        assert "POST /categories" not in server.asked


# Edit --------------------------------------------------------------------------------------------


async def test_only_what_was_changed_is_sent(server: ScriptedServer) -> None:
    full(server)
    server.answers["PATCH /categories/cat_sale"] = category("order", "💰", id="cat_sale")
    async with showing(server) as live:
        await live.press("j", "e")
        live.shows("Change sale", "[x] ops", "[x] mail")
        await live.press("ctrl+u")
        await live.write("order")
        live.shows("Its past events go by the new name too.", "Programs that still")
        await live.press("ctrl+s")
        assert server.sent["PATCH /categories/cat_sale"] == {"name": "order"}
        live.shows("💰 order")


async def test_nothing_changed_asks_for_nothing(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("j", "e", "ctrl+s")
        live.hides("Change sale")
        assert "PATCH /categories/cat_sale" not in server.asked


# Remove ------------------------------------------------------------------------------------------


async def test_removing_says_what_hangs_on_it_and_asks_for_the_name(
    server: ScriptedServer,
) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("j", "d")
        live.shows("Remove the category sale?", "80,000 events", "1 live API key may send to it")
        await live.press("y", "enter")
        assert "DELETE /categories/cat_sale" not in server.asked
        await live.press("backspace")
        await live.write("sale")
        await live.press("enter")
        assert "DELETE /categories/cat_sale" in server.asked
        live.hides("💰 sale")


async def test_one_without_events_needs_no_name(server: ScriptedServer) -> None:
    server.categories = [category("empty")]
    async with showing(server) as live:
        await live.press("d")
        live.shows("It has no events", "no live API key may send to it")
        await live.press("y")
        assert "DELETE /categories/cat_empty" in server.asked


async def test_what_could_not_be_counted_is_said(server: ScriptedServer) -> None:
    server.categories = [category("sale")]
    server.refusing["/events"] = (503, errors.Unavailable)
    server.refusing["/keys"] = (403, errors.Forbidden)
    async with showing(server) as live:
        live.app.may_administer = True
        await live.press("d")
        live.shows("an unknown number of events", "is not known")


async def test_a_removal_that_is_refused_leaves_the_row(server: ScriptedServer) -> None:
    server.categories = [category("empty")]
    server.answers["DELETE /categories/cat_empty"] = lambda _: refusal(503, errors.Unavailable)
    async with showing(server) as live:
        await live.press("d", "y")
        live.shows("empty")
        assert any("Removing empty failed" in toast for toast in live.toasts())


# Quick start -------------------------------------------------------------------------------------


async def test_quick_start_adds_three(server: ScriptedServer) -> None:
    server.answers["POST /categories"] = created()
    async with showing(server, project="shop") as live:
        live.shows("a adds bug, sale and question")
        await live.press("a")
        live.shows("🐛 bug", "💰 sale", "🤔 question")
        assert live.toasts() == ["Added bug, sale, question in shop."]
        await live.press("a")
        assert "are there already" in live.toasts()[-1]


async def test_quick_start_says_which_could_not_be_added(server: ScriptedServer) -> None:
    def create(request: httpx.Request) -> Category | httpx.Response:
        if b"sale" in request.content:
            return refusal(409, errors.NameTaken, noun="category", name="sale")
        return created()(request)

    server.answers["POST /categories"] = create
    async with showing(server, project="shop") as live:
        await live.press("a")
        live.shows("🐛 bug", "🤔 question")
        [toast] = live.toasts()
        assert toast.startswith("Added bug, question in shop.")
        assert "sale could not be added: There is already a category named 'sale'." in toast


# What else ---------------------------------------------------------------------------------------


async def test_its_events_are_viewed_in_the_feed(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("v")
        live.shows("category:=bug", "日本語のエラー")


async def test_jumping_leads_to_a_name_or_an_id(server: ScriptedServer) -> None:
    full(server)
    async with running(server) as live:
        server.answers.setdefault("GET /overview", overview())
        await live.connects()
        for what, name in (("question", "question"), ("cat_sale", "sale")):
            await live.app.jump("category", what)
            await live.settle()
            assert live.app.screen.current.name == name  # type: ignore[attr-defined]


async def test_a_key_that_may_only_read_changes_nothing(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        live.app.may_administer = False
        for pressed in ("n", "e", "d", "a"):
            await live.press(pressed)
        assert len(live.app.screen_stack) == 1
        assert all("may only read" in toast for toast in live.toasts()[:3])


async def test_channels_that_come_and_go_are_offered(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.receives(
            ChannelChanged(id="chn_mail", channel=None),
            ChannelChanged(id="chn_chat", channel=channel("chat")),
        )
        await live.press("e")
        live.shows("[ ] chat", "[ ] ops")
        live.hides("[ ] mail")


async def test_the_palette_has_the_code_snippets(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("colon")
        await live.write("code snip")
        await live.press("enter", "enter")
        live.shows("Send to 🐛 bug in shop")


def test_the_details_say_how_long_events_are_kept_where_the_category_says_so() -> None:
    usual = category_look.about(Known(category=category("sale")), 0).plain
    assert "kept" not in usual
    told = category_look.about(Known(category=category("sale", keep_days=0)), 0).plain
    assert "\nkept      for ever\n" in told

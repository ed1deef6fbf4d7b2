"""Projects: what they hold, and everything that can be done to them by the keyboard."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from slowping.core import errors
from slowping.core.delivery import DeliveryGroup, DeliveryState
from slowping.core.feed import CategoryChanged, ProjectChanged
from slowping.core.overview import HOURS, CategoryFigures, Counts, Overview, Periods
from slowping.core.page import Page
from slowping.core.project import Project
from slowping.tui.app import SlowpingApp
from slowping.tui.modals.project_form import ProjectFormModal
from slowping.tui.project import card
from slowping.tui.project.holdings import Holdings
from slowping.tui.settings import Profile
from tests.tui.driver import Driver, ScriptedServer, category, moment, running
from tests.tui.things import has_keys, key, project, value

LooksLike = Callable[[str, str], None]
SIZES = {"60x18": (60, 18), "80x24": (80, 24), "160x45": (160, 45)}


def channel(name: str, **what: Any) -> dict[str, Any]:
    """A channel of the project `shop`, as it is sent."""
    return {
        "id": f"chn_{name}", "project": "shop", "name": name, "kind": "console", "settings": {},
        "ad_hoc": False, "paused_at": None, "paused_reason": None, "paused_by_hand": False,
        "created_at": moment(-5), **what,
    }  # fmt: skip


class Channels(msgspec.Struct):
    """A page of channels."""

    items: list[dict[str, Any]]
    cursor: str | None = None


def full(server: ScriptedServer) -> None:
    """Three projects, of which one has something in it."""
    server.answers["GET /projects"] = Page(
        items=(
            project("shop", monthly_quota=5_000, allowed_origins=["https://shop.example"]),
            project("default", created_at=moment(-40 * 86_400)),
            project("blog", strict_destinations=True),
        )
    )
    server.categories = [category("sale"), category("bug")]
    server.answers["GET /channels"] = Channels(
        items=[channel("ops"), channel("discord-1", ad_hoc=True)]
    )
    server.answers["GET /overview"] = overview(sale=1_200, bug=4)


def overview(**months: int) -> Overview:
    """What the categories of the project `shop` got this month."""
    counted = [
        CategoryFigures(
            project="shop", category=name, emoji="💰", color=0, hours=(0,) * HOURS, sums=(),
            events=Counts(month=events, total=events),
        )
        for name, events in months.items()
    ]  # fmt: skip
    return Overview(
        as_of=moment(0),
        periods=Periods(today=moment(-9), week=moment(-9), month=moment(-9)),
        events=Counts(),
        hours=(0,) * HOURS,
        waiting=0,
        failed=0,
        categories=tuple(counted),
        channels=(),
    )


@contextlib.asynccontextmanager
async def showing(
    server: ScriptedServer, size: tuple[int, int] = (120, 30), **how: Any
) -> AsyncIterator[Driver]:
    if "GET /channels" not in server.answers:
        server.answers["GET /channels"] = Channels(items=[])
    async with running(server, size=size, **how) as live:
        await live.connects()
        await live.press("7")
        yield live


async def test_what_each_holds_is_counted(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        live.shows(
            "3 projects", " shop ", "1 +1 ad hoc", "1,204 of 5,000, 24%", "1 origin ", "strict"
        )
        await live.press("G", "enter")
        live.shows("id            prj_shop", "categories    bug, sale", "channels      ops")
        live.shows("projectId")


async def test_what_happens_is_shown_at_once(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.receives(ProjectChanged(id="prj_new", project=project("new")))
        live.shows("4 projects", "new")
        server.asked.clear()
        await live.receives(
            ProjectChanged(id="prj_blog", project=None),
            CategoryChanged(id="cat_x", category=category("x", project="new")),
        )
        live.hides("blog")
        live.shows("3 projects")
        await live.press("j", "enter")
        live.shows("categories    x")
        assert "GET /projects" not in server.asked


async def test_a_project_is_made_by_the_form(server: ScriptedServer) -> None:
    full(server)
    server.answers["POST /projects"] = project("store", monthly_quota=1_000)
    async with showing(server) as live:
        await live.press("n")
        live.shows("A new project", "Letters, digits, - and _, at most 64.")
        await live.write("store")
        await live.press("enter")
        await live.write("1000")
        await live.press("enter")
        await live.write("https://a.example,https://b.example")
        await live.press("enter")
        live.shows("Strict: clients of PingPanda")
        await live.press("right", "ctrl+s")
        assert server.sent["POST /projects"] == {
            "name": "store",
            "strict_destinations": True,
            "allowed_origins": ["https://a.example", "https://b.example"],
            "monthly_quota": 1000,
            "keep_days": None,
            "keep_mb": None,
        }
        live.shows("4 projects", "store", "of 1,000")
        assert any("Created store: p looks at it" in toast for toast in live.toasts())
        assert current(live) == "store"


async def test_what_the_server_refuses_can_be_mended(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("n")
        await live.write("shop")
        await live.press("enter")
        server.refusing["/projects"] = (409, errors.NameTaken)
        await live.press("ctrl+s")
        live.shows("✗ There is already a")
        await live.write("x")
        live.hides("✗")
        del server.refusing["/projects"]
        server.answers["POST /projects"] = project("shopx")
        await live.press("ctrl+s")
        assert server.sent["POST /projects"]["name"] == "shopx"


async def test_a_quota_that_is_no_number_is_not_sent(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("n")
        await live.write("x")
        await live.press("down")
        await live.write("many")
        await live.press("ctrl+s")
        live.shows("✗ Monthly quota takes a whole number.")
        assert "POST /projects" not in server.sent
        await live.press("escape", "escape")
        assert not isinstance(live.app.screen, ProjectFormModal)


async def test_only_what_is_different_is_changed(server: ScriptedServer) -> None:
    full(server)
    server.answers["PATCH /projects/prj_shop"] = project("shop")
    async with showing(server) as live:
        await live.press("G", "e")
        live.shows("Change shop", "https://shop.example")
        await live.press("down", "ctrl+a", "ctrl+k", "ctrl+s")
        assert server.sent["PATCH /projects/prj_shop"] == {"monthly_quota": None}
        live.hides("of 5,000")
        assert "Changed shop." in live.toasts()


async def test_other_columns_are_drawn_as_wide_as_they_are(server: ScriptedServer) -> None:
    server.answers["GET /projects"] = Page(items=(project("default"),))
    server.answers["GET /overview"] = overview()
    async with showing(server, (60, 18)) as live:
        live.shows("Destinations")
        changed = project("default", monthly_quota=5_000_000)
        await live.receives(ProjectChanged(id=changed.id, project=changed))
        live.hides("Destinations", "…")
        live.shows("0 of 5,000,000, 0%")


async def test_what_is_not_changed_is_not_sent(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("e", "ctrl+s")
        assert not isinstance(live.app.screen, ProjectFormModal)
        assert not any(asked.startswith("PATCH") for asked in server.asked)


async def test_removing_says_what_goes_and_asks_for_the_name(server: ScriptedServer) -> None:
    full(server)
    has_keys(server, key(1, name="deploy", scopes=["admin"]), key(2, project="blog"))
    server.answers["GET /deliveries/groups"] = Page(
        items=(
            DeliveryGroup(
                project="shop", channel="ops", kind="console", state=DeliveryState.PENDING,
                last_error=None, count=12, oldest_at=moment(-9), newest_at=moment(-1),
            ),
        )
    )  # fmt: skip
    mine = Profile(name="test", server="http://server.test:7464", api_key=value(1))
    async with showing(server, profile=mine) as live:
        await live.press("G", "d")
        live.shows("Remove shop?", "2 categories and 2 channels go too.", "Type shop to go on")
        live.shows("12 waiting deliveries are discarded.", "1 key will be revoked: deploy.")
        live.shows("One of them is the key that this live view uses!")
        await live.press("enter")
        assert "DELETE /projects/prj_shop" not in server.asked
        await live.write("shop")
        await live.press("enter")
        assert "DELETE /projects/prj_shop" in server.asked
        live.shows("2 projects")
        assert "Removed shop." in live.toasts()


async def test_what_goes_has_to_be_known_before_it_is_asked(server: ScriptedServer) -> None:
    full(server)
    server.refusing["/deliveries/groups"] = (503, errors.Unavailable)
    async with showing(server) as live:
        await live.press("d")
        live.hides("Remove blog?")
        assert any("Looking what goes with blog failed" in toast for toast in live.toasts())


async def test_one_key_looks_at_a_project_and_back_at_all(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("G", "p")
        await live.connects()
        live.shows("server.test:7464 · shop", "● shop", "  blog")
        assert server.queries["/projects"] == "limit=1000"
        await live.press("p")
        await live.connects()
        live.shows("all projects", " shop ")


async def test_what_the_others_were_sent_is_shown_while_one_is_looked_at(
    server: ScriptedServer,
) -> None:
    full(server)
    server.answers["GET /overview"] = lambda request: (
        overview() if "project" in request.url.params else overview(sale=1_200, bug=4)
    )
    async with showing(server) as live:
        await live.press("g", "g", "p")
        await live.connects()
        live.shows("● blog", "1,204 of 5,000, 24%")


async def test_who_comes_back_while_one_is_looked_at_sees_how_all_stand(
    server: ScriptedServer,
) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("G", "p")
        await live.connects()
        await live.press("1")
        server.answers["GET /projects"] = Page(items=(project("shop"), project("other")))
        await live.press("7")
        live.shows("other", "2 projects")


async def test_a_key_that_may_only_read_changes_nothing(server: ScriptedServer) -> None:
    full(server)
    has_keys(server, key(1, scopes=["read"]))
    mine = Profile(name="test", server="http://server.test:7464", api_key=value(1))
    async with showing(server, profile=mine) as live:
        for press in ("n", "e", "d"):
            await live.press(press)
        assert len(live.toasts()) == 3
        assert all("this API key may only read" in toast for toast in live.toasts())


async def test_projects_are_filtered_by_what_is_in_them(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("slash")
        await live.write("ops")
        live.shows("1 of 3 projects", "shop")
        live.hides("blog")


@pytest.mark.parametrize("size", SIZES)
async def test_full(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with showing(server, SIZES[size]) as live:
        await live.press("G")
        looks_like(live.picture(), f"project-full-{size}")
        await live.press("enter")
        looks_like(live.picture(), f"project-details-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_empty(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    server.answers["GET /projects"] = Page(items=())
    async with showing(server, SIZES[size]) as live:
        looks_like(live.picture(), f"project-empty-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_not_loaded(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    server.refusing["/projects"] = (503, errors.Unavailable)
    async with showing(server, SIZES[size]) as live:
        looks_like(live.picture(), f"project-error-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_the_form_refused(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with showing(server, SIZES[size]) as live:
        await live.press("n", "down")
        await live.write("many")
        await live.press("ctrl+s")
        looks_like(live.picture(), f"project-form-refused-{size}")


def current(live: Driver) -> str:
    """The name of the project under the cursor."""
    app: SlowpingApp = live.app
    item: Project = app.screen.current  # type: ignore[attr-defined]
    return item.name


def test_a_card_says_how_long_events_are_kept_where_the_project_says_so() -> None:
    usual = card.card(project("shop"), Holdings(), None).plain
    assert "kept" not in usual
    told = card.card(project("shop", keep_days=90, keep_mb=1_000), Holdings(), None).plain
    assert "\nkept          90 days, 1 GB\n" in told

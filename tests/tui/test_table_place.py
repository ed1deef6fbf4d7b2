"""What every place with a table has, tried with one that shows projects."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence

from rich.text import Text
from textual.content import Content

from slowping.core import errors, times
from slowping.core.feed import ChannelChanged, ProjectChanged
from slowping.core.page import Page
from slowping.core.project import Project
from slowping.tui.live import Batch, Lamp
from slowping.tui.table_place import MOST, TablePlace, every
from slowping.tui.widgets.table import Table, cell
from tests.tui.channels import channel
from tests.tui.driver import NOW_MS, PROFILE, Driver, ScriptedServer, running
from tests.tui.test_one_act_at_a_time import has_channels


class Projects(TablePlace[Project]):
    """Names of projects."""

    PLURAL = "projects"
    drawn = 0

    def draw(self) -> None:
        """Count how often."""
        self.drawn += 1
        super().draw()

    async def fetch(self) -> Sequence[Project]:
        """Ask for them."""
        return (await self.app.client.list_projects()).items

    def take(self, batch: Batch) -> None:
        """Take in new ones."""
        self.put(
            *(each.project for each in batch if isinstance(each, ProjectChanged) and each.project)
        )

    def titles(self) -> Sequence[str]:
        """One column."""
        return ["Name"]

    def cells(self, item: Project) -> Sequence[Text]:
        """The name."""
        return [cell(item.name)]

    def facts(self, item: Project) -> Mapping[str, str]:
        """The name."""
        return {"name": item.name}

    def about(self, item: Project) -> Content:
        """The id."""
        return Content(f"id {item.id}")

    def nothing(self) -> tuple[str, str]:
        """Nothing to be done."""
        return "No projects.", "n makes one."


def project(name: str) -> Project:
    return Project(
        id=f"prj_{name}",
        name=name,
        strict_destinations=False,
        allowed_origins=(),
        monthly_quota=None,
        created_at=times.to_datetime(NOW_MS),
    )


def has(server: ScriptedServer, *names: str) -> None:
    server.answers["GET /projects"] = Page(items=tuple(map(project, names)))


async def test_a_list_is_loaded_page_by_page(server: ScriptedServer) -> None:
    pages = {None: Page(items=(project("a"),), cursor="x"), "x": Page(items=(project("b"),))}
    server.answers["GET /projects"] = lambda asked: pages[asked.url.params.get("cursor")]
    async with server.client(PROFILE) as client:
        assert [each.name for each in await every(client.list_projects)] == ["a", "b"]


async def test_no_more_is_loaded_than_anybody_looks_through(server: ScriptedServer) -> None:
    server.answers["GET /projects"] = Page(items=(project("a"),) * 1_000, cursor="x")
    async with server.client(PROFILE) as client:
        assert len(await every(client.list_projects)) == MOST
        assert len(await every(client.list_projects, 3)) == 3


async def test_a_place_that_nobody_looks_at_is_drawn_when_it_is_gone_to(
    server: ScriptedServer,
) -> None:
    has(server, "shop")
    has_channels(server, channel("ops"))
    async with running(server) as live:
        await live.connects()
        await live.press("3")
        place = live.app.screen
        assert isinstance(place, TablePlace)
        await live.press("1")
        await live.receives(ChannelChanged(id="chn_mail", channel=channel("mail")))
        assert len(place.items) == 2
        assert len(place.table.shown) == 1
        await live.press("3")
        live.shows("2 channels", "mail")


async def test_what_came_while_nobody_looked_can_be_jumped_to(server: ScriptedServer) -> None:
    has(server, "shop")
    has_channels(server, channel("ops"))
    async with running(server) as live:
        await live.connects()
        await live.press("3", "slash", "o", "enter", "1")
        await live.receives(ChannelChanged(id="chn_mail", channel=channel("mail")))
        await live.app.jump("channel", "mail")
        await live.settle()
        assert live.app.screen.query_one(Table).current == "chn_mail"


@contextlib.asynccontextmanager
async def showing(server: ScriptedServer) -> AsyncIterator[Driver]:
    async with running(server, size=(120, 24)) as live:
        await live.connects()
        await live.app.push_screen(Projects())
        live.app.screen.query_one(Table)
        assert live.app.live.link.lamp is Lamp.LIVE
        live.app.screen.load()  # type: ignore[attr-defined]
        await live.settle()
        yield live


async def test_enter_shows_the_details_of_the_row_and_escape_hides_them(
    server: ScriptedServer,
) -> None:
    has(server, "shop", "blog")
    async with showing(server) as live:
        await live.press("enter")
        live.shows("id prj_shop")
        await live.press("j")
        live.shows("id prj_blog")
        await live.press("escape")
        live.hides("id prj_blog")


async def test_rows_are_filtered_as_it_is_typed(server: ScriptedServer) -> None:
    has(server, "shop", "blog", "bog")
    async with showing(server) as live:
        live.shows("3 projects")
        await live.press("slash")
        await live.write("og")
        live.shows("2 of 3 projects", "blog", "bog")
        live.hides("shop")
        await live.press("enter", "exclamation_mark")
        live.shows("1 of 3 projects", "shop")
        await live.press("escape")
        live.shows("3 projects")


async def test_a_filter_that_nothing_passes_says_so(server: ScriptedServer) -> None:
    has(server, "shop")
    async with showing(server) as live:
        await live.press("slash")
        await live.write("x")
        live.shows("No projects match the filter.", "esc clears it")


async def test_an_empty_place_says_which_key_helps(server: ScriptedServer) -> None:
    has(server)
    async with showing(server) as live:
        live.shows("No projects.", "n makes one.")


async def test_what_could_not_be_loaded_is_not_called_empty(server: ScriptedServer) -> None:
    server.refusing["/projects"] = (403, errors.Forbidden)
    async with showing(server) as live:
        live.shows("The projects could not be loaded.", "ctrl+r tries again")
        assert any("Loading the projects failed" in toast for toast in live.toasts())


async def test_a_row_is_copied_as_json(server: ScriptedServer) -> None:
    has(server, "shop")
    async with showing(server) as live:
        await live.press("y")
        assert '"name": "shop"' in live.app.clipboard


async def test_what_is_jumped_to_before_it_is_known_is_gone_to_once_it_is(
    server: ScriptedServer,
) -> None:
    has(server, "shop", "blog", "cron")
    async with running(server, size=(120, 24)) as live:
        await live.connects()
        server.gate.clear()
        place = Projects()
        await live.app.push_screen(place)
        await live.pilot.pause()
        place.jump("blog")
        server.gate.set()
        await live.settle()
        assert place.current is not None
        assert place.current.name == "blog"


async def test_what_the_filter_hides_can_be_jumped_to(server: ScriptedServer) -> None:
    has(server, "shop", "blog")
    async with showing(server) as live:
        await live.press("slash")
        await live.write("shop")
        await live.press("enter")
        live.app.screen.jump("prj_blog")  # type: ignore[attr-defined]
        await live.settle()
        live.shows("2 projects")
        assert live.app.screen.query_one(Table).current == "prj_blog"


async def test_one_is_told_as_one(server: ScriptedServer) -> None:
    has(server, "shop")
    async with showing(server) as live:
        live.shows("1 project\n")


async def test_nothing_is_counted_while_nothing_is_known(server: ScriptedServer) -> None:
    server.refusing["/projects"] = (403, errors.Forbidden)
    async with showing(server) as live:
        live.hides("0 projects")


async def test_what_the_feed_tells_during_a_load_is_newer_than_its_answer(
    server: ScriptedServer,
) -> None:
    has(server, "shop")
    async with showing(server) as live:
        server.gate.clear()
        live.app.screen.load()  # type: ignore[attr-defined]
        await live.pilot.pause()
        await live.receives(ProjectChanged(id="prj_blog", project=project("blog")))
        server.gate.set()
        await live.settle()
        live.shows("2 projects", "blog", "shop")


async def test_times_move_on_each_second_and_in_long_tables_more_seldom(
    server: ScriptedServer,
) -> None:
    async with showing(server) as live:
        place = live.app.screen
        assert isinstance(place, Projects)
        often = []
        for count in (100, 1_000):
            place.replace(project(f"p{number}") for number in range(count))
            before = place.drawn
            for _ in range(12):
                place.tick()
            often.append(place.drawn - before)
        assert often == [12, 2]

import gc
from pathlib import Path

import pytest
from textual.command import CommandPalette

from slowping.core import errors
from slowping.core.page import Page
from slowping.tui.command import Command, Need
from slowping.tui.modals.help import HelpModal
from slowping.tui.place_screen import PlaceScreen
from slowping.tui.places import PLACES, Place
from slowping.tui.settings import Profile, Settings
from slowping.tui.widgets.detail import Detail
from slowping.tui.widgets.feed_view import FeedView
from tests.tui.driver import NOW_MS, PROFILE, ScriptedServer, category, events, running
from tests.tui.things import project as a_project


async def test_the_first_picture_does_not_wait_for_the_network(server: ScriptedServer) -> None:
    server.gate.clear()
    async with running(server) as live:
        live.shows("connecting", "Loading…", "Filter")
        server.gate.set()


async def test_a_lost_line_is_shown_as_lost_and_data_as_old(server: ScriptedServer) -> None:
    server.events = events(1, 3)
    async with running(server, size=(140, 24)) as live:
        await live.connects()
        await live.loses_the_line()
        live.shows("reconnecting, as of 11:06:40, next try in 1 s", "The server ended the stream")
        live.shows("event 3")
        assert live.app.screen.has_class("-stale")
        await live.tries_again()
        live.shows("● live", "event 3")
        assert not live.app.screen.has_class("-stale")


async def test_a_line_that_stays_away_is_offline(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.connects()
        server.refusing["/feed"] = (503, errors.Unavailable)
        await live.loses_the_line()
        for _ in range(3):
            server.retry.set()
            await live.settle()
        live.shows("offline, as of 11:06:40")


@pytest.mark.parametrize("place", ["1", "2", "3", "4", "6", "7"])
async def test_nothing_is_said_to_load_while_nobody_answers(
    server: ScriptedServer, place: str
) -> None:
    server.refusing["/feed"] = (503, errors.Unavailable)
    async with running(server) as live:
        await live.press(place)
        live.shows("Nothing is known while the server does not answer.", "ctrl+r tries now.")
        live.hides("Loading…")


async def test_a_feed_that_cannot_be_loaded_says_so(server: ScriptedServer) -> None:
    server.refusing["/events"] = (503, errors.Unavailable)
    async with running(server) as live:
        await live.connects()
        live.shows("The feed could not be loaded.", "ctrl+r tries again")
        server.refusing.clear()
        await live.press("ctrl+r")
        await live.connects()
        live.shows("No events yet.")


async def test_what_was_missed_comes_without_loading_again(server: ScriptedServer) -> None:
    server.events = events(1, 3)
    async with running(server) as live:
        await live.connects()
        await live.loses_the_line()
        server.asked.clear()
        await live.tries_again()
        await live.receives(*events(4, 5))
        live.shows("event 5")
        assert server.asked == ["GET /feed", "GET /health/ready"]


async def test_after_a_reset_everything_is_loaded_anew(server: ScriptedServer) -> None:
    server.events = events(1, 3)
    async with running(server) as live:
        await live.connects()
        await live.loses_the_line()
        server.events = events(50, 52)
        await live.tries_again(reset=True)
        live.shows("event 52")
        live.hides("event 3 ")
        assert any("loaded anew" in toast for toast in live.toasts())


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
async def test_every_place_says_that_the_key_is_refused_and_what_helps(
    server: ScriptedServer, place: Place
) -> None:
    server.refusing["/feed"] = (401, errors.UnknownApiKey)
    async with running(server) as live:
        await live.press(place.key)
        live.shows("✗ refused", "Refused: This API key is unknown", "another API key: ctrl+o.")
        live.hides("offline", "Loading…", "does not answer")


async def test_what_is_grey_because_the_key_is_refused_says_so(server: ScriptedServer) -> None:
    server.refusing["/feed"] = (401, errors.UnknownApiKey)
    async with running(server) as live:
        await live.press("3", "n")
        assert any("the server refuses this API key; ctrl+o" in each for each in live.toasts())


async def test_a_refused_key_ends_the_trying_and_says_what_to_do(server: ScriptedServer) -> None:
    server.refusing["/feed"] = (401, errors.UnknownApiKey)
    async with running(server) as live:
        await live.settle()
        live.shows("✗ refused")
        [toast] = live.toasts()
        assert "This API key is unknown" in toast
        assert "ctrl+o" in toast
        await live.press("ctrl+e")
        live.shows("Following http://server.test:7464 failed", "11:06:40")


@pytest.mark.parametrize(("place", "title"), [("1", "In the feed"), ("3", "Channels")])
async def test_help_shows_the_keys_of_this_place_first_and_moves_last(
    server: ScriptedServer, place: str, title: str
) -> None:
    async with running(server, size=(120, 70)) as live:
        await live.press(place, "question_mark")
        shown = live.picture()
        sections = (title, "In every list", "Places", "Everywhere", "Moving about")
        found = [shown.index(each) for each in sections]
        assert found == sorted(found)
        assert shown.index("Everywhere") < shown.index("Step back") < shown.index("Next row")


async def test_help_is_searched(server: ScriptedServer) -> None:
    async with running(server, size=(120, 50)) as live:
        await live.press("question_mark")
        assert isinstance(live.app.screen, HelpModal)
        await live.write("clipboard json")
        live.shows("Copy as JSON")
        live.hides("Half a page", "Copy as curl")
        await live.write(" nonsense")
        live.shows("No key is about that")
        await live.press("escape")
        assert live.has_focus(FeedView)


@pytest.mark.parametrize("words", ["places", "feed", "go to", "channels"])
async def test_help_finds_the_places(server: ScriptedServer, words: str) -> None:
    async with running(server, size=(120, 50)) as live:
        await live.press("question_mark")
        await live.write(words)
        live.shows("Places", "Go to feed" if words == "feed" else "Go to channels")


async def test_help_is_scrolled_to_its_end_and_back(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.press("question_mark", "end")
        live.shows("Page up")
        await live.press("home")
        live.shows("In the feed")


async def test_the_palette_finds_commands_with_their_keys(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.press("colon")
        assert isinstance(live.app.screen, CommandPalette)
        await live.write("times")
        live.shows("Times of day", "t  Show when, or how long ago.")
        await live.press("enter")
        assert live.feed.absolute


async def test_the_palette_begins_with_what_one_does_here_not_with_moves(
    server: ScriptedServer,
) -> None:
    async with running(server) as live:
        await live.press("colon")
        live.shows("Follow or hold", "Filter")
        live.hides("Next row")
        await live.write("next row")
        await live.comes_to_show("Next row", "j ↓  One row down.")


@pytest.mark.parametrize(("project", "shown"), [(None, "🐛 bug in shop"), ("shop", "🐛 bug")])
async def test_the_palette_jumps_to_a_category(
    server: ScriptedServer, project: str | None, shown: str
) -> None:
    settings = Settings()
    settings.change(lambda kept: kept.changed(project=project))
    server.events = [*events(1, 2, category="sale"), *events(3, 4, category="bug")]
    server.categories = [category("bug", "🐛")]
    async with running(server, settings=settings) as live:
        await live.connects()
        await live.press("colon")
        await live.write("bug")
        await live.comes_to_show(shown)
        assert ("bug in shop" in live.picture()) is (project is None)
        await live.press("enter")
        live.shows("category:=bug", "event 4")
        live.hides("event 2")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("category", ("Go to categories", "New category")),
        ("new", ("New channel", "New category", "New API key", "New project")),
        ("replay", ("Replay a time window", "2 w  Send the events")),
    ],
)
async def test_the_palette_finds_what_is_done_in_other_places(
    server: ScriptedServer, typed: str, found: tuple[str, ...]
) -> None:
    async with running(server, size=(120, 50)) as live:
        await live.connects()
        await live.press("colon")
        await live.write(typed)
        await live.comes_to_show(*found)
        live.hides("Revoke the key", "Change the channel")


async def test_the_palette_does_in_its_place_what_is_done_in_another(
    server: ScriptedServer,
) -> None:
    server.answers["GET /projects"] = Page(items=(a_project("shop"),))
    async with running(server) as live:
        await live.connects()
        await live.press("colon")
        await live.write("new api key")
        await live.comes_to_show("New API key")
        await live.press("enter")
        await live.comes_to_show("A new API key")
        assert live.app.current_mode == "api_key"


async def test_what_the_palette_cannot_do_in_another_place_says_why_there(
    server: ScriptedServer,
) -> None:
    async with running(server) as live:
        await live.press("colon")
        await live.write("new api key")
        await live.comes_to_show("New API key")
        await live.press("enter")
        assert live.app.current_mode == "api_key"
        assert "New API key: not while connecting." in live.toasts()


async def test_the_palette_switches_servers(server: ScriptedServer) -> None:
    settings = Settings()
    other = Profile(name="other", server="http://other.test", api_key="slp_other")
    settings.change(lambda kept: kept.with_profile(other).with_profile(PROFILE))
    server.events = events(1, 2)
    async with running(server, settings=settings) as live:
        await live.connects()
        await live.press("colon")
        await live.write("switch to other")
        await live.press("down", "enter")
        await live.connects()
        live.shows("other.test", "live")
        assert settings.remembered.profile == "other"


async def test_a_key_that_was_rebound_is_shown_everywhere(tmp_path: Path) -> None:
    server = ScriptedServer()
    (tmp_path / "tui.toml").write_text('[keys]\n"list.filter" = "s"\n')
    async with running(server, settings=Settings(None, tmp_path)) as live:
        live.shows("s Filter")
        await live.press("s")
        live.shows("words  category:sale")
        await live.press("escape", "question_mark")
        await live.write("show only")
        live.shows("s  Filter")


async def test_an_id_that_is_no_command_is_told(tmp_path: Path) -> None:
    (tmp_path / "tui.toml").write_text('[keys]\n"feed.fliter" = "s"\n')
    async with running(ScriptedServer(), settings=Settings(None, tmp_path)) as live:
        assert any("feed.fliter" in toast for toast in live.toasts())


async def test_two_commands_on_one_key_are_told(tmp_path: Path) -> None:
    (tmp_path / "tui.toml").write_text('[keys]\n"list.filter" = "y"\n')
    async with running(ScriptedServer(), settings=Settings(None, tmp_path)) as live:
        assert any("Copy as JSON" in toast and "Filter" in toast for toast in live.toasts())


async def test_escape_never_leaves(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.press("escape", "escape", "escape")
        assert live.app.is_running
        assert any("q quits" in toast for toast in live.toasts())
        await live.press("q")
        assert not live.app.is_running


async def test_a_theme_is_remembered(server: ScriptedServer, tmp_path: Path) -> None:
    async with running(server, settings=Settings(tmp_path, None)) as live:
        await live.press("ctrl+t")
        await live.write("nord")
        await live.press("enter")
    async with running(server, settings=Settings(tmp_path, None)) as live:
        assert live.app.theme == "nord"


async def test_loading_again_asks_for_everything(server: ScriptedServer) -> None:
    server.events = events(1, 2)
    async with running(server) as live:
        await live.connects()
        server.events = events(1, 9)
        await live.press("ctrl+r")
        await live.connects()
        live.shows("event 9", "Loading again")


@pytest.mark.parametrize("theme", ["ansi-dark", "textual-light", "gruvbox"])
async def test_other_themes_show_the_same(server: ScriptedServer, theme: str) -> None:
    server.events = events(1, 2)
    async with running(server) as live:
        live.app.theme = theme
        await live.connects()
        live.shows("event 2", "> ")


async def test_a_countdown_moves(server: ScriptedServer) -> None:
    now = [NOW_MS]
    async with running(server, size=(120, 24), now_ms=lambda: now[0]) as live:
        await live.connects()
        await live.loses_the_line()
        live.shows("next try in 1 s")
        now[0] += 1_000
        live.app.screen.refresh(recompose=False)
        live.app.screen.query_one("StatusBar").refresh()
        await live.settle()
        live.shows("trying")


async def test_a_letter_jumps_to_a_part_of_the_screen(server: ScriptedServer) -> None:
    server.events = events(1, 3)
    async with running(server) as live:
        await live.connects()
        await live.press("enter", "semicolon")
        live.shows(" a ", " b ")
        await live.press("b")
        assert live.has_focus(Detail)
        await live.press("semicolon", "a")
        assert live.has_focus(FeedView)
        await live.press("semicolon", "escape")
        assert live.has_focus(FeedView)


async def test_a_key_that_may_only_read_greys_what_it_may_not(server: ScriptedServer) -> None:
    server.refusing["/keys"] = (403, errors.Forbidden)
    async with running(server) as live:
        await live.connects()
        assert not live.app.may_administer
        screen = live.app.screen
        assert isinstance(screen, PlaceScreen)
        command = Command(
            id="x", name="X", help="", key="x", where="feed", needs=(Need.ADMIN,)
        )  # fmt: skip
        assert screen.why_not(command) == "this API key may only read."


async def test_what_needs_the_line_is_grey_without_it(server: ScriptedServer) -> None:
    async with running(server) as live:
        screen = live.app.screen
        assert isinstance(screen, PlaceScreen)
        command = Command(
            id="x", name="X", help="", key="x", where="feed", needs=(Need.LINE,)
        )  # fmt: skip
        assert screen.why_not(command) == "not while connecting."
        await live.connects()
        assert screen.why_not(command) is None


async def test_what_is_opened_and_closed_again_and_again_leaves_nothing(
    server: ScriptedServer,
) -> None:
    async with running(server) as live:
        await live.connects()

        async def things_kept() -> int:
            await live.press("question_mark", "escape")
            gc.collect()
            return len(gc.get_objects())

        await things_kept()
        before = await things_kept()
        for _ in range(3):
            after = await things_kept()
        # Whatever is drawn is thousands of things.
        assert after < before + 500


async def test_what_is_said_twice_is_one_toast(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.connects()
        await live.press("escape", "escape", "escape")
        assert live.toasts() == ["This is the top level; q quits."]


async def test_a_toast_leaves_most_of_the_screen_free_however_much_there_is_to_say(
    server: ScriptedServer,
) -> None:
    async with running(server) as live:
        await live.connects()
        live.app.tell_error("Rotating " + "x " * 3_000, errors.InvalidInput("y " * 3_000), "Do it.")
        await live.settle()
        [toast] = live.app.screen.query("Toast")
        assert toast.outer_size.height < live.app.size.height / 2
        live.shows("Do it.")
        assert len(live.app.mishaps[-1].why) > 6_000


@pytest.mark.parametrize(("lines", "told"), [(24, ["Done 4."]), (30, ["Done 3.", "Done 4."])])
async def test_few_toasts_are_in_sight_and_an_error_outlives_what_was_done(
    server: ScriptedServer, lines: int, told: list[str]
) -> None:
    async with running(server, size=(80, lines)) as live:
        await live.connects()
        live.app.tell_error("Retrying failed", errors.Forbidden("It may not."), "Ask.")
        for number in range(5):
            live.app.tell(f"Done {number}.")
        await live.settle()
        assert live.toasts() == ["Retrying failed It may not. Ask.", *told]


async def test_another_place_is_shown_without_what_was_said_in_the_one_before(
    server: ScriptedServer,
) -> None:
    async with running(server) as live:
        await live.connects()
        live.app.tell("Done.")
        live.app.tell("Beware.", severity="warning")
        await live.press("1")
        assert live.toasts() == ["Done.", "Beware."]
        await live.press("5")
        assert "Beware." in live.toasts()
        assert "Done." not in live.toasts()


async def test_a_place_that_is_opened_later_knows_the_rate(server: ScriptedServer) -> None:
    async with running(server) as live:
        await live.connects()
        await live.receives(*events(1, 10))
        live.app.figures.rate.tick()
        await live.press("3")
        live.shows("█ 2.0/s")
        await live.loses_the_line()
        live.hides("/s")


@pytest.mark.parametrize("size", [(60, 18), (80, 24)])
async def test_no_toast_lies_over_the_row_under_the_cursor(
    server: ScriptedServer, size: tuple[int, int]
) -> None:
    server.events = events(1, 40)
    async with running(server, size=size) as live:
        await live.connects()
        for at in ("G", "g"):
            await live.press(at)
            for number in range(4):
                live.app.tell_error(f"Act {number} failed", errors.Forbidden("It may not " * 6), "")
            await live.settle()
            [row] = [line for line in live.picture().splitlines() if line.startswith("> ")]
            assert row.endswith(" -")
            live.shows("Act 3 failed")

"""The form of a category, and its pickers, by the keyboard."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.widgets import Input

from slowping.core import errors
from slowping.core.category import Category
from slowping.tui.modals.category_form import CategoryFormModal
from slowping.tui.widgets.category_look import hexadecimal
from slowping.tui.widgets.picking.looks import read_color, read_emoji
from tests.tui.driver import Driver, ScriptedServer, category, refusal, running

LooksLike = Callable[[str, str], None]
SIZES = {"60x18": (60, 18), "80x24": (80, 24), "160x45": (160, 45)}
CHANNELS = {"default": ("console",), "shop": ("mail", "ops", "phone")}


@asynccontextmanager
async def asking(
    server: ScriptedServer, before: Category | None = None, *, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Driver]:
    """The form on the screen."""
    project = before.project if before else "default"
    channels = {project: CHANNELS[project]} if before else CHANNELS
    async with running(server, size=size) as live:
        await live.connects()
        live.app.push_screen(CategoryFormModal(before, project, channels))
        await live.settle()
        yield live


def form(live: Driver) -> CategoryFormModal:
    assert isinstance(live.app.screen, CategoryFormModal)
    return live.app.screen


def focused(live: Driver) -> str | None:
    """The name of the line that has the focus, or what else has it."""
    widget = live.app.focused
    assert widget is not None
    found = widget.id or widget.parent.id or widget.parent.parent.id  # type: ignore[union-attr]
    return found and found.removeprefix("line-")


@pytest.mark.parametrize("size", SIZES)
async def test_a_new_one(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    async with asking(server, size=SIZES[size]) as live:
        await live.write("sale")
        looks_like(live.picture(), f"category-form-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_one_that_is_refused(
    server: ScriptedServer, looks_like: LooksLike, size: str
) -> None:
    server.answers["PATCH /categories/cat_sale"] = lambda _: refusal(
        409, errors.NameTaken, noun="category", name="bug"
    )
    before = category("sale", "💰", 0xFFEB3B, channels=["ops"])
    async with asking(server, before, size=SIZES[size]) as live:
        await live.press("ctrl+u")
        await live.write("bug")
        await live.press("ctrl+s")
        looks_like(live.picture(), f"category-form-refused-{size}")


async def test_a_search_is_drawn(server: ScriptedServer, looks_like: LooksLike) -> None:
    async with asking(server) as live:
        await live.press("enter", "enter")
        await live.write("money")
        looks_like(live.picture(), "category-form-search-80x24")


async def test_enter_goes_on_to_the_next_field(server: ScriptedServer) -> None:
    async with asking(server) as live:
        seen = [focused(live)]
        for _ in range(6):
            await live.press("enter")
            seen.append(focused(live))
        assert seen == ["name", "project", "emoji", "color", "channels", "priority", "save"]


async def test_arrows_lead_through_the_grid_and_out_of_it(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await live.press("enter", "enter", "down")
        assert form(live).emoji.value == "🔔"
        await live.press("right")
        assert form(live).emoji.value == "🐛"
        await live.press("down", "left")
        assert form(live).emoji.value == "🛒"
        await live.press("down", "down", "down")
        assert focused(live) == "color"


async def test_a_word_finds_an_emoji_and_the_grid_goes_on_from_there(
    server: ScriptedServer,
) -> None:
    async with asking(server) as live:
        await live.press("enter", "enter")
        await live.write("money")
        assert form(live).emoji.value == "💰"
        live.hides("🚀")
        await live.press("down", "right")
        assert form(live).emoji.value == "💸"


async def test_any_emoji_can_be_pasted(server: ScriptedServer) -> None:
    async with asking(server) as live:
        form(live).emoji.field.value = "🦊"
        await live.settle()
        assert form(live).emoji.value == "🦊"
        live.shows("now ▍🦊")


async def test_a_word_that_nothing_is_called_stays_to_be_mended(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await live.write("sale")
        await live.press("enter", "enter")
        await live.write("fox")  # fo is the beginning of form
        live.shows("No such emoji. Try a word to search, or any emoji.")
        assert form(live).emoji.value == "🔔"
        await live.press("enter")
        assert focused(live) == "emoji"
        await live.press("ctrl+s")
        live.shows("✗ 'fox' is no emoji. Try a word", "✗ Emoji")
        assert "POST /categories" not in server.asked


async def test_what_is_typed_in_the_grid_of_emojis_searches_them(server: ScriptedServer) -> None:
    async with asking(server) as live:
        form(live).emoji.grid.focus()
        await live.settle()
        await live.write("heart")  # whose h goes left in other grids
        assert form(live).emoji.field.value == "heart"
        assert form(live).emoji.value == "💜"


async def test_what_is_typed_among_channels_goes_to_what_begins_so(server: ScriptedServer) -> None:
    async with asking(server, category("sale", channels=[])) as live:
        form(live).channels.focus()
        await live.press("p", "space")
        live.shows("[x] phone")
        await live.write("x")
        live.shows("Nothing here begins with x. Arrows go about, space marks.")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("red", "#FF0000"),
        ("orange", "#FFA500"),
        ("teal", "#008080"),
        ("lime", "#00FF00"),
        ("black", "#000000"),
        ("Light Green", "#90EE90"),
        ("cyan", "#00FFFF"),
        ("mint", "#3EB489"),
        ("green", "#2ECC71"),
        ("salmon", "#FFA07A"),
        ("#f80", "#FF8800"),
    ],
)
async def test_a_colour_goes_by_what_people_call_it(
    server: ScriptedServer, typed: str, found: str
) -> None:
    async with asking(server) as live:
        form(live).color.field.focus()
        await live.settle()
        form(live).color.field.value = typed
        await live.settle()
        assert form(live).color.value == found
        assert form(live).color.flaw == ""


async def test_that_no_colour_is_called_so_is_in_sight_on_a_small_screen(
    server: ScriptedServer,
) -> None:
    async with asking(server, size=SIZES["60x18"]) as live:
        await live.write("sale")
        await live.press("enter", "enter", "enter")
        await live.write("xyz")
        live.shows("✗ No such colour. Try a word or #ff8800.")


async def test_slash_leads_from_the_grid_to_the_search(server: ScriptedServer) -> None:
    async with asking(server) as live:
        form(live).color.grid.focus()
        await live.press("slash")
        assert live.has_focus(Input)
        await live.write("pink")
        assert form(live).color.value == "#FF85A2"
        live.shows("#FF85A2 pink")


async def test_the_project_decides_which_channels_there_are(server: ScriptedServer) -> None:
    async with asking(server) as live:
        live.shows("[ ] console", "every channel is told")
        await live.press("enter", "right")
        live.shows("[ ] mail", "[ ] ops", "[ ] phone")
        live.hides("console")


async def test_a_channel_that_is_gone_can_be_unmarked(server: ScriptedServer) -> None:
    async with asking(server, category("sale", channels=["gone", "ops"])) as live:
        live.shows("[ ] mail", "[x] ops", "[x] gone")


async def test_the_mouse_chooses(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await live.pilot.click(form(live).emoji.grid, offset=(17, 0))
        assert form(live).emoji.value == "🚀"


@pytest.mark.parametrize("typed", ["1001", "-1001", "much"])
async def test_a_priority_has_bounds(server: ScriptedServer, typed: str) -> None:
    async with asking(server) as live:
        await live.write("sale")
        await live.press("shift+tab", "shift+tab", "shift+tab", "ctrl+u")
        await live.write(typed)
        await live.press("ctrl+s")
        live.shows("from -1000 to 1000")


async def test_escape_asks_before_it_throws_away_what_was_entered(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await live.write("sale")
        await live.press("escape")
        live.shows("What you entered is lost then. esc once more leaves")
        await live.write("s")
        live.hides("is lost then")
        await live.press("escape")
        assert form(live).typed("name") == "sales"
        await live.press("escape")
        assert not isinstance(live.app.screen, CategoryFormModal)
        assert "POST /categories" not in server.asked


@pytest.mark.parametrize("keys", [[], ["enter", "tab", "tab"], ["x", "backspace"]])
async def test_a_form_as_it_was_closes_at_once(server: ScriptedServer, keys: list[str]) -> None:
    async with asking(server) as live:
        await live.press(*keys, "escape")
        assert not isinstance(live.app.screen, CategoryFormModal)


async def test_all_that_is_wrong_is_said_at_once(server: ScriptedServer) -> None:
    async with asking(server) as live:
        await live.press("shift+tab", "shift+tab", "shift+tab", "ctrl+u")
        await live.write("2000")
        await live.press("ctrl+s")
        live.shows("✗ Name *", "✗ Priority", "Give it a name. Priority is a whole number")
        assert focused(live) == "name"
        assert "POST /categories" not in server.asked


@pytest.mark.parametrize("typed", ["#12", "foxy", "12345"])
async def test_what_is_no_colour_picks_none(server: ScriptedServer, typed: str) -> None:
    async with asking(server) as live:
        before = form(live).color.value
        form(live).color.field.value = typed
        await live.settle()
        assert form(live).color.value == before
        live.shows("No such colour. Try a word or #ff8800.")


@pytest.mark.parametrize(
    ("typed", "color"),
    [
        ("#2ECC71", "#2ECC71"),
        ("2ecc71", "#2ECC71"),
        ("#fff", "#FFFFFF"),
        ("fff", None),
        ("#12345", None),
        ("pink", None),
        ("#gggggg", None),
        ("", None),
    ],
)
def test_colours_are_read(typed: str, color: str | None) -> None:
    assert read_color(typed) == color


@pytest.mark.parametrize(
    ("typed", "emoji"),
    [
        ("🦊", "🦊"),
        ("👩‍💻", "👩‍💻"),
        ("1️⃣", "1️⃣"),
        ("rocket", None),
        ("", None),
        ("🦊" * 33, None),
        ("❤️", "❤️"),
        ("🇩🇪", "🇩🇪"),
        ("über", None),
        ("日本", None),
        ("a🦊", None),
        ("12", None),
    ],
)
def test_emojis_are_told_from_words(typed: str, emoji: str | None) -> None:
    assert read_emoji(typed) == emoji


def test_colours_are_written_as_people_do() -> None:
    assert hexadecimal(0x0000FF) == "#0000FF"


async def test_it_is_saved_once_and_the_answer_waited_for(server: ScriptedServer) -> None:
    server.answers["POST /categories"] = category("sale")
    async with asking(server) as live:
        await live.write("sale")
        server.gate.clear()
        await live.press("ctrl+s", "ctrl+s", "escape")
        assert isinstance(live.app.screen, CategoryFormModal)
        server.gate.set()
        await live.settle()
        assert server.asked.count("POST /categories") == 1
        assert not isinstance(live.app.screen, CategoryFormModal)

"""A secret is shown once: nothing loses it, and nothing claims more than is known."""

import contextlib
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from slowping.core import api_key
from slowping.tui.modals.key_reveal import KeyRevealModal
from tests.tui.driver import Driver, ScriptedServer, running

LooksLike = Callable[[str, str], None]
VALUE = api_key.mint(bytes(range(32)))
NOTE = "For clients of the project 'shop'. The old key works until tomorrow, 11:06."


@contextlib.asynccontextmanager
async def revealing(
    server: ScriptedServer, size: tuple[int, int] = (80, 24), **secrets: str
) -> AsyncIterator[Driver]:
    async with running(server, size=size) as live:
        await live.connects()
        shown = secrets or {"API key": VALUE}
        await live.app.push_screen(KeyRevealModal("Key 'deploy'", shown, NOTE, file="deploy"))
        await live.settle()
        yield live


def is_open(live: Driver) -> bool:
    return any(isinstance(screen, KeyRevealModal) for screen in live.app.screen_stack)


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (200, 60)])
async def test_a_key_is_never_cut(server: ScriptedServer, size: tuple[int, int]) -> None:
    async with revealing(server, size) as live:
        live.shows(VALUE, "Copy (c)", "Mask (v)", "Save (w)", "Close (esc)")


async def test_what_is_longer_than_the_screen_is_folded(server: ScriptedServer) -> None:
    long = "".join(f"{number:03d}" for number in range(60))
    async with revealing(server, (60, 18), secret=long) as live:
        shown = "".join(line.strip(" │") for line in live.picture().splitlines())
        assert long in shown


@pytest.mark.parametrize("key", ["c", "y"])
async def test_copying_hides_it_and_claims_nothing(server: ScriptedServer, key: str) -> None:
    async with revealing(server) as live:
        await live.press(key)
        assert live.app.clipboard == VALUE
        live.shows("Sent to your terminal's clipboard.", "paste it")
        live.hides(VALUE, "opied")
        await live.press("v")
        live.shows(VALUE)
        await live.press("v")
        live.hides(VALUE)


@pytest.mark.parametrize("keys", [["escape"] * 4, ["enter"] * 4, ["c", "enter", "enter"], ["q"]])
async def test_no_stray_key_closes_it(server: ScriptedServer, keys: list[str]) -> None:
    async with revealing(server) as live:
        await live.press(*keys)
        assert is_open(live)


@pytest.mark.parametrize("key", ["escape", "enter"])
async def test_who_says_that_it_is_kept_leaves(server: ScriptedServer, key: str) -> None:
    async with revealing(server) as live:
        await live.press(key)
        live.shows("Have you kept it?", "It is never shown again.")
        await live.press("y")
        assert not is_open(live)


async def test_it_is_saved_for_its_owner_alone(server: ScriptedServer, tmp_path: Path) -> None:
    where = tmp_path / "x.key"
    async with revealing(server) as live:
        await live.press("w")
        live.shows("~/slowping-deploy.key", "readable by you alone")
        await live.press("ctrl+a", "ctrl+k")
        await live.write(str(where))
        await live.press("enter")
        live.shows("Saved to")
    assert where.read_text() == f"{VALUE}\n"
    assert stat.S_IMODE(where.stat().st_mode) == 0o600


@pytest.mark.parametrize("key", ["escape", "enter"])
async def test_what_is_saved_is_not_asked_about(
    server: ScriptedServer, tmp_path: Path, key: str
) -> None:
    async with revealing(server) as live:
        await live.press("w", "ctrl+a", "ctrl+k")
        await live.write(str(tmp_path / "x.key"))
        await live.press("enter")
        assert is_open(live)
        await live.press(key)
        assert not is_open(live)


async def test_what_cannot_be_saved_stays(server: ScriptedServer, tmp_path: Path) -> None:
    (tmp_path / "x.key").write_text("mine")
    async with revealing(server, (160, 45)) as live:
        await live.press("w", "ctrl+a", "ctrl+k")
        await live.write(str(tmp_path / "x.key"))
        await live.press("enter")
        live.shows("is there already", VALUE)
        await live.press("escape")
        live.shows(VALUE, "Close (esc)")
        assert is_open(live)
    assert (tmp_path / "x.key").read_text() == "mine"


async def test_several_secrets_are_kept_by_their_names(
    server: ScriptedServer, tmp_path: Path
) -> None:
    async with revealing(server, secret="whsec_1", token="t") as live:
        live.shows("secret", "whsec_1", "token")
        await live.press("c")
        assert live.app.clipboard == "secret=whsec_1\ntoken=t"


async def test_a_server_cannot_speak_to_the_terminal(server: ScriptedServer) -> None:
    async with revealing(server, secret="a\x1b]0;b[bold]") as live:
        live.shows("a␛]0;b[bold]")


@pytest.mark.parametrize(
    "size", {"60x18": (60, 18), "80x24": (80, 24), "160x45": (160, 45)}.items()
)
async def test_a_key_shown(
    server: ScriptedServer, looks_like: LooksLike, size: tuple[str, tuple[int, int]]
) -> None:
    async with revealing(server, size[1]) as live:
        looks_like(live.picture(), f"key-reveal-{size[0]}")


async def test_a_refusal_on_a_small_screen(server: ScriptedServer, looks_like: LooksLike) -> None:
    async with revealing(server, (60, 18)) as live:
        await live.press("w", "ctrl+a", "ctrl+k")
        await live.write("/nowhere/x.key")
        await live.press("enter")
        looks_like(live.picture(), "key-reveal-refused-60x18")

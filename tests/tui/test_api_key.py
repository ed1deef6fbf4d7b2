"""API keys: who uses which, and everything that can be done to them by the keyboard."""

import contextlib
import datetime as dt
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from slowping.core import errors, times
from slowping.core.api_key import ApiKey, IssuedApiKey
from slowping.core.feed import KeyChanged
from slowping.core.page import Page
from slowping.tui.modals.api_key.form import ApiKeyFormModal
from slowping.tui.modals.choose import ChooseModal
from slowping.tui.modals.confirm import ConfirmModal
from slowping.tui.modals.connect import ConnectModal
from slowping.tui.modals.key_reveal import KeyRevealModal
from slowping.tui.settings import Profile, Settings
from tests.tui.driver import NOW_MS, Driver, ScriptedServer, moment, running
from tests.tui.things import has_keys, has_projects, key, value

LooksLike = Callable[[str, str], None]
SIZES = {"60x18": (60, 18), "80x24": (80, 24), "160x45": (160, 45)}
MINE = Profile(name="server.test", server="http://server.test:7464", api_key=value(1))

OWN = key(1, name="laptop", scopes=["admin"], all_projects=True, project="default",
          last_used_at=moment(-2), last_used_from="127.0.0.1")  # fmt: skip
SENDER = key(2, name="shop server", projects=["blog"], last_used_at=moment(-200),
             last_used_from="192.0.2.7")  # fmt: skip
PAGE = key(3, name="landing page", kind="browser", scopes=["ingest"],
           origins=["https://shop.example"], expires_at=moment(90 * 60))  # fmt: skip
OLD = key(4, name="old", expires_at=moment(-5 * 86_400))
GONE = key(5, name="stolen", revoked_at=moment(-3_600))
ROTATED = key(6, name="ci", rotated_to="key_x", expires_at=moment(30 * 86_400))


def full(server: ScriptedServer) -> None:
    """A key of every standing."""
    has_projects(server, "shop", "default", "blog")
    has_keys(server, OWN, SENDER, PAGE, OLD, GONE, ROTATED)


@contextlib.asynccontextmanager
async def showing(
    server: ScriptedServer, size: tuple[int, int] = (160, 30), **how: Any
) -> AsyncIterator[Driver]:
    async with running(server, size=size, **{"profile": MINE, **how}) as live:
        await live.connects()
        await live.press("6")
        yield live


async def goes_to(live: Driver, name: str) -> None:
    """Put the cursor on the key of that name."""
    live.app.screen.jump(name)  # type: ignore[attr-defined]
    await live.settle()


def is_shown(live: Driver, modal: type[Any]) -> bool:
    return isinstance(live.app.screen, modal)


async def leaves_the_value(live: Driver) -> None:
    """Say that the value is kept."""
    await live.press("escape", "y")


# What is shown -------------------------------------------------------------------------------


async def test_each_key_says_who_used_it_and_how_it_stands(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        live.shows("5 API keys", "live", "laptop (this one)", "2s", "127.0.0.1", "all")
        live.shows("shop server", "3m", "192.0.2.7", "shop, blog", "ingest read", "never")
        live.shows("landing page", "in 1h 30m", "browser", "replaced", "expired", "5d ago")
        live.hides("stolen")


async def test_the_details_say_the_rest(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await goes_to(live, "landing page")
        await live.press("enter")
        live.shows("landing page  live", f"begins      {PAGE.prefix}…", "kind        browser")
        live.shows("web pages   https://shop.example", "rate limit  1,000 requests a minute")
        live.shows("expires     today, 12:36 (in 1h 30m)", "last        never")
        await goes_to(live, "laptop")
        live.shows("This live view uses it.", "from        127.0.0.1")


async def test_revoked_keys_are_shown_when_they_are_asked_for(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        assert server.queries["/keys"] == "revoked=false&limit=1000"
        await live.press("v")
        live.shows("6 API keys", "stolen", "revoked", "1h ago")
        await live.press("v")
        live.shows("5 API keys")
        live.hides("stolen")


async def test_keys_of_the_project_that_is_looked_at_are_asked_for(
    server: ScriptedServer,
) -> None:
    full(server)
    async with showing(server) as live:
        live.app.project = "shop"
        await live.connects()
        assert "/keys?project=shop&revoked=false&limit=1000" in server.every_query


async def test_what_becomes_of_a_key_is_shown_at_once(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.receives(KeyChanged(id="key_new", api_key=key(9, name="fresh")))
        live.shows("6 API keys", "fresh")
        gone = key(2, name="shop server", revoked_at=moment(0))
        await live.receives(KeyChanged(id=gone.id, api_key=gone))
        live.hides("shop server")
        await live.press("v")
        await live.receives(KeyChanged(id=gone.id, api_key=gone))
        live.shows("shop server", "revoked")


async def test_it_is_looked_again_who_used_a_key(server: ScriptedServer) -> None:
    full(server)
    now = [NOW_MS]
    async with showing(server, now_ms=lambda: now[0]) as live:
        has_keys(server, OWN, key(2, name="shop server", last_used_from="203.0.113.9"))
        now[0] += 31_000
        live.app.screen.tick()  # type: ignore[attr-defined]
        await live.settle()
        live.shows("203.0.113.9", "2 API keys")


async def test_a_key_that_may_not_see_keys_is_told_so_without_an_error(
    server: ScriptedServer,
) -> None:
    server.refusing["/keys"] = (403, errors.Forbidden)
    async with showing(server) as live:
        live.shows("This API key may not see API keys.", "'admin'", "ctrl+o")
        assert live.toasts() == []


async def test_a_key_that_may_only_read_sees_keys_and_changes_none(
    server: ScriptedServer,
) -> None:
    has_keys(server, key(1, scopes=["read"]), SENDER)
    async with showing(server) as live:
        live.shows("2 API keys", "shop server")
        await live.press("n", "R", "d")
        assert [toast.partition(":")[2] for toast in live.toasts()] == [
            " this API key may only read."
        ] * 3


async def test_keys_are_filtered_by_how_they_stand(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("slash")
        await live.write("state:exp")
        live.shows("1 of 5 API keys", "old")
        live.hides("laptop")


async def test_a_hostile_name_is_harmless(server: ScriptedServer) -> None:
    has_keys(server, key(2, name="[bold]x\x1b]0;y\x07"))
    async with showing(server) as live:
        await live.press("enter")
        live.shows("[bold]x␛]0;y␇")


# Issuing -------------------------------------------------------------------------------------


def issues(server: ScriptedServer, issued: ApiKey) -> None:
    server.answers["POST /keys"] = IssuedApiKey(api_key=issued, value=value(7))


async def test_a_key_is_issued_and_its_value_shown_once(server: ScriptedServer) -> None:
    full(server)
    issues(server, key(7, name="backup"))
    async with showing(server) as live:
        await goes_to(live, "shop server")
        await live.press("n")
        live.shows("A new API key", "What uses it, such as a program")
        await live.write("backup")
        await live.press("ctrl+s")
        assert server.sent["POST /keys"] == {
            "name": "backup", "project": "shop", "projects": [], "all_projects": False,
            "kind": "secret", "scopes": ["ingest", "read"], "rate_limit": None, "origins": [],
            "expires_at": None, "import_value": None,
        }  # fmt: skip
        assert is_shown(live, KeyRevealModal)
        live.shows("API key backup", value(7), "Issued for the project shop.")
        await leaves_the_value(live)
        live.shows("6 API keys", "backup")
        live.hides(value(7))


async def test_everything_can_be_chosen_by_keys(server: ScriptedServer) -> None:
    full(server)
    issues(server, key(7, name="x"))
    async with showing(server) as live:
        await live.press("n")
        await live.write("x")
        await live.press("enter", "right")  # another home
        await live.press("tab", "right", "space")  # the first of the other projects
        await live.press("tab", "tab", "down", "down", "space")  # and may administer
        live.shows("[x] admin  everything, in every project")
        await live.press("tab")
        await live.write("60")
        await live.press("enter", "right", "right")
        live.shows("[90 days]")
        await live.press("ctrl+s")
        sent = server.sent["POST /keys"]
        assert (sent["project"], sent["projects"]) == ("blog", ["shop"])
        assert sent["scopes"] == ["ingest", "read", "admin"]
        assert sent["rate_limit"] == 60
        expires = dt.datetime.fromisoformat(sent["expires_at"])
        assert expires == times.to_datetime(NOW_MS) + dt.timedelta(days=90)


async def test_all_projects_are_one_choice(server: ScriptedServer) -> None:
    full(server)
    issues(server, key(7, name="x", all_projects=True))
    async with showing(server) as live:
        await live.press("n")
        await live.write("x")
        await live.press("tab", "tab", "space")
        live.shows("[x] all, also later ones")
        await live.press("ctrl+s")
        assert server.sent["POST /keys"]["all_projects"] is True
        live.shows("Issued for all projects.")


async def test_a_browser_key_asks_for_pages_and_not_for_scopes(server: ScriptedServer) -> None:
    full(server)
    issues(server, PAGE)
    async with showing(server) as live:
        await live.press("n")
        live.hides("Web pages")
        await live.write("x")
        await live.press("tab", "tab", "tab", "right")
        live.shows("[browser]", "Web pages")
        live.hides("send events")
        await live.press("ctrl+s")
        live.shows("✗ Name the web pages that hold it")
        await live.write("https://a.example")
        await live.press("ctrl+s")
        sent = server.sent["POST /keys"]
        assert (sent["kind"], sent["scopes"]) == ("browser", ["ingest"])
        assert sent["origins"] == ["https://a.example"]


@pytest.mark.parametrize(
    ("typed", "until"),
    [("2027-01-31", dt.datetime(2027, 2, 1, tzinfo=dt.UTC)), ("soon", None), ("9999-12-31", None)],
)
async def test_a_date_holds_until_that_day_is_over(
    server: ScriptedServer, typed: str, until: dt.datetime | None
) -> None:
    full(server)
    issues(server, key(7, name="x"))
    async with showing(server) as live:
        await live.press("n")
        await live.write("x")
        await live.press("tab", "tab", "tab", "tab", "tab", "tab", "left", *["right"] * 4)
        live.shows("[date]", "Until")
        await live.press("tab")
        await live.write(typed)
        await live.press("ctrl+s")
        if until is None:
            live.shows("✗ Until takes a date such as 2027-12-31.")
            assert "POST /keys" not in server.sent
        else:
            sent = dt.datetime.fromisoformat(server.sent["POST /keys"]["expires_at"])
            assert sent == until


async def test_where_there_is_one_project_none_is_asked_for(server: ScriptedServer) -> None:
    has_projects(server, "shop")
    has_keys(server, OWN)
    issues(server, key(7, name="x"))
    async with showing(server) as live:
        await live.press("n")
        assert not re.search(r"│ Project ", live.picture())
        await live.write("x")
        await live.press("ctrl+s")
        assert server.sent["POST /keys"]["project"] == "shop"


async def test_what_the_server_refuses_can_be_mended(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("n")
        await live.write("x")
        server.refusing["/keys"] = (422, errors.InvalidInput)
        await live.press("ctrl+s")
        live.shows("✗ It was refused.")
        assert is_shown(live, ApiKeyFormModal)
        del server.refusing["/keys"]
        issues(server, key(7, name="xy"))
        live.app.screen.query_one("Input").focus()
        await live.write("y")
        live.hides("✗")
        await live.press("ctrl+s")
        assert server.sent["POST /keys"]["name"] == "xy"


async def test_a_form_that_is_left_issues_nothing(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("n", "x", "escape", "escape")
        assert "POST /keys" not in server.asked
        live.shows("5 API keys")


# Rotating ------------------------------------------------------------------------------------


async def test_a_key_is_rotated_with_an_overlap(server: ScriptedServer) -> None:
    full(server)
    new = key(7, name="shop server")
    server.answers[f"POST /keys/{SENDER.id}/rotate"] = IssuedApiKey(api_key=new, value=value(7))
    async with showing(server) as live:
        await goes_to(live, "shop server")
        await live.press("R")
        live.shows("Rotate shop server: how long is the old key to work?")
        live.shows("● 24 hours  the old key works until tomorrow, 11:06")
        live.shows(
            "At once   the old key ends now", "1 hour    the old key works until today, 12:06"
        )
        await live.press("enter")
        assert server.sent[f"POST /keys/{SENDER.id}/rotate"] == {"overlap_s": 86_400}
        live.shows(value(7), f"Clients that use {SENDER.prefix}… work until tomorrow, 11:06.")
        await leaves_the_value(live)
        live.shows("6 API keys")


async def test_the_overlap_is_chosen_by_arrows(server: ScriptedServer) -> None:
    full(server)
    new = key(7, name="shop server")
    server.answers[f"POST /keys/{SENDER.id}/rotate"] = IssuedApiKey(api_key=new, value=value(7))
    async with showing(server) as live:
        await goes_to(live, "shop server")
        await live.press("R", "k", "up", "enter")
        assert server.sent[f"POST /keys/{SENDER.id}/rotate"] == {"overlap_s": 0}
        live.shows(f"{SENDER.prefix}… has ended: give this one to every client")


async def test_who_rotates_the_own_key_goes_on_with_the_new_one(
    server: ScriptedServer, tmp_path: Path
) -> None:
    full(server)
    new = key(7, name="laptop", scopes=["admin"])
    server.answers[f"POST /keys/{OWN.id}/rotate"] = IssuedApiKey(api_key=new, value=value(7))
    settings = Settings(tmp_path)
    settings.change(lambda kept: kept.with_profile(MINE))
    async with showing(server, settings=settings) as live:
        await goes_to(live, "laptop")
        await live.press("R", "enter")
        await live.connects()
        live.shows(value(7), "This live view uses the new one already.", "● live")
        await leaves_the_value(live)
        assert live.app.profile is not None
        assert live.app.profile.api_key == value(7)
    remembered = Settings(tmp_path).remembered.current()
    assert remembered is not None
    assert remembered.api_key == value(7)


@pytest.mark.parametrize(
    ("name", "reason"), [("old", "it has expired"), ("ci", "it was rotated already")]
)
async def test_what_cannot_be_rotated_says_why(
    server: ScriptedServer, name: str, reason: str
) -> None:
    full(server)
    async with showing(server) as live:
        await goes_to(live, name)
        await live.press("R")
        assert not is_shown(live, ChooseModal)
        assert any(reason in toast for toast in live.toasts())


async def test_a_refused_rotation_is_told(server: ScriptedServer) -> None:
    full(server)
    server.refusing[f"/keys/{SENDER.id}/rotate"] = (409, errors.WrongState)
    async with showing(server) as live:
        await goes_to(live, "shop server")
        await live.press("R", "enter")
        assert not is_shown(live, KeyRevealModal)
        assert any("Rotating shop server failed" in toast for toast in live.toasts())


# Revoking ------------------------------------------------------------------------------------


async def test_revoking_says_who_used_it_and_asks_for_the_name(server: ScriptedServer) -> None:
    full(server)
    gone = key(2, name="shop server", revoked_at=moment(0))
    server.answers[f"POST /keys/{SENDER.id}/revoke"] = gone
    async with showing(server) as live:
        await goes_to(live, "shop server")
        await live.press("d")
        live.shows("Revoke shop server?", "It was last used 3m ago from 192.0.2.7.")
        live.hides("This live view uses it", "last key that may administer")
        await live.press("enter")  # no name is typed
        assert f"POST /keys/{SENDER.id}/revoke" not in server.asked
        await live.write("shop server")
        await live.press("enter")
        assert f"POST /keys/{SENDER.id}/revoke" in server.asked
        live.hides("shop server  ")
        assert "Revoked shop server." in live.toasts()


async def test_revoking_the_own_key_warns_and_asks_for_another(server: ScriptedServer) -> None:
    full(server)
    server.answers[f"POST /keys/{OWN.id}/revoke"] = key(1, revoked_at=moment(0))
    async with showing(server) as live:
        await goes_to(live, "laptop")
        await live.press("d")
        live.shows("This live view uses it", "It is the last key that may administer")
        await live.write("laptop")
        await live.press("enter")
        assert is_shown(live, ConnectModal)


async def test_the_last_admin_key_is_looked_for_in_every_project(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        live.app.project = "shop"
        await live.connects()
        has_keys(server, OWN, key(8, scopes=["admin"]))
        await goes_to(live, "laptop")
        await live.press("d")
        assert is_shown(live, ConfirmModal)
        assert server.queries["/keys"] == "revoked=false&limit=1000"
        live.hides("last key that may administer")


async def test_a_name_that_cannot_be_typed_is_not_asked_for(server: ScriptedServer) -> None:
    hostile = key(2, name="x\x1b[2J")
    has_keys(server, OWN, hostile)
    async with showing(server) as live:
        await live.press("G", "d")
        live.shows("Revoke x␛[2J?", f"Type {hostile.id} to go on:")


async def test_what_was_revoked_cannot_be_revoked_again(server: ScriptedServer) -> None:
    full(server)
    async with showing(server) as live:
        await live.press("v")
        await goes_to(live, "stolen")
        await live.press("d")
        assert any("it was revoked already" in toast for toast in live.toasts())


# Pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_full(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with showing(server, SIZES[size]) as live:
        looks_like(live.picture(), f"api-key-full-{size}")
        await live.press("enter")
        looks_like(live.picture(), f"api-key-details-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_empty(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    server.answers["GET /keys"] = Page(items=())
    async with showing(server, SIZES[size]) as live:
        looks_like(live.picture(), f"api-key-empty-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_forbidden(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    server.refusing["/keys"] = (403, errors.Forbidden)
    async with showing(server, SIZES[size]) as live:
        looks_like(live.picture(), f"api-key-forbidden-{size}")


async def test_not_loaded(server: ScriptedServer, looks_like: LooksLike) -> None:
    server.refusing["/keys"] = (503, errors.Unavailable)
    async with showing(server, SIZES["80x24"]) as live:
        looks_like(live.picture(), "api-key-error-80x24")


@pytest.mark.parametrize("size", SIZES)
async def test_the_form_refused(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with showing(server, SIZES[size]) as live:
        await live.press("n", "tab", "tab", "tab", "right", "ctrl+s")
        looks_like(live.picture(), f"api-key-form-refused-{size}")


@pytest.mark.parametrize("size", ["60x18", "80x24"])
async def test_choosing_an_overlap(
    server: ScriptedServer, looks_like: LooksLike, size: str
) -> None:
    full(server)
    async with showing(server, SIZES[size]) as live:
        await goes_to(live, "shop server")
        await live.press("R")
        looks_like(live.picture(), f"api-key-overlap-{size}")


@pytest.mark.parametrize("size", ["60x18", "80x24"])
async def test_revoking(server: ScriptedServer, looks_like: LooksLike, size: str) -> None:
    full(server)
    async with showing(server, SIZES[size]) as live:
        await goes_to(live, "laptop")
        await live.press("d")
        looks_like(live.picture(), f"api-key-revoke-{size}")

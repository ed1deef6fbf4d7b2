"""Hard questions: Cancel has the focus, and where a name is asked for it is typed at once."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from textual.events import Paste
from textual.widgets import Input

from slowping.tui.modals.confirm import ConfirmModal
from tests.tui.driver import Driver, ScriptedServer, running


@contextlib.asynccontextmanager
async def asked(
    server: ScriptedServer, modal: ConfirmModal
) -> AsyncIterator[tuple[Driver, list[bool | None]]]:
    answers: list[bool | None] = []
    async with running(server) as live:
        live.app.push_screen(modal, answers.append)
        await live.settle()
        yield live, answers


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["y"], [True]),
        (["n"], [False]),
        (["escape"], [False]),
        (["enter"], [False]),
        (["right", "enter"], [True]),
    ],
)
async def test_a_letter_answers_and_a_stray_enter_cancels(
    server: ScriptedServer, keys: list[str], answer: list[bool]
) -> None:
    async with asked(server, ConfirmModal("Go?", yes="Go")) as (live, answers):
        live.shows("Cancel (n)", "Go (y)")
        await live.press(*keys)
        assert answers == answer


@pytest.mark.parametrize("name", ["yny", "hl jk", "日本"])
async def test_a_name_is_typed_at_once_and_enter_means_it(
    server: ScriptedServer, name: str
) -> None:
    async with asked(server, ConfirmModal("Go?", yes="Go", name=name)) as (live, answers):
        live.shows("Cancel (esc)", "Go (enter)")
        await live.write(name)
        await live.press("enter")
        assert answers == [True]


async def test_another_name_goes_nowhere(server: ScriptedServer) -> None:
    async with asked(server, ConfirmModal("Go?", name="shop")) as (live, answers):
        await live.write("n")
        await live.press("enter")
        assert answers == []
        assert "Type shop as it stands there, or leave by esc." in " ".join(live.toasts())
        await live.press("tab", "y", "n")  # no letter answers on a button either
        assert answers == []
        await live.press("escape")
        assert answers == [False]


async def test_what_is_shown_of_a_name_is_what_has_to_be_typed(server: ScriptedServer) -> None:
    async with asked(server, ConfirmModal("Go?", name="a\x1b[2Jb ")) as (live, answers):
        live.shows("Type a␛[2Jb to go on:")
        live.app.screen.query_one(Input).post_message(Paste("a␛[2Jb"))
        await live.press("enter")
        assert answers == [True]


@pytest.mark.parametrize("typed", ["long " * 8, "long " * 500])
async def test_of_a_long_name_the_beginning_is_enough(server: ScriptedServer, typed: str) -> None:
    modal = ConfirmModal("Go?", "What follows. " * 500, name="long " * 500)
    async with asked(server, modal) as (live, answers):
        live.shows("What follows.", "Type the beginning of the name, long long", "Cancel (esc)")
        live.app.screen.query_one(Input).post_message(Paste(typed))
        await live.press("enter")
        assert answers == [True]

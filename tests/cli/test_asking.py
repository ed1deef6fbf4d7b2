"""A person at a terminal is asked; a script never is."""

import asyncio
import os
import pty
import sys

import pytest

from tests.conftest import RunningHouse

REMOVALS = [
    ("project", "remove", "default"),
    ("category", "remove", "bug"),
    ("channel", "remove", "console"),
    ("key", "revoke", "first ingest key"),
]


async def ran_at_a_terminal(
    house: RunningHouse, *arguments: str, typed: str = ""
) -> tuple[int, str]:
    """Exit code and talk of a command that has a terminal to ask at."""
    master, terminal = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "slowping", *arguments,
            stdin=terminal,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ
            | {"SLOWPING_SERVER": house.base_url, "SLOWPING_API_KEY": house.admin_key},
        )  # fmt: skip
        os.write(master, typed.encode())
        _, talk = await asyncio.wait_for(process.communicate(), 30)
    finally:
        os.close(master)
        os.close(terminal)
    assert process.returncode is not None
    return process.returncode, talk.decode()


@pytest.mark.parametrize("removal", REMOVALS, ids=" ".join)
async def test_a_no_takes_nothing_away(house: RunningHouse, removal: tuple[str, ...]) -> None:
    code, talk = await ran_at_a_terminal(house, *removal, typed="n\n")
    assert code == 1
    assert "[y/N]" in talk
    noun, _, name = removal
    code, talk = await ran_at_a_terminal(house, noun, "show", name)
    assert code == 0, talk


async def test_a_yes_that_is_given_is_not_asked_for(house: RunningHouse) -> None:
    code, talk = await ran_at_a_terminal(house, "category", "remove", "bug", "--yes")
    assert code == 0, talk
    assert "[y/N]" not in talk


async def test_a_replay_tells_how_many_before_it_sends_any(house: RunningHouse) -> None:
    for arguments in (("channel", "pause", "console"), ("send", "bug")):
        await ran_at_a_terminal(house, *arguments)
    await ran_at_a_terminal(house, "delivery", "discard", "--state", "pending")
    replay = ("delivery", "replay", "--since", "1h")
    code, talk = await ran_at_a_terminal(house, *replay, typed="n\n")
    assert code == 1
    assert "Send 1 delivery again, of 1 event? [y/N]" in talk
    code, talk = await ran_at_a_terminal(house, *replay, typed="y\n")
    assert code == 0, talk
    assert "Sending 1 delivery again, of 1 event." in talk

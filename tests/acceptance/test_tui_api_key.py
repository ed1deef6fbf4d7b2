"""A key's whole life by the keyboard, on a real server: issued, saved, used, rotated, revoked."""

import stat
from pathlib import Path

from slowping.client.client import Client
from slowping.core.api_key import NewApiKey, Scope
from slowping.core.project import NewProject
from tests.acceptance.person import Person, sitting
from tests.conftest import RunningHouse


async def sends(house: RunningHouse, value: str) -> int:
    """The status of an event that is sent with the key."""
    answer = await house.client.post(
        "/api/v1/events",
        headers={"authorization": f"Bearer {value}"},
        json={"category": "sale", "description": "With the new key"},
    )
    return answer.status_code


async def saves_and_leaves(person: Person, where: Path) -> str:
    """Save the value that is shown to a file, and leave it."""
    await person.press("w", "ctrl+a", "ctrl+k")
    await person.write(str(where))
    await person.press("enter")
    await person.sees("Saved to")
    await person.press("escape")
    await person.sees_no_more("Saved to")
    return kept(where)


def kept(where: Path) -> str:
    """What is in a file that only its owner may read."""
    assert stat.S_IMODE(where.stat().st_mode) == 0o600
    return where.read_text().strip()


async def test_a_key_is_issued_saved_used_rotated_and_revoked(
    house: RunningHouse, tmp_path: Path
) -> None:
    async with sitting(house.base_url, house.admin_key) as person:
        await person.sees("● live")
        await person.press("6")
        await person.sees("(this one)", "2 API keys")
        await person.press("n")
        await person.sees("A new API key")
        await person.write("backup")
        await person.press("ctrl+s")
        await person.sees("API key backup", "Shown this once")
        first = await saves_and_leaves(person, tmp_path / "first.key")
        assert await sends(house, first) == 200
        await person.sees("3 API keys", "backup")

        await person.press("R")
        await person.sees("Rotate backup")
        await person.press("enter")
        await person.sees("work until tomorrow")
        second = await saves_and_leaves(person, tmp_path / "second.key")
        assert first != second
        assert [await sends(house, value) for value in (first, second)] == [200, 200]
        await person.sees("4 API keys", "replaced")

        await person.press("d")
        await person.sees("Revoke backup?", "Whoever uses it is refused")
        person.app.screen.query_one("#name").focus()
        await person.write("backup")
        await person.press("enter", "enter")
        await person.sees("3 API keys", "Revoked backup.")
        assert sorted([await sends(house, value) for value in (first, second)]) == [200, 401]


async def test_who_rotates_the_own_key_at_once_goes_on(house: RunningHouse) -> None:
    async with sitting(house.base_url, house.admin_key) as person:
        await person.sees("● live")
        await person.press("6")
        await person.sees("(this one)")
        person.app.screen.jump(str(person.app.own_key.id))  # type: ignore[attr-defined, union-attr]
        await person.press("R", "up", "up", "enter")
        await person.sees("has ended", "This live view uses the new one already.", "● live")
        await person.press("escape", "y")
        await person.press("v")
        await person.sees("3 API keys", "revoked", "(this one)")


async def test_a_key_that_may_only_read_sees_keys_and_may_change_none(
    house: RunningHouse,
) -> None:
    async with Client(house.base_url, house.admin_key) as admin:
        issued = await admin.issue_api_key(NewApiKey(name="screen", scopes=(Scope.READ,)))
    async with sitting(house.base_url, issued.value) as person:
        await person.sees("● live")
        await person.press("6")
        await person.sees("screen (this one)")
        await person.press("n")
        await person.sees("New API key: this API key may only read.")


async def test_a_project_comes_gets_another_name_and_goes(house: RunningHouse) -> None:
    async with (
        Client(house.base_url, house.admin_key) as admin,
        sitting(house.base_url, house.admin_key) as person,
    ):
        await person.sees("● live")
        await person.press("7", "n")
        await person.sees("A new project")
        await person.write("my shop")
        await person.press("ctrl+s")
        await person.sees("✗ Name takes letters, digits, - and _, at most 64.")
        await person.press(*["backspace"] * 5, "ctrl+s")
        await person.sees("Created my", "2 projects")

        await person.press("p")
        await person.sees("· my", "● my")
        [made] = (await admin.list_projects(name="my")).items
        await person.press("e")
        await person.sees("Change my")
        await person.press("end")
        await person.write("shop")
        await person.press("ctrl+s")
        await person.sees("Changed myshop.", "· myshop", "● live")

        await admin.remove_project(made.id)
        await person.sees("Back to all projects from 'myshop': it was removed.", "all projects")
        await person.sees("1 project\n")


async def test_a_remembered_project_that_is_gone_does_no_harm(house: RunningHouse) -> None:
    async with Client(house.base_url, house.admin_key) as admin:
        gone = await admin.create_project(NewProject(name="gone"))
        async with sitting(house.base_url, house.admin_key) as person:
            await person.sees("● live")
            await person.press("p")
            await person.sees("Which project?")
            await person.write("gone")
            await person.press("enter")
            await person.sees("· gone", "● live")
            remembered = person.app.settings
        await admin.remove_project(gone.id)
        assert remembered.remembered.project == "gone"
        async with sitting(house.base_url, house.admin_key, settings=remembered) as person:
            await person.sees("● live", "all projects", "Back to all projects from 'gone'")

"""Events go into a file and come back from it, on this server or another one."""

import json
from pathlib import Path
from typing import Any

from click.testing import Result

from slowping.core import event
from tests.cli.keep.folder import run, send
from tests.conftest import RunningHouse


async def at(house: RunningHouse, *arguments: str | Path, given: str | None = None) -> Result:
    """Run a command as an administrator of a server."""
    environ = {"SLOWPING_SERVER": house.base_url, "SLOWPING_API_KEY": house.admin_key}
    return await run(*arguments, given=given, **environ)


async def exported(house: RunningHouse, *options: str) -> list[dict[str, Any]]:
    """What an export prints."""
    ran = await at(house, "event", "export", *options)
    assert ran.exit_code == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


async def test_what_one_server_exports_another_one_imports(
    house: RunningHouse, tmp_path: Path
) -> None:
    await send(house, 3)
    file = tmp_path / "events.jsonl"
    ran = await at(house, "event", "export")
    file.write_text(ran.stdout)
    assert "Exported 3 events." in ran.stderr
    await house.project("shop")
    ran = await at(house, "event", "import", file, "--project", "shop")
    assert ran.exit_code == 0, ran.stderr
    assert ran.stdout == "Imported 3 events; 0 were there already.\n"
    ours, theirs = (
        await exported(house, "--project", "default"),
        await exported(house, "--project", "shop"),
    )
    assert [one["received_at"] for one in theirs] == [one["received_at"] for one in ours]
    assert {one["description"] for one in theirs} == {"No. 0", "No. 1", "No. 2"}


async def test_a_file_can_be_imported_again(house: RunningHouse, tmp_path: Path) -> None:
    await send(house, 3)
    file = tmp_path / "events.jsonl"
    file.write_text((await at(house, "event", "export")).stdout)
    for _ in range(2):
        ran = await at(house, "event", "import", file)
        assert ran.stdout == "Imported 0 events; 3 were there already.\n"
    assert len(await exported(house)) == 3


async def test_an_export_can_be_narrowed(house: RunningHouse) -> None:
    await send(house, 2)
    await at(house, "send", "bug")
    assert {one["category"] for one in await exported(house, "--category", "bug")} == {"bug"}
    assert await exported(house, "--until", "1h") == []
    assert (await at(house, "event", "export", "--category", "bugs")).exit_code == 1


def _line(number: int, **change: Any) -> str:
    known = {
        "category": "sale",
        "received_at": f"2026-01-01T00:00:{number % 60:02}Z",
        "description": f"No. {number}",
    }
    return json.dumps(known | change)


async def test_lines_that_are_no_events_are_named_and_the_rest_is_imported(
    house: RunningHouse, tmp_path: Path
) -> None:
    lines = [_line(number) for number in range(7)]
    lines[1] = "{"
    lines[3] = _line(3, received_at="2999-01-01T00:00:00Z")
    lines[5] = _line(5, category="")
    lines.insert(6, "")
    file = tmp_path / "events.jsonl"
    file.write_text("\ufeff" + "\n".join(lines))
    ran = await at(house, "event", "import", file)
    assert ran.exit_code == 1
    told = [line for line in ran.stderr.splitlines() if "Line" in line]
    assert [line.partition(":")[2].split(":")[0] for line in told] == [
        " Line 2", " Line 4", " Line 6"
    ]  # fmt: skip
    assert "3 lines were not imported" in ran.stderr
    assert ran.stdout == "Imported 4 events; 0 were there already.\n"


async def test_of_many_bad_lines_the_first_are_named(house: RunningHouse, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    old = [_line(number, received_at="2024-12-31T23:59:59Z") for number in range(20)]
    file.write_text("\n".join([*old, *["{"] * 20]))
    ran = await at(house, "event", "import", file)
    told = [line for line in ran.stderr.splitlines() if "Line" in line]
    assert [line.partition("Line ")[2].partition(":")[0] for line in told] == [
        str(number) for number in range(1, 21)
    ]
    assert all("received_at: it is before 2025" in line for line in told)
    assert "40 lines were not imported" in ran.stderr


async def test_bad_lines_are_named_though_the_rest_cannot_go_on(
    house: RunningHouse, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(["{", _line(1, project="shop")]))
    ran = await at(house, "event", "import", file)
    assert "Line 1: " in ran.stderr
    assert "Line 2: There is no project 'shop'." in ran.stderr


async def test_more_than_a_request_holds_goes_in_several(
    house: RunningHouse, tmp_path: Path
) -> None:
    count = 2 * event.MAX_IMPORT + 1
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(_line(number) for number in range(count)))
    ran = await at(house, "event", "import", file)
    assert ran.stdout == f"Imported {count} events; 0 were there already.\n"


async def test_large_events_go_in_smaller_requests(house: RunningHouse, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(_line(no, description="x" * 200_000) for no in range(9)))
    ran = await at(house, "event", "import", file)
    assert ran.stdout == "Imported 9 events; 0 were there already.\n"


async def test_a_project_that_is_not_there_ends_it(house: RunningHouse, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join([_line(0), _line(1, project="shop")]))
    ran = await at(house, "event", "import", file)
    assert ran.exit_code == 1
    assert "Line 2: There is no project 'shop'. Create it, or say with --project" in ran.stderr


async def test_events_come_from_a_pipe_as_well(house: RunningHouse) -> None:
    ran = await at(house, "event", "import", "-", given=_line(1))
    assert ran.stdout == "Imported 1 event; 0 were there already.\n"

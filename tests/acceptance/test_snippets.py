"""Every snippet is run as it is, for names that no shell or language likes, and arrives."""

import sys

import pytest

from slowping.core.api_key import Scope
from slowping.tui.snippets import writing
from slowping.tui.snippets.services import SERVICES, Service, Target
from tests.acceptance.program import Machine, Ran
from tests.acceptance.test_seeds import needs_curl, needs_node
from tests.conftest import RunningHouse
from tests.tui.test_snippets import NASTY

NAMES = (*NASTY, "sale", "Sale-2", "sale_2")
QUOTED_KEY = "it's-$5-\"\\`id`"
"""A key that was brought along can be any printable ASCII."""


async def run(machine: Machine, language: str, code: str) -> Ran:
    """Run a snippet as a newcomer would."""
    file = machine.home / f"snippet.{writing.SUFFIXES[language]}"
    file.write_text(f"{code}\n", encoding="utf-8")
    program = {"curl": "bash", "Python": sys.executable, "JavaScript": "node"}[language]
    return await machine.run(program, file)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
@pytest.mark.parametrize(
    "language",
    [
        pytest.param("curl", marks=needs_curl),
        "Python",
        pytest.param("JavaScript", marks=needs_node),
    ],
)
async def test_a_snippet_sends_to_its_category(
    house: RunningHouse, machine: Machine, service: Service, language: str
) -> None:
    names = [name for name in NAMES if service.can_name(name)]
    await house.project("shop", channels=["console"], categories=names)
    key = await house.key("shop", scopes=[Scope.INGEST], value=QUOTED_KEY)
    for name in names:
        target = Target(server=house.base_url, project="shop", category=name, api_key=key)
        ran = await run(machine, language, writing.snippet(service, language, target))
        assert ran.code == 0, ran.stderr
        event = (await house.events("shop"))[-1]
        assert event.category == name, ran.stdout
        assert event.fields["amount"] == 49.99
    assert len(await house.events("shop")) == len(names)


@needs_curl
async def test_a_snippet_that_runs_again_sends_again(house: RunningHouse, machine: Machine) -> None:
    await house.project("shop")
    key = await house.key("shop")
    [intake] = [service for service in SERVICES if service.name == "Event Intake"]
    target = Target(server=house.base_url, project="shop", category="sale", api_key=key)
    code = writing.snippet(intake, "curl", target)
    for _ in range(2):
        ran = await machine.run("bash", "-c", code)
        assert ran.code == 0, ran.stderr
    assert len(await house.events("shop")) == 2

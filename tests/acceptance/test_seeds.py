"""The five pages' examples, run as they stand but for the host, get the documented answers."""

import contextlib
import pathlib
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from slowping.client.client import Client
from slowping.config import Config, DiscordSection, NotifiersSection
from slowping.core.api_key import NewApiKey
from slowping.core.category import NewCategory
from slowping.core.channel import NewChannel
from slowping.core.event import Event
from slowping.core.project import NewProject
from tests.acceptance import seeds
from tests.acceptance.eventually import eventually
from tests.acceptance.program import Machine, Ran
from tests.acceptance.seeds import ADWIZE, INTAKE, PINGPANDA, PINGPILOT, SLOWSTATS, Page
from tests.acceptance.wiretap import Answer, Wiretap
from tests.conftest import running_house
from tests.notifiers.far_side import FarSide, reply

PROJECT = "abc123"
CATEGORIES = ("sale", "signup", "error", "bug")


def node_has_fetch() -> bool:
    """Whether there is a Node.js that runs the examples; they need version 18 or later."""
    node = shutil.which("node")
    if node is None:
        return False
    told = subprocess.run(  # noqa: S603 - what was found on the path
        [node, "--version"], capture_output=True, text=True, check=False
    ).stdout
    version = re.match(r"v(\d+)\.", told)
    return version is not None and int(version[1]) >= 18


pytestmark = pytest.mark.skipif(
    not seeds.FOLDER.is_dir(), reason=f"the pages are not here: {seeds.FOLDER}"
)
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
needs_node = pytest.mark.skipif(not node_has_fetch(), reason="there is no Node.js 18 here")


class Stage(msgspec.Struct, kw_only=True):
    """A server that the clients of the pages were moved to, and a wiretap before it."""

    client: Client
    wiretap: Wiretap
    discord: FarSide
    machine: Machine

    async def curl(self, page: Page, number: int = 0, *, key: str | None = None) -> Answer:
        """Run a curl command of a page in bash."""
        command = page.aimed(page.curl(number), self.wiretap.url, key)
        ran = await self.machine.run("bash", "-c", command)
        answer = self._answer(ran)
        assert ran.stdout.encode() == answer.body
        return answer

    async def python(self, page: Page, first: str, last: str, **environ: str) -> Answer:
        """Run a Python example of a page."""
        script = self.machine.home / "example.py"
        script.write_text(page.aimed(page.block(first, last), self.wiretap.url), encoding="utf-8")
        return self._answer(await self.machine.run(sys.executable, script, **environ))

    async def node(self, page: Page, first: str, last: str, **environ: str) -> Answer:
        """Run a JavaScript example of a page."""
        script = self.machine.home / "example.mjs"  # a module: some wait at their top level
        script.write_text(page.aimed(page.block(first, last), self.wiretap.url), encoding="utf-8")
        return self._answer(await self.machine.run("node", script, **environ))

    async def event(self) -> Event:
        """The one event that was stored."""
        [event] = (await self.client.list_events(project=PROJECT)).items
        return event

    def _answer(self, ran: Ran) -> Answer:
        assert ran.code == 0, ran.stderr
        return self.wiretap.answers[-1]


@pytest.fixture
async def empty_stage(tmp_path: pathlib.Path, machine: Machine) -> AsyncIterator[Stage]:
    """A server that has not heard of the project yet."""
    async with contextlib.AsyncExitStack() as stack:
        discord = await stack.enter_async_context(FarSide(reply(200, {"id": "1"})).running())
        config = Config(
            notifiers=NotifiersSection(discord=DiscordSection(api_base=f"{discord.url}/api/v10"))
        )
        house = await stack.enter_async_context(running_house(tmp_path, config))
        wiretap = await stack.enter_async_context(Wiretap(house.base_url).running())
        client = await stack.enter_async_context(Client(house.base_url, house.admin_key))
        yield Stage(client=client, wiretap=wiretap, discord=discord, machine=machine)


@pytest.fixture
async def stage(empty_stage: Stage) -> Stage:
    """The project as the pages take it to be, under the very keys that they show."""
    client = empty_stage.client
    await client.create_project(NewProject(name=PROJECT))
    await client.create_channel(NewChannel(kind="console", name="console", project=PROJECT))
    for category in CATEGORIES:
        await client.create_category(NewCategory(name=category, project=PROJECT))
    for key in sorted({page.key for page in seeds.PAGES}):
        await client.issue_api_key(NewApiKey(name=key, project=PROJECT, import_value=key))
    return empty_stage


def is_answer(answer: Answer, status: int, documented: dict[str, Any]) -> bool:
    """Whether it is what the page documents, byte for byte but for ids and times."""
    return answer.status == status and seeds.is_documented(answer.body, documented)


# curl --------------------------------------------------------------------------------------------


@needs_curl
@pytest.mark.parametrize(
    ("number", "category", "fields"),
    [
        (0, "sale", {}),
        (1, "signup", {"email": "user@example.com", "plan": "FREE"}),
        (2, "error", {"error_code": "PAYMENT_001", "user_id": "12345"}),
    ],
)
async def test_pingpanda_by_curl(
    stage: Stage, number: int, category: str, fields: dict[str, Any]
) -> None:
    answer = await stage.curl(PINGPANDA, number)
    assert is_answer(answer, 200, PINGPANDA.answer("Success (200 OK)")), answer
    event = await stage.event()
    assert (event.category, event.fields, event.dialect) == (category, fields, "pingpanda")


@needs_curl
async def test_pingpilot_by_curl(stage: Stage) -> None:
    answer = await stage.curl(PINGPILOT)
    assert is_answer(answer, 200, PINGPILOT.answer("Status Code: 200 OK")), answer
    event = await stage.event()
    assert (event.category, event.dialect) == ("bug", "pingpilot")
    assert event.fields["retry_count"] == 3


@needs_curl
async def test_slowstats_by_curl(stage: Stage) -> None:
    answer = await stage.curl(SLOWSTATS)
    assert is_answer(answer, 200, SLOWSTATS.answer("Event created successfully:")), answer
    await has_slowstats_embed(stage)


@needs_curl
async def test_intake_by_curl_and_again(stage: Stage) -> None:
    first = await stage.curl(INTAKE)
    assert is_answer(first, 200, INTAKE.answer("Example response:")), first
    again = await stage.curl(INTAKE)
    assert is_answer(again, 200, INTAKE.answer("Example response on retry")), again
    assert event_id(first) == event_id(again)
    assert (await stage.event()).category == "user.created"


@needs_curl
async def test_adwize_by_curl(stage: Stage) -> None:
    assert is_one_ingested(await stage.curl(ADWIZE))
    event = await stage.event()
    assert (event.category, event.source) == ("purchase", "backend")


# Python ------------------------------------------------------------------------------------------


async def test_pingpilot_by_python(stage: Stage) -> None:
    answer = await stage.python(PINGPILOT, "import os", "})", PINGPILOT_API_KEY=PINGPILOT.key)
    assert is_answer(answer, 200, PINGPILOT.answer("Status Code: 200 OK")), answer
    await has_pingpilot_event(stage)


async def test_slowstats_by_python(stage: Stage) -> None:
    answer = await stage.python(SLOWSTATS, "import requests", "print(response.json())")
    assert is_answer(answer, 200, SLOWSTATS.answer("Event created successfully:")), answer
    await has_slowstats_embed(stage)


async def test_adwize_by_python(stage: Stage) -> None:
    assert is_one_ingested(await stage.python(ADWIZE, "import httpx", "print(response.json())"))
    assert (await stage.event()).fields == {"transaction_id": "TXN-001", "value": 49.99}


# JavaScript --------------------------------------------------------------------------------------


@needs_node
async def test_pingpilot_by_javascript(stage: Stage) -> None:
    answer = await stage.node(
        PINGPILOT, "const sendEvent = ", "});", PINGPILOT_API_KEY=PINGPILOT.key
    )
    assert is_answer(answer, 200, PINGPILOT.answer("Status Code: 200 OK")), answer
    await has_pingpilot_event(stage)


@needs_node
async def test_slowstats_by_javascript(stage: Stage) -> None:
    answer = await stage.node(SLOWSTATS, "fetch(", ".then(data => console.log(data));")
    assert is_answer(answer, 200, SLOWSTATS.answer("Event created successfully:")), answer
    await has_slowstats_embed(stage)


@needs_node
async def test_adwize_by_javascript(stage: Stage) -> None:
    assert is_one_ingested(await stage.node(ADWIZE, "const events = [", "});"))
    event = await stage.event()
    assert (event.category, event.source) == ("page_view", "frontend")
    assert event.fields == {"page": "/checkout", "referrer": "/cart"}


# Documented refusals -----------------------------------------------------------------------------


@needs_curl
@pytest.mark.parametrize(
    ("page", "heading"),
    [
        (PINGPANDA, "Invalid API Key (401)"),
        (SLOWSTATS, "401 Unauthorized"),
        (ADWIZE, "Error (401 Unauthorized)"),
    ],
    ids=lambda given: given.name if isinstance(given, Page) else "",
)
async def test_an_unknown_key_is_refused(stage: Stage, page: Page, heading: str) -> None:
    answer = await stage.curl(page, key="NOBODYS_API_KEY")
    assert is_answer(answer, 401, page.answer(heading)), answer


@needs_curl
async def test_pingpanda_refuses_without_a_channel(empty_stage: Stage) -> None:
    await move(empty_stage, PINGPANDA)
    answer = await empty_stage.curl(PINGPANDA)
    assert is_answer(answer, 403, PINGPANDA.answer("Discord ID Not Set (403)")), answer


@needs_curl
async def test_pingpanda_does_not_know_the_category(empty_stage: Stage) -> None:
    await move(empty_stage, PINGPANDA)
    await empty_stage.client.create_channel(
        NewChannel(kind="console", name="console", project=PROJECT)
    )
    answer = await empty_stage.curl(PINGPANDA)
    assert is_answer(answer, 404, PINGPANDA.answer("Category Not Found (404)")), answer


@needs_curl
async def test_pingpanda_slows_a_key_down(stage: Stage) -> None:
    new = NewApiKey(name="slow", project=PROJECT, rate_limit=1)
    key = (await stage.client.issue_api_key(new)).value
    assert (await stage.curl(PINGPANDA, key=key)).status == 200
    answer = await stage.curl(PINGPANDA, key=key)
    assert is_answer(answer, 429, PINGPANDA.answer("Rate Limit Exceeded (429)")), answer


@needs_curl
async def test_slowstats_refuses_the_project_of_others(stage: Stage) -> None:
    await stage.client.create_project(NewProject(name="other"))
    key = (await stage.client.issue_api_key(NewApiKey(name="other", project="other"))).value
    answer = await stage.curl(SLOWSTATS, key=key)
    assert is_answer(answer, 403, SLOWSTATS.answer("403 Forbidden")), answer


async def move(stage: Stage, page: Page) -> None:
    """Make the project, with the page's key and nothing else."""
    await stage.client.create_project(NewProject(name=PROJECT))
    await stage.client.issue_api_key(
        NewApiKey(name="moved", project=PROJECT, import_value=page.key)
    )


# What came of it ---------------------------------------------------------------------------------


def event_id(answer: Answer) -> str:
    told: dict[str, str] = msgspec.json.decode(answer.body)
    return told["event_id"]


def is_one_ingested(answer: Answer) -> bool:
    """Whether it is Adwize's answer; the page shows the one to two events."""
    return is_answer(answer, 201, ADWIZE.answer("Success (201 Created)") | {"ingested": 1})


async def has_pingpilot_event(stage: Stage) -> None:
    event = await stage.event()
    assert (event.category, event.description) == ("bug", "Database connection failed")
    assert event.fields == {"severity": "high", "service": "api-server"}


async def has_slowstats_embed(stage: Stage) -> None:
    """The request names a webhook of its own, which gets what the request says."""
    event = await stage.event()
    assert (event.category, event.color) == ("purchase", 16776960)
    [request] = await eventually(lambda: stage.discord.requests)
    assert request.path == "/api/v10/webhooks/XXXX/XXXX?wait=true"
    [embed] = request.json["embeds"]
    assert embed["title"] == "New Purchase"
    assert embed["color"] == 65280

"""What tests of the live view share: a scripted server, and calm pictures."""

import os

import pytest

from tests.tui.driver import ScriptedServer

os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ.pop("NO_COLOR", None)


@pytest.fixture
async def server() -> ScriptedServer:
    return ScriptedServer()

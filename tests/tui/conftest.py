"""What tests of the live view share: a scripted server, and calm pictures."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Before textual is loaded: nothing moves, colours are on.
os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ.pop("NO_COLOR", None)

from tests.tui.driver import ScriptedServer  # it loads textual

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.fixture(autouse=True)
def _times_in_utc() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.fixture
async def server() -> ScriptedServer:
    return ScriptedServer()


@pytest.fixture
def looks_like(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """See that a picture is as the one of that name, or keep it with `--update-snapshots`."""

    def see(picture: str, name: str) -> None:
        file = SNAPSHOTS / f"{name}.txt"
        if request.config.getoption("--update-snapshots"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"{picture}\n", encoding="utf-8")
        assert f"{picture}\n" == file.read_text(encoding="utf-8")

    return see

"""What an import loads, seen in a fresh interpreter."""

import json
import subprocess
import sys
import types

import pytest

import slowping
from slowping.client import client, logging_handler, sender

HEAVY = {
    "aiosqlite", "asyncio", "click", "email", "http", "httpx", "litestar", "logging", "msgspec",
    "platformdirs", "rich", "ssl", "textual", "uvicorn",
}  # fmt: skip


def loaded_by(code: str) -> set[str]:
    """The modules that are there after some code."""
    told = f"{code}; import json, os, sys; print(json.dumps(list(sys.modules)), flush=True)"
    # It ends at once and sends nothing, least of all to a server that runs here.
    command = [sys.executable, "-I", "-c", f"{told}; os._exit(0)"]
    nowhere = {"SLOWPING_SERVER": "http://127.0.0.1:1", "SLOWPING_API_KEY": "none"}
    ran = subprocess.run(  # noqa: S603 - our own words
        command, check=True, capture_output=True, text=True, env=nowhere
    )
    return set(json.loads(ran.stdout))


def test_the_package_alone_loads_nothing_of_the_house() -> None:
    loaded = loaded_by("import slowping; slowping.__version__")
    assert {name for name in loaded if name.startswith("slowping.")} == set()
    assert not loaded & HEAVY


def test_a_script_that_sends_starts_fast() -> None:
    loaded = loaded_by("from slowping import send; send('sale', fields={'amount': 1})")
    # What speaks HTTP is loaded by the thread, about a second later.
    assert not loaded & HEAVY
    floors = {name.split(".")[1] for name in loaded if name.startswith("slowping.")}
    assert floors == {"client", "core"}


@pytest.mark.parametrize("name", ["Client", "SlowpingHandler"])
def test_no_part_of_the_client_loads_server_or_terminal(name: str) -> None:
    loaded = loaded_by(f"from slowping import {name}")
    assert not loaded & {"aiosqlite", "litestar", "textual", "uvicorn"}
    floors = {one.split(".")[1] for one in loaded if one.startswith("slowping.")}
    assert floors == {"client", "core"}


def test_logging_loads_nothing_but_itself() -> None:
    loaded = loaded_by("import slowping; slowping.SlowpingHandler()")
    assert loaded & HEAVY == {"logging"}


def test_the_async_client_is_not_loaded_by_its_neighbours() -> None:
    assert "httpx" not in loaded_by("import slowping.client, slowping.client.sender")


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("Client", client),
        ("Sender", sender),
        ("SlowpingHandler", logging_handler),
        ("flush", sender),
        ("send", sender),
    ],
)
def test_what_the_package_offers_is_what_it_says(name: str, home: types.ModuleType) -> None:
    assert name in dir(slowping)
    assert name in slowping.__all__
    assert getattr(slowping, name) is getattr(home, name)


def test_what_is_not_there_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = slowping.nonsense
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = slowping.client.nonsense

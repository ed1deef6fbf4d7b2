"""What `slowping tui` has loaded by the time its first picture is drawn, in a fresh interpreter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slowping.tui.places import PLACES

PROGRAM = """
import os, sys
from slowping import cli
from textual.drivers.headless_driver import HeadlessDriver

class Screen(HeadlessDriver):
    is_headless = False

    def write(self, data):
        if "connecting" in data:
            os.write(2, " ".join(sys.modules).encode())
            os._exit(0)

sys.argv = ["slowping", "tui", "--server", "http://127.0.0.1:1", "--api-key", "none"]
cli.main()
"""

OTHER_PLACES = [place.name for place in PLACES[1:]]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules that are there by then."""
    home = str(tmp_path_factory.mktemp("home"))
    folders = {f"XDG_{kind}_HOME": home for kind in ("STATE", "CONFIG", "DATA")}
    ran = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **folders, "TEXTUAL_DRIVER": "__main__:Screen"},
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return set(ran.stderr.split())


def ours(loaded: set[str], *below: str) -> set[str]:
    """Those that lie below one of these."""
    return {name for name in loaded if name.startswith(tuple(f"slowping.{each}" for each in below))}


def test_it_waits_for_no_client(loaded: set[str]) -> None:
    assert not {"httpx", "httpcore", "email", "http.client"} & loaded
    assert ours(loaded, "client") <= {"slowping.client", "slowping.client.whereabouts"}


def test_it_waits_for_nothing_that_draws_help_and_errors(loaded: set[str]) -> None:
    assert "rich_click" not in loaded
    assert ours(loaded, "cli.") | {"slowping.cli"} == {"slowping.cli", "slowping.cli.tui"}


def test_it_waits_for_no_other_place(loaded: set[str]) -> None:
    assert ours(loaded, "tui.screens.") == {"slowping.tui.screens.feed"}
    assert ours(loaded, "tui.commands.") == {
        f"slowping.tui.commands.{name}" for name in ("everywhere", "feed", "rows")
    }
    assert not ours(loaded, *(f"tui.{name}." for name in OTHER_PLACES))


def test_it_waits_for_nothing_that_a_key_opens(loaded: set[str]) -> None:
    assert not ours(loaded, "tui.modals", "tui.palette", "tui.keys", "tui.snippets")
    assert not ours(loaded, "tui.secret_file", "tui.table_place")


@pytest.mark.parametrize("widget", ["markdown", "text_area", "data_table", "footer", "header"])
def test_it_waits_for_no_widget_that_is_not_seen(loaded: set[str], widget: str) -> None:
    assert f"textual.widgets._{widget}" not in loaded


def test_the_place_that_is_seen_loads_only_its_own_widgets(loaded: set[str]) -> None:
    widgets = {Path(name.replace(".", "/")).name for name in ours(loaded, "tui.widgets.")}
    assert widgets == {
        "detail", "drawing", "empty_state", "feed_view", "filter_bar", "key_bar", "moving",
        "pane", "status_bar",
    }  # fmt: skip

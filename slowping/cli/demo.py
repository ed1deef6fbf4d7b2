"""Try the live view on a server that is gone afterwards."""

import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import rich_click as click

from slowping.cli import typed

if TYPE_CHECKING:
    from slowping.demo.stage import Stage


@click.command
@click.option(
    "--rate",
    type=typed.Number(0.01, 200),
    default=1.0,
    show_default=True,
    help="Events a second, on an average.",
)
@click.option("--no-tui", is_flag=True, help="Only the server: print where it is, and wait.")
@click.option("--seed", type=typed.Whole(min=0), help="Let the same happen again.")
def demo(rate: float, no_tui: bool, seed: int | None) -> None:
    """Try the live view on a server that is gone afterwards.

    The server runs in a temporary folder, with three projects, plausible traffic, and far sides
    of its own: one takes everything, one fails most of the time, one is a Discord that limits its
    rate. Nothing leaves this machine, and nothing is left behind.
    """
    from slowping.demo import stage

    click.echo("Setting up a server, and three days of its past…", err=True)
    # Whatever asks it to end, it clears up first.
    _when_asked_to_end(sys.exit)
    with stage.set_up(rate=rate, seed=seed) as found:
        if no_tui:
            _wait(found)
        else:
            _show(found)


def _when_asked_to_end(end: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: end())


def _wait(stage: "Stage") -> None:
    over = threading.Event()
    _when_asked_to_end(over.set)
    signal.signal(signal.SIGINT, lambda *_: over.set())
    click.echo(f"slowping tui --server {stage.server} --api-key {stage.api_key}")
    click.echo("Ctrl-C ends it.", err=True)
    over.wait()


def _show(stage: "Stage") -> None:
    from slowping.tui.app import SlowpingApp
    from slowping.tui.settings import Profile, Settings

    profile = Profile(name="demo", server=stage.server, api_key=stage.api_key)
    # Nothing of it is remembered: the settings of this user stay as they are.
    app = SlowpingApp(Settings(stage.folder / "tui"), profile)
    _when_asked_to_end(app.exit)
    app.run()

"""Open the live view, without loading what only help and errors need."""

import contextlib
import gc
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from slowping.client import whereabouts
from slowping.core import errors

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from slowping.tui.app import SlowpingApp
    from slowping.tui.settings import Profile, Remembered, Settings

_NAMED_BY: Final = ("SLOWPING_SERVER", "SLOWPING_DATA", "SLOWPING_CONFIG")
"""Variables by which a person says which server is meant."""


def _complete_profiles(
    ctx: click.Context,  # noqa: ARG001 - click's signature
    param: click.Parameter,  # noqa: ARG001 - click's signature
    incomplete: str,
) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    from slowping.tui import settings

    names = (profile.name for profile in settings.remembered().profiles)
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command(add_help_option=False)
@click.option("--server", metavar="URL", help="The server's address; or SLOWPING_SERVER.")
@click.option("--api-key", metavar="KEY", help="The API key to use there; or SLOWPING_API_KEY.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The data folder of a server on this machine; or SLOWPING_DATA.",
)
@click.option(
    "--profile",
    "name",
    metavar="NAME",
    shell_complete=_complete_profiles,
    help="A server that it was connected to before, by the name it is remembered under.",
)
@click.option("--keys", is_flag=True, help="Print every key, and stop.")
def tui(
    server: str | None, api_key: str | None, data: Path | None, name: str | None, keys: bool
) -> None:
    """Open the live view.

    Without a server it shows the one that it showed last, else the one of this machine; where
    none is known, it asks.
    """
    if keys:
        from slowping.tui.keys import page

        click.echo(page.plain())
        return
    _app(server, api_key, data, name).run()


def opens(arguments: Sequence[str]) -> bool:
    """Open the live view at once; False, and nothing done, where there is something else to tell.

    That is help, or what is wrong with the arguments: the rest of the command line tells it well.
    """
    # Whoever changes his mind while it loads is told nothing; once it runs, Ctrl-C is a key.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        # Help is asked for by an option that it does not have: an error like any other.
        with tui.make_context("tui", list(arguments)) as ctx:
            if ctx.params.pop("keys"):
                return False
            app = _app(**ctx.params)
    except (click.ClickException, errors.SlowpingError):
        return False
    app.run()
    return True


def _app(
    server: str | None, api_key: str | None, data: Path | None, name: str | None
) -> "SlowpingApp":
    if name and (server or api_key or data):
        raise click.UsageError("A profile has its server and key: leave out the other options.")
    with _all_of_it_staying():
        from slowping.tui.settings import Settings

        settings = Settings.of_this_user()
        profile = to_open(settings, name, server, api_key, data)
        from slowping.tui.app import SlowpingApp

        return SlowpingApp(settings, profile)


@contextlib.contextmanager
def _all_of_it_staying() -> Iterator[None]:
    """Look for no garbage in what is loaded here, now or later: it is needed until the end."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def to_open(
    settings: "Settings",
    name: str | None,
    server: str | None = None,
    api_key: str | None = None,
    data: Path | None = None,
) -> "Profile | None":
    """The profile of that name, else the server that is given, the last one, that of this machine.

    None is none of them: whoever opens it has to be asked.

    Raises:
        BadParameter: there is no profile of that name.
        NoCredential: a server is given, and no key for it is known.
        Unreachable: a data folder is given on which no server runs.
    """
    if name is not None:
        return _remembered(settings, name)
    return _found(settings.remembered, server, api_key, data)


def _remembered(settings: "Settings", name: str) -> "Profile":
    """The profile of that name, which from now on is the one that was used last."""
    memory = settings.remembered
    profile = memory.profile_named(name)
    if profile is None:
        known = ", ".join(each.name for each in memory.profiles) or "none yet"
        raise click.BadParameter(f"There is no profile '{name}'. Remembered are: {known}.")
    with contextlib.suppress(errors.ConfigError):  # what cannot be kept stops nothing
        settings.change(lambda kept: kept.with_profile(profile))
    return profile


def _found(
    memory: "Remembered", server: str | None, api_key: str | None, data: Path | None
) -> "Profile | None":
    from slowping.tui.settings import Profile

    is_named = any((server, api_key, data, *map(os.environ.get, _NAMED_BY)))
    try:
        found = whereabouts.find(
            server, api_key, data, os.environ, (whereabouts.ADMIN_KEY_FILE,), memory.addresses
        )
    except (errors.NoCredential, errors.Unreachable):
        if is_named:
            raise
        return None
    return memory.as_known(Profile.of(found.server, found.api_key or "", found.data))

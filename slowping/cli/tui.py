"""Open the live view."""

import os
from pathlib import Path

import rich_click as click

from slowping.cli import where
from slowping.core import errors


@click.command
@click.option("--server", metavar="URL", help="The server's address.")
@click.option("--api-key", metavar="KEY", help="The API key to use there.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The data folder of a server on this machine.",
)
@click.option("--keys", is_flag=True, help="Print every key, and stop.")
def tui(server: str | None, api_key: str | None, data: Path | None, keys: bool) -> None:
    """Open the live view.

    Without a server it shows the one that it showed last, else the one of this machine; where
    none is known, it asks.
    """
    if keys:
        from slowping.tui import keys_page

        click.echo(keys_page.plain())
        return
    from slowping.tui.app import SlowpingApp
    from slowping.tui.settings import Profile, Settings

    settings = Settings.of_this_user()
    named = any((server, api_key, data, *map(os.environ.get, ("SLOWPING_SERVER", "SLOWPING_DATA"))))
    profile = None if named else settings.remembered.current()
    if profile is None:
        try:
            found = where.find(server, api_key, data, os.environ, (where.ADMIN_KEY_FILE,))
        except (errors.NoCredential, errors.Unreachable):
            if named:
                raise
        else:
            profile = Profile.of(found.server, found.api_key or "")
    SlowpingApp(settings, profile).run()

"""Bring a database to the newest schema without serving it."""

from pathlib import Path

import rich_click as click

from slowping.cli import output
from slowping.cli.keep import place, progress


@click.command()
@place.options
def migrate(data: Path | None, config_file: Path | None) -> None:
    """Bring the database to the newest schema; no server may run on it.

    A server does the same when it starts. This makes a copy first, which an older slowping can go
    on with: stop the server, put the new version there, migrate, and start it.
    """
    from slowping.server.process import data_folder

    folder = place.folder(data, place.configured(config_file))
    place.require_database(folder)
    with data_folder.owned(folder), progress.shown("Copying") as report:
        database = place.database_in(folder)
        kept = database.migrate(stamp=place.stamp(), step=report)
        contents = database.outline()
    if kept is None:
        output.data(f"The database has schema {contents.schema}, which is the newest.")
        return
    output.talk(f"The old one is kept: {kept}. Remove it once all is well.")
    output.data(f"The database has schema {contents.schema} now, and {place.told(contents)}.")

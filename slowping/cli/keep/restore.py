"""Put a copy back in the place of a database, while no server runs on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from slowping.cli import output, where
from slowping.cli.keep import place, progress
from slowping.core import errors

if TYPE_CHECKING:
    from slowping.store.port.database import Contents


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True), metavar="FILE")
@output.yes_option
@place.options
def restore(file: Path, yes: bool, data: Path | None, config_file: Path | None) -> None:
    """Put the copy in FILE in the place of the database; no server may run on it.

    The copy is looked through first, and the database that was there is kept beside it. What
    happened since the copy was made is not in it: keys that were revoked work again, and what was
    waiting to be sent goes out once more.
    """
    from slowping.server.process import data_folder

    folder = place.folder(data, place.configured(config_file))
    with data_folder.owned(folder):
        with progress.shown("Looking it through", progress.Of.NOTHING):
            contents = place.database_at(file).verify()
        output.talk(f"{file} is whole, and holds {place.told(contents)}.")
        if place.has_database(folder):
            output.talk(f"The database in {folder} {_as_it_is(folder)}.")
        output.confirm(f"Put it in the place of the database in {folder}?", yes)
        with progress.shown("Restoring") as report:
            kept = place.database_in(folder).put_back(file, stamp=place.stamp(), step=report)
        if kept is not None:
            output.talk(f"The old one is kept: {kept}. Remove it once all is well.")
        for sentence in _what_follows(folder, contents):
            output.talk(sentence)
    output.data(f"Put back {place.told(contents)}.")


def _as_it_is(folder: Path) -> str:
    try:
        return f"holds {place.told(place.database_in(folder).outline())}"
    except errors.StoreUnusable:
        return "cannot be read"


def _what_follows(folder: Path, contents: "Contents") -> Iterator[str]:
    """What a person has to know before the server is started on it."""
    from slowping.server.process import sealing

    if contents.waiting:
        waiting = output.counted(contents.waiting, "delivery", "deliveries")
        yield (
            f"{waiting} had not arrived when the copy was made: the server sends them once it "
            "starts, whatever it has sent since then."
        )
    found = place.database_in(folder).examine(thorough=False)
    if locked := place.locked_channels(folder, found.channels):
        yield (
            f"The key here does not open the secrets of {sealing.named(locked)}: before you start "
            f"the server, put the key that belongs to the copy into {folder / 'secret.key'}, or "
            "where you keep it; behind the one that is there is fine too."
        )
    if not place.admin_key_is_live(folder, found.key_digests):
        yield (
            f"No live admin key of the copy lies in {folder / where.ADMIN_KEY_FILE}, where "
            "commands on this machine look for one: put one there, or give it with --api-key."
        )

"""The key that channel secrets are encrypted with: have a new one, or give up what none opens."""

import asyncio
import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from slowping.cli import output, where
from slowping.cli.keep import place
from slowping.core import errors, times

if TYPE_CHECKING:
    from slowping.client.client import Client
    from slowping.server.process.sealing import Loss


@click.group()
def secret() -> None:
    """The key that the secrets of channels are encrypted with."""


@secret.command("rotate")
@output.json_option
@where.connected(where.ADMIN_KEY_FILE)
async def rotate_secret_key(client: "Client", as_json: bool) -> None:
    """Make a new key, and encrypt the secrets of all channels with it.

    The old key stays in the file behind the new one: it opens copies of the database that were
    made before. Once you keep none of these, take its line out.
    """
    sealed = await client.rotate_secret_key()
    if as_json:
        output.as_json(sealed)
        return
    count = output.counted(sealed.channels, "channel", "channels")
    output.talk(
        f"Encrypted the secrets of {count} with a new key. Copy the file secret.key of the data "
        "folder to where you keep a copy of it: copies of the database from now on need it."
    )


@secret.command("forget")
@output.yes_option
@place.options
def forget_lost_secrets(yes: bool, data: Path | None, config_file: Path | None) -> None:
    """Give up the secrets that no key opens, so that the server starts without their key.

    No server may run on the data folder meanwhile. Their channels are paused until the secrets are
    entered again; whatever a key still opens stays, and so do events and deliveries.
    """
    from slowping.server.process import sealing

    folder = place.folder(data, place.configured(config_file))
    loss = asyncio.run(sealing.find_lost(folder, os.environ))
    if not loss.channels:
        output.talk("A key opens every secret: there is nothing to give up.")
        return
    _require_right_place(loss, yes)
    output.confirm(
        f"Give up the secrets of {sealing.named(loss.channels)} for good? No key opens them, but "
        "the one that was lost.",
        yes,
    )
    now = times.to_ms(dt.datetime.now(dt.UTC))
    forgotten = asyncio.run(sealing.forget_lost(folder, os.environ, now=now))
    output.talk(
        f"Gave up the secrets of {sealing.named(forgotten)}. Start the server, enter them again "
        "with 'slowping channel change', and then 'slowping channel resume'."
    )


def _require_right_place(loss: "Loss", yes: bool) -> None:
    """Make sure that the key is not only out of this command's sight.

    Raises:
        ConfigError: the server took it from a place that this command does not look at.
    """
    if loss.was not in (None, loss.source) and not yes:
        raise errors.ConfigError(
            f"The server took the key from {loss.was}; this command sees {loss.source}. Run it "
            "with the same variables and credentials as the server; or with --yes, if that key "
            "is lost for good."
        )

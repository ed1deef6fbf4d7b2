"""Run the server, and on a first start show how to send something to it."""

import asyncio
import logging
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import rich_click as click

from slowping import __version__
from slowping.cli import typed, where

if TYPE_CHECKING:
    from slowping.config import Config
    from slowping.server.app import House
    from slowping.server.process.first_start import FirstKeys

logger = logging.getLogger("slowping.serve")


@click.command
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="A configuration file; config.example.toml shows every option.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder that holds the database and the keys.",
)
@click.option("--host", metavar="HOST", help="The address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=typed.Whole(0, 65_535), help="The port to listen on.  [default: 7464]")
def serve(
    config_file: Path | None,
    data: Path | None,
    host: str | None,
    port: int | None,
) -> None:
    """Run the server.

    The ready line and the cards of console channels go to standard output, logs to standard
    error. SIGTERM and Ctrl-C stop it: what is on its way is finished first.
    """
    # Until the server listens to signals itself, Ctrl-C ends it as SIGTERM does, without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from slowping import config as configuration
    from slowping.server.process import file_modes

    file = where.config_file(config_file, os.environ)
    config = configuration.load(file, os.environ)
    for path in configuration.secret_files(file, os.environ):
        file_modes.require_closed(path)
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    server = msgspec.structs.replace(config.server, **given)
    folder = where.data_folder(data, config.data).absolute()
    _run(msgspec.structs.replace(config, server=server), folder)


def _run(config: "Config", folder: Path) -> None:
    from slowping.server import log, serving
    from slowping.server.app import World

    world = World()
    log.configure(config.log.level, config.log.format, world.redaction)
    if config.server.is_in_clear:
        remedy = "server.tls_certificate, or a proxy with TLS named in server.trusted_proxies"
        told = log.Fact("API keys travel in clear", host=config.server.host, remedy=remedy)
        logger.warning(told)
    os.umask(0o077)  # whatever is made in the data folder is for its owner alone

    def ready(url: str, house: "House") -> None:
        click.echo(f"slowping {__version__} is ready on {url} (data in {folder})")
        if house.first_keys is not None:
            click.echo(_welcome(url, folder, house.first_keys))

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serving.serve(config, folder, ready=ready, world=world))


def _loop_factory() -> Any:  # a function that makes an event loop, or None for the usual one
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _welcome(url: str, folder: Path, keys: "FirstKeys") -> str:
    if keys.ingest is None:
        lines = [
            "No live admin key was left, so here is a new one. It is shown this once:",
            "",
            f"  admin key   {keys.admin}",
            "",
            f"Commands on this machine find it in {folder / where.ADMIN_KEY_FILE}.",
        ]
        return "\n".join(["", *lines, ""])
    body = '{"category":"sale","description":"The first of many","fields":{"amount":49.99}}'
    lines = [
        "A first start. These keys are shown this once:",
        "",
        f"  ingest key  {keys.ingest}",
        f"  admin key   {keys.admin}",
        "",
        f"Commands on this machine find them in {folder} (ingest.key, admin.key).",
        "The ingest key reads too; 'slowping key create --scope ingest' makes one that only sends.",
        "The project 'default' has a console channel and the categories bug, sale, question.",
        "Send something to it, and watch it arrive here:",
        "",
        f"curl {url}/api/v1/events -H 'Authorization: Bearer {keys.ingest}' -d '{body}'",
    ]
    return "\n".join(["", *lines, ""])

"""Look everything over on a server's machine, whether it runs or not, and write nothing."""

import asyncio
import datetime as dt
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import rich_click as click

from slowping.cli import output, where
from slowping.cli.keep import findings, place
from slowping.cli.keep.findings import Finding, State, ok, wrong
from slowping.cli.output import Column, ExitCode
from slowping.core import disk, errors

if TYPE_CHECKING:
    from slowping.config import Config
    from slowping.core.health import Health
    from slowping.store.port.database import Examination

_SIGNS: Final = {State.OK: "✓", State.NOTE: "!", State.WRONG: "✗"}
_COLUMNS: Final = (Column("", whole=True), Column("ABOUT", whole=True), Column("", prose=True))
_PATIENCE_S: Final = 5.0
_MEBIBYTE: Final = 1_048_576


class Report(msgspec.Struct, frozen=True):
    """What `--json` prints."""

    ok: bool
    """Whether nothing is wrong."""
    findings: tuple[Finding, ...]


@click.command()
@click.option("--full", is_flag=True, help="Look at every page and index, however long it takes.")
@output.json_option
@place.options
def check(full: bool, as_json: bool, data: Path | None, config_file: Path | None) -> None:
    """Look over the configuration, the database, the disk, the channels and the clock.

    It works on the machine of the server, whether that runs or not, and changes nothing. The exit
    code is 1 where something is wrong.
    """
    found = tuple(_look(data, config_file, thorough=full))
    is_ok = all(one.state is not State.WRONG for one in found)
    if as_json:
        output.as_json(Report(is_ok, found))
    else:
        rows = [(_SIGNS[one.state], one.about, one.told) for one in found]
        output.table("findings", _COLUMNS, rows)
    if not is_ok:
        sys.exit(ExitCode.FAILED)


def _look(data: Path | None, config_file: Path | None, *, thorough: bool) -> Iterator[Finding]:
    from slowping.config import Config

    config = Config()
    try:
        file = where.config_file(config_file, os.environ)
        config = place.configured(file)
        if data is not None:
            config = msgspec.structs.replace(config, data=data)
        yield from findings.of_configuration(config, file)
        place.require_installed(config)
    except errors.ConfigError as error:
        yield wrong("configuration", str(error))
    yield from _look_at_tls(config)
    folder = place.folder(data, config)
    if not place.has_database(folder):
        yield wrong("database", f"There is none in {folder}. Say where it is with --data.")
        return
    yield from _look_at_folder(folder, config)
    yield from _look_at_database(folder, thorough=thorough)


def _look_at_tls(config: "Config") -> Iterator[Finding]:
    if config.server.is_in_clear:
        yield findings.of_openness(config.server.host)
    file = config.server.tls_certificate
    if file is None and config.server.tls_key is None:
        return
    from slowping.server import clock, serving

    try:
        certificate = serving.certificate_of(config, clock.SystemClock())
    except errors.ConfigError as error:
        yield wrong("TLS", str(error))
        return
    if file is not None and certificate is not None:
        yield findings.of_certificate(file, certificate.until, int(time.time() * 1000))


def _look_at_folder(folder: Path, config: "Config") -> Iterator[Finding]:
    from slowping.server.process import backups

    yield from findings.of_modes(folder, _modes(folder))
    yield _server(folder)
    usage = shutil.disk_usage(folder)
    marks = disk.marks(usage.total, config.disk.min_free_mb * _MEBIBYTE, 0)
    yield findings.of_disk(usage.total, usage.free, _size(folder), marks)
    old = [file.name for file in sorted(folder.glob(f"{place.database_name()}.*-*Z"))]
    yield from findings.of_old_ones(folder, old)
    last = backups.last(folder)
    yield findings.of_backup(None if last is None else last.at, dt.datetime.now(dt.UTC))


def _look_at_database(folder: Path, *, thorough: bool) -> Iterator[Finding]:
    began, passed = time.time(), time.monotonic()
    try:
        found = place.database_in(folder).examine(thorough=thorough)
    except errors.StoreUnusable as error:
        yield wrong("database", str(error))
        return
    now_ms = int(time.time() * 1000)
    yield from findings.of_database(found)
    yield from findings.of_channels(found.channels, found.held_providers, now_ms)
    try:
        yield from _look_at_keys(folder, found)
    except (errors.StoreUnusable, errors.ConfigError) as error:
        yield wrong("keys", str(error))
    drift_s = (time.time() - began) - (time.monotonic() - passed)
    yield from findings.of_clock(found, now_ms, drift_s)


def _look_at_keys(folder: Path, found: "Examination") -> Iterator[Finding]:
    sealed = sum(channel.sealed is not None for channel in found.channels)
    locked = place.locked_channels(folder, found.channels)
    yield findings.of_secret_key(locked, sealed, place.missing_secret_key(folder))
    admin_key = folder / where.ADMIN_KEY_FILE
    is_live = place.admin_key_is_live(folder, found.key_digests)
    yield from findings.of_admin_key(admin_key, is_there=admin_key.exists(), is_live=is_live)


def _modes(folder: Path) -> dict[str, int]:
    files = {file.name: file for file in sorted(folder.iterdir()) if file.is_file()}
    return {
        name: stat.S_IMODE(file.stat().st_mode) for name, file in {".": folder, **files}.items()
    }


def _size(folder: Path) -> int:
    """What the database takes, with its log."""
    names = (f"{place.database_name()}{suffix}" for suffix in ("", "-wal"))
    return sum((folder / name).stat().st_size for name in names if (folder / name).exists())


def _server(folder: Path) -> Finding:
    """Whether one runs, by the word that it left in the data folder."""
    try:
        address = where.find(None, None, folder, {}, ())
    except errors.Unreachable:
        return ok("server", "None runs on this data folder.")
    try:
        health = asyncio.run(_asked(address))
    except errors.Unavailable as error:
        return wrong("server", f"It runs at {address.server}, but: {error}")
    except errors.Unreachable:
        told = "and does not answer: it has crashed or hangs. See its log, and start it anew."
        return wrong("server", f"A server left word that it runs at {address.server}, {told}")
    except errors.SlowpingError as error:
        left = f"A server left word that it runs at {address.server}"
        return wrong("server", f"{left}, but: {error}")
    return ok("server", f"slowping {health.version} runs at {address.server}.")


async def _asked(address: where.Address) -> "Health":
    from slowping.client.client import Client

    async with Client(address.server, data=address.data, timeout_s=_PATIENCE_S) as client:
        return await client.health()

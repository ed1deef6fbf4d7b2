"""Decide what is right, what is worth a note, and what is wrong with a server's data."""

import datetime as dt
import enum
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from slowping.cli import output
from slowping.core import times
from slowping.core.disk import Marks

if TYPE_CHECKING:
    from slowping.config import Config
    from slowping.store.port.database import ChannelState, Examination, ProviderState

MEGABYTE: Final = 1_000_000
LONG_LOG: Final = 64 * MEGABYTE
LONG_WAIT_MS: Final = 3_600_000
OLD_BACKUP: Final = dt.timedelta(days=30)
SOON_MS: Final = 14 * 86_400_000
"""A certificate that ends within this should have been renewed by now."""
AHEAD_MS: Final = 60_000
STEP_S: Final = 0.05
_YEARS: Final = range(2026, 2094)
"""Before, this was not written; after, ids come to their end."""

_HIDDEN: Final = ("password", "secret", "token", "key")


class State(enum.StrEnum):
    """How good it is."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing has to be done at once."""
    WRONG = "wrong"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    about: str
    state: State
    told: str
    """In words, with what to do about it."""


def ok(about: str, told: str) -> Finding:
    """It is as it should be."""
    return Finding(about, State.OK, told)


def note(about: str, told: str) -> Finding:
    """It is worth knowing."""
    return Finding(about, State.NOTE, told)


def wrong(about: str, told: str) -> Finding:
    """Something has to be done."""
    return Finding(about, State.WRONG, told)


# The configuration ----------------------------------------------------------------------------


def of_configuration(config: "Config", file: Path | None) -> Iterator[Finding]:
    """From which file it is, and each option that is not at its default."""
    if file is None:
        yield ok(
            "configuration",
            "No file was given, and none is in its usual place. What a server has read that was "
            "started with one is seen with --config.",
        )
    else:
        yield ok("configuration", f"It is read from {file}.")
    changed = list(_changed("", config, type(config)()))
    if not changed:
        yield ok("configuration", "Every option is at its default.")
    for name, value, default in changed:
        yield ok("configuration", f"{name} is {value} (by default {default}).")


def _changed(prefix: str, given: Any, default: Any) -> Iterator[tuple[str, str, str]]:
    for field in msgspec.structs.fields(given):
        name = f"{prefix}{field.name}"
        value, usual = getattr(given, field.name), getattr(default, field.name)
        if isinstance(value, msgspec.Struct):
            yield from _changed(f"{name}.", value, usual)
        elif value != usual:
            yield name, _shown(name, value), _shown(name, usual)


def _shown(name: str, value: Any) -> str:
    if value and (name.endswith(_HIDDEN) or isinstance(value, dict)):
        return "set"  # what plug-ins are told may be secret as well
    if isinstance(value, Path):
        return str(value)
    return "not set" if value is None else msgspec.json.encode(value).decode()


# TLS ------------------------------------------------------------------------------------------


def of_openness(host: str) -> Finding:
    """What it means to listen there without TLS."""
    return note(
        "TLS",
        f"It listens on {host} without TLS, so that API keys can be read on the way. Set "
        "server.tls_certificate, or put a proxy with TLS in front and name it in "
        "server.trusted_proxies.",
    )


def of_certificate(file: Path, until: int, now_ms: int) -> Finding:
    """How long a certificate that fits its key is still good; moments are UTC milliseconds."""
    end = output.moment(times.to_datetime(until))
    if until < now_ms:
        return wrong("TLS", f"The certificate in {file} ended at {end}. Renew it.")
    left = output.brief(dt.timedelta(milliseconds=until - now_ms))
    if until < now_ms + SOON_MS:
        return note("TLS", f"The certificate in {file} ends in {left}, at {end}. Renew it.")
    return ok("TLS", f"The certificate in {file} fits its key, and ends in {left}, at {end}.")


# The data folder ------------------------------------------------------------------------------


def of_modes(folder: Path, modes: Mapping[str, int]) -> Iterator[Finding]:
    """Whether others may read what is in the data folder; `modes` are by name, `.` its own."""
    open_to_others = [
        name for name, mode in modes.items() if name != "." and mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    is_closed = not modes["."] & (stat.S_IRWXG | stat.S_IRWXO)
    for name in open_to_others:
        told = f"{folder / name} may be read by others. Run: chmod 600 {folder / name}"
        yield note("files", told) if is_closed else wrong("files", told)
    if not is_closed:
        told = f"{folder} may be looked into by others. Run: chmod 700 {folder}"
        yield wrong("files", told) if open_to_others else note("files", told)
    elif not open_to_others:
        yield ok("files", f"What is in {folder} is for its owner alone.")


def of_disk(total: int, free: int, size: int, marks: Marks) -> Finding:
    """Whether there is room, for events and for a copy."""
    told = f"{_mb(free)} of {_mb(total)} are free, and the database takes {_mb(size)}"
    if free < marks.low:
        return wrong("disk", f"{told}: no events are accepted below {_mb(marks.low)}.")
    if free - marks.low < size:
        return note("disk", f"{told}: a copy would not fit beside it.")
    return ok("disk", f"{told}.")


def of_old_ones(folder: Path, names: Sequence[str]) -> Iterator[Finding]:
    """Databases that a restore or a migration has kept."""
    for name in names:
        yield note("disk", f"{folder / name} is kept from before. Remove it if all is well.")


def of_backup(at: dt.datetime | None, now: dt.datetime) -> Finding:
    """Whether there is a copy to fall back on."""
    if at is None:
        return note("backup", "No copy is known of. Make one: slowping backup FILE")
    told = f"The newest copy is of {output.moment(at)}"
    return note("backup", f"{told}.") if now - at > OLD_BACKUP else ok("backup", f"{told}.")


# The database ---------------------------------------------------------------------------------


def of_database(found: "Examination") -> Iterator[Finding]:
    """Whether it is sound, and what it runs on."""
    looked = "every page and reference" if found.is_thorough else "a quick look; --full sees more"
    held = found.contents
    for damage in found.damage:
        told = f"It is damaged: {damage}. Stop the server, then run: slowping restore FILE"
        yield wrong("database", told)
    if not found.damage:
        events = output.counted(held.events, "event", "events")
        yield ok("database", f"It is sound ({looked}) and holds {events}.")
    if held.schema < found.newest_schema:
        newer = f"a server brings it to {found.newest_schema} when it starts"
        yield note("database", f"It has schema {held.schema}: {newer}.")
    for fault in found.faults:
        yield note("SQLite", f"{found.version} has a known fault: {fault}.")
    if not found.faults:
        yield ok("SQLite", f"{found.version} has no fault that is known to touch slowping.")
    log = f"The write-ahead log has {_mb(found.log_bytes)}"
    if found.log_bytes > LONG_LOG:
        yield note("log", f"{log}: much was written at once, or another program reads for long.")
    else:
        yield ok("log", f"{log}.")


def of_channels(
    channels: Sequence["ChannelState"], providers: Sequence["ProviderState"], now_ms: int
) -> Iterator[Finding]:
    """How the channels do, and those of the providers that are troubled."""
    waiting = 0
    for provider in providers:
        tried = _tried(provider.held_reason, provider.held_until)
        yield note("channels", f"{provider.scope} is troubled, and all its channels wait: {tried}")
    for channel in channels:
        waiting += channel.waiting
        yield from _of_channel(channel, now_ms)
    counted = output.counted(len(channels), "channel", "channels")
    yield ok(
        "channels", f"{counted}; {output.counted(waiting, 'delivery waits', 'deliveries wait')}."
    )


def _of_channel(channel: "ChannelState", now_ms: int) -> Iterator[Finding]:
    name = f"{channel.project}/{channel.name}"
    if channel.paused_at is not None:
        told = f"{name} is paused, and {channel.waiting} wait: {channel.paused_reason}"
        yield note("channels", told) if channel.paused_by_hand else wrong("channels", told)
    else:
        if channel.held_until is not None:
            tried = _tried(channel.held_reason, channel.held_until)
            yield note("channels", f"{name} is troubled, and {channel.waiting} wait: {tried}")
        age_ms = now_ms - (channel.oldest_waiting_at or now_ms)
        if age_ms > LONG_WAIT_MS:
            age = output.brief(dt.timedelta(milliseconds=age_ms))
            yield wrong("channels", f"{name} has {channel.waiting} waiting, one of them for {age}.")
    if channel.failed:
        failed = output.counted(channel.failed, "delivery has", "deliveries have")
        yield note("channels", f"{name}: {failed} failed. See why: slowping delivery groups")


def _tried(reason: str | None, until: int) -> str:
    at = output.moment(times.to_datetime(until))
    return f"{(reason or 'nobody said why').rstrip('.')}. One message tries it at {at}."


def of_secret_key(locked: Sequence[str], sealed: int, missing: Path | None) -> Finding:
    """Whether secrets can be opened; `missing` is where a key would be looked for last."""
    names = ", ".join(locked)
    if locked and missing is not None:
        return wrong(
            "keys",
            f"There is no key for the secrets of {names}: {missing} is missing. Put it back; or, "
            "if the server has its key from a credential or a variable, check with that.",
        )
    if locked:
        return wrong("keys", f"The key does not open the secrets of {names}. Put the old one back.")
    opened = output.counted(sealed, "channel", "channels")
    return ok("keys", f"The key opens all secrets ({opened} with some).")


def of_admin_key(file: Path, *, is_there: bool, is_live: bool) -> Iterator[Finding]:
    """Whether commands on this machine find an admin key in their file."""
    if not is_live:
        what = f"{file} holds no live admin key" if is_there else f"There is no {file}"
        yield note("keys", f"{what}: commands on this machine need --api-key.")


# The clock ------------------------------------------------------------------------------------


def of_clock(found: "Examination", now_ms: int, drift_s: float) -> Iterator[Finding]:
    """Whether the time of day can be relied on.

    `drift_s` is how much more of it passed during the check than really did.
    """
    moment = times.to_datetime(now_ms)
    good = True
    if moment.year not in _YEARS:
        good = False
        yield wrong("clock", f"It says {output.moment(moment)}. Set it.")
    if abs(drift_s) > STEP_S:
        good = False
        yield note("clock", f"It was set by {drift_s:+.2f} s during this check.")
    if found.last_journal_at is not None and found.last_journal_at > now_ms + AHEAD_MS:
        good = False
        last = output.moment(times.to_datetime(found.last_journal_at))
        yield wrong("clock", f"Something happened at {last}, which lies ahead: is it behind?")
    if found.clock_steps:
        largest = output.brief(dt.timedelta(milliseconds=found.largest_step_ms))
        steps = output.counted(found.clock_steps, "time", "times")
        yield note("clock", f"It was set back {steps} while the server ran, by up to {largest}.")
    elif good:
        yield ok("clock", f"It says {output.moment(moment)}, and was never set back.")


def _mb(size: int) -> str:
    return f"{size / MEGABYTE:,.1f} MB"

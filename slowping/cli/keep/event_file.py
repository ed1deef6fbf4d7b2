"""Write events into a file, a JSON object a line, and read such a file back."""

import asyncio
import datetime as dt
import os
from collections import defaultdict
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec
import rich_click as click

from slowping.cli import named, output, typed, where
from slowping.cli.keep import progress
from slowping.core import errors, event
from slowping.core.event import Imported, KeptEvent

if TYPE_CHECKING:
    from slowping.client.client import Client

_BATCH_BYTES: Final = 500_000
"""Of lines in one request; a server takes 1 MB unless it was told otherwise."""

_MOST_COMPLAINTS: Final = 20
"""Lines that are named; the others are counted."""

_PATIENCE: Final = 20
"""How often a server that has no time now is asked again."""

_decode: Final = msgspec.json.Decoder(KeptEvent).decode


@click.command("export")
@named.project_option
@click.option("--category", metavar="NAME", help="Only events of this category.")
@click.option("--since", type=typed.past, metavar="WHEN", help="A date, or a span such as 2h.")
@click.option("--until", type=typed.past, metavar="WHEN", help="A date, or a span such as 2h.")
@where.connected(where.ADMIN_KEY_FILE)
async def export_events(
    client: "Client",
    project: str | None,
    category: str | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
) -> None:
    """Print events as JSON, one a line, the newest first: send it to a file.

    `slowping event import` reads them back, into this server or another one.
    """
    from slowping.client.client import all_items

    count = 0
    which = {"project": project, "category": category, "since": since, "until": until}
    with progress.shown("Exporting", progress.Of.EVENTS) as report:
        async for found in all_items(client.list_events, **which):
            output.json_line(found)
            count += 1
            report(count, None)
    if not count:
        await named.require(client, project=project, category=category)
    output.talk(f"Exported {output.counted(count, 'event', 'events')}.")


@click.command("import")
@click.argument("file", type=click.File("rb"), metavar="FILE")
@click.option(
    "--project",
    metavar="PROJECT",
    help="Where all of them go; the project that each line names, unless this is given.",
)
@where.connected(where.ADMIN_KEY_FILE)
async def import_events(client: "Client", file: BinaryIO, project: str | None) -> None:
    """Import the events in FILE (- is standard input), as `slowping event export` prints them.

    They keep their ids and their times, and nobody is notified. What is there already stays as it
    is, so that the same file can be imported again. A line that is no event, or one from before
    2025, is named, and the others are imported; the exit code is 1 then.
    """
    importer = _Importer(client, project)
    size = _size(file)
    try:
        with progress.shown("Importing") as report:
            done = 0
            for number, line in enumerate(file, start=1):
                done += len(line)
                await importer.take(number, line)
                report(done, size)
            await importer.finish()
    finally:
        importer.tell_complaints()
    imported = output.counted(importer.imported, "event", "events")
    output.data(f"Imported {imported}; {importer.known} were there already.")
    if importer.bad:
        lines = output.counted(importer.bad, "line was", "lines were")
        raise errors.Refused(f"{lines} not imported. Mend them and import the file again.")


class _Importer:
    """Gathers lines into requests, one project in each."""

    def __init__(self, client: "Client", project: str | None) -> None:
        self._client = client
        self._project = project
        self._waiting: dict[str | None, list[tuple[int, KeptEvent]]] = defaultdict(list)
        self._bytes: dict[str | None, int] = defaultdict(int)
        self.imported = 0
        self.known = 0
        self.bad = 0
        self._complaints: list[tuple[int, str]] = []
        """Lines with what is wrong with them: the first ones, in their order."""

    async def take(self, number: int, line: bytes) -> None:
        """Take a line of the file, and send what is a request full by now."""
        line = line.removeprefix(b"\xef\xbb\xbf").strip()
        if not line:
            return
        try:
            kept = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._complain(number, str(error))
            return
        place = self._project or kept.project
        if self._bytes[place] + len(line) > _BATCH_BYTES:
            await self._send(place)
        self._waiting[place].append((number, msgspec.structs.replace(kept, project=place)))
        self._bytes[place] += len(line)
        if len(self._waiting[place]) == event.MAX_IMPORT:
            await self._send(place)

    async def finish(self) -> None:
        """Send what is left."""
        for place in list(self._waiting):
            await self._send(place)

    def tell_complaints(self) -> None:
        """Name the lines that were not imported."""
        for number, why in self._complaints:
            output.talk(f"Line {number}: {why}")

    async def _send(self, place: str | None) -> None:
        lines = self._waiting.pop(place, [])
        self._bytes.pop(place, None)
        if lines:
            await self._import(lines)

    async def _import(self, lines: list[tuple[int, KeptEvent]]) -> None:
        """Import some; where one of them is refused, the halves by themselves."""
        try:
            done = await self._ask([kept for _, kept in lines])
        except (errors.NotFound, errors.ForeignProject) as error:
            raise _NoPlace(lines[0][0], error) from error
        except (errors.InvalidInput, errors.InvalidJson, errors.TooLarge) as error:
            if len(lines) == 1:
                self._complain(lines[0][0], str(error))
                return
            half = len(lines) // 2
            await self._import(lines[:half])
            await self._import(lines[half:])
        else:
            self.imported += done.imported
            self.known += done.known

    async def _ask(self, kept: list[KeptEvent]) -> Imported:
        """Ask the server, and again where it has no time now."""
        for _ in range(_PATIENCE):
            try:
                return await self._client.import_events(kept)
            except (errors.RateLimited, errors.Unavailable) as busy:
                await asyncio.sleep(busy.retry_after_s)
        return await self._client.import_events(kept)

    def _complain(self, number: int, why: str) -> None:
        self.bad += 1
        # What a server refuses is known later than what cannot be read.
        self._complaints = sorted([*self._complaints, (number, why)])[:_MOST_COMPLAINTS]


class _NoPlace(errors.Refused):
    """A project that a line names is not there."""

    def __init__(self, number: int, why: Exception) -> None:
        super().__init__(
            f"Line {number}: {why} Create it, or say with --project where all of them go, and "
            "import the file again: what is there by then stays as it is."
        )


def _size(file: BinaryIO) -> int | None:
    """How many bytes there are to read; None of a pipe."""
    try:
        return os.fstat(file.fileno()).st_size or None
    except OSError:
        return None

"""What looks after the data folder while the server runs: its disk, and what is kept in it."""

import pathlib
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from slowping.config import Config
from slowping.core.project import DEFAULT
from slowping.server.clock import Clock
from slowping.server.ingest import Ingest
from slowping.server.owner import Owner
from slowping.server.process import disk
from slowping.server.process.caretaker import Caretaker
from slowping.server.process.disk import Disk, Usage
from slowping.server.process.pruning import Pruner
from slowping.server.roster import Roster
from slowping.server.tally import Tally
from slowping.store.port import Store


class Upkeep(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, of one server."""

    disk: Disk
    pruner: Pruner
    caretaker: Caretaker

    async def begin(self) -> None:
        """Know how much room there is before the first request comes."""
        await self.disk.look()

    def chores(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """What goes on for ever."""
        return (self.disk.keep_watch(), self.caretaker.keep_house())


def arrange(  # noqa: PLR0913 - the parts of the engine, wired in one place only
    config: Config,
    folder: pathlib.Path,
    store: Store,
    clock: Clock,
    *,
    roster: Roster,
    ingest: Ingest,
    owner: Owner,
    tally: Tally,
    usage: Callable[[pathlib.Path], Usage],
) -> Upkeep:
    """Wire it; what it has to say goes to the first project."""

    async def tell_owner(text: str) -> bool:
        home = roster.project(DEFAULT) or next(iter(roster.projects()), None)
        return home is not None and await owner.warn(home.id, text)

    watch = Disk(
        folder,
        store.retention,
        clock,
        min_free=config.disk.min_free_mb * disk.MEBIBYTE,
        ballast=config.disk.ballast_mb * disk.MEBIBYTE,
        refuse=ingest.refuse,
        tell_owner=tell_owner,
        usage=usage,
    )
    pruner = Pruner(store.retention, config.retention, clock, tally)
    caretaker = Caretaker(
        store.retention,
        store.journal,
        pruner,
        clock,
        most_bytes=lambda: watch.usage.total * config.retention.max_disk_percent // 100,
        tell_owner=tell_owner,
    )
    return Upkeep(disk=watch, pruner=pruner, caretaker=caretaker)

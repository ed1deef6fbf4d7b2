"""What may be asked of a store so that it becomes smaller: what is old, and to let it go."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from slowping.core.retention import ProjectStock, Sweep


class Portion(msgspec.Struct, frozen=True, kw_only=True):
    """What one step of a sweep has found or removed."""

    number: int = 0
    deliveries: int = 0
    """That went with the events."""
    bytes: int = 0
    last: int | None = None
    """The id after which it goes on; None where there is no more."""


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """What the database takes of the disk, in bytes."""

    used: int
    """By what is in it."""
    free: int
    """In its file, for what comes, or to be given back."""
    log: int
    """By the write-ahead log beside it."""

    @property
    def spare(self) -> int:
        """What is more than a tenth of the file: what comes next would ask for the rest again."""
        return self.free - (self.used + self.free) // 10


class Retention(Protocol):
    """How the store becomes smaller. Every deed is a step that holds nobody up."""

    async def stocks(self) -> Sequence[ProjectStock]:
        """Every project with its categories that have events, the removed ones among them."""
        ...

    async def edge(self, project_id: int, category_id: int | None, room: int) -> int | None:
        """The id before which events go so that the rest has `room` bytes; None where all have."""
        ...

    async def count(self, sweep: Sweep, *, after: int = 0) -> Portion:
        """How much a step would remove."""
        ...

    async def remove(self, sweep: Sweep, *, after: int = 0) -> Portion:
        """Remove some of what a sweep is about.

        An event stays as long as a delivery of it is pending or on its way, and the journal's
        lines stay until they are counted.
        """
        ...

    async def thin_figures(self, *, before: int) -> bool:
        """Forget some of the figures by hours and quarter-hours before a moment; whether of more.

        Those of days stay, and of all that ever was.
        """
        ...

    async def space(self) -> Space:
        """What the database takes of the disk."""
        ...

    async def newest_at(self) -> int | None:
        """When the last thing happened, in UTC milliseconds; None where nothing ever did."""
        ...

    async def give_back(self) -> bool:
        """Give free pages of the file back to the disk; whether there are more."""
        ...

    async def fold(self) -> bool:
        """Fold the write-ahead log back into the file and empty it; whether that could be done.

        Readers that are in the middle of something keep it from being emptied.
        """
        ...

    async def try_writing(self) -> None:
        """Write something that means nothing.

        Raises:
            Unavailable: the database cannot be written now.
        """
        ...

    def note_well(self) -> None:
        """Log that it can be written again, where the log has it that it could not.

        Who watches says so after a while without failures, as only he knows how long a while is.
        """
        ...

    @property
    def trouble(self) -> str | None:
        """Why the last thing that was to be written was not; None where it was."""
        ...

    def is_in_place(self) -> bool:
        """Whether what is written goes into the file of the database's name; it blocks.

        It does not where that was replaced, moved or removed.

        Raises:
            OSError: it cannot be asked.
        """
        ...

    @property
    def failures(self) -> int:
        """How often something could not be written so far."""
        ...

"""What may be done to the secrets of all channels at once: seal them anew, or give them up."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from slowping.core.audit import Author


class Secrets(Protocol):
    """The sealed secrets of all live channels."""

    async def kinds_to_look_at(self, version: str) -> Sequence[str]:
        """Kinds of channels that have settings in the clear which `version` has not looked at.

        What is a secret may have been a plain setting in an earlier version.
        """
        ...

    async def seal_anew(
        self, names: Mapping[str, frozenset[str]] | None = None, *, version: str | None = None
    ) -> int:
        """Seal with the newest key whatever an older one has sealed, in one transaction.

        `names` are the secret settings of each kind that was looked at, by `version`: one that
        stands in the clear is sealed as well. Gives how many channels that were.

        Raises:
            StoreUnusable: a channel's secrets were sealed with none of the keys.
        """
        ...

    async def lost(self) -> Sequence[str]:
        """The names, as `project/channel`, of channels whose secrets none of the keys opens."""
        ...

    async def forget_lost(self, reason: str, *, now: int, by: Author) -> Sequence[str]:
        """Give up the secrets that none of the keys opens, and pause their channels.

        Gives the names of these, as `project/channel`, which the act tells in the same transaction.
        """
        ...

    async def key_source(self) -> str | None:
        """Where the newest key stood when a server last started, in words for a person."""
        ...

    async def note_key_source(self, source: str) -> None:
        """Keep where the newest key stands."""
        ...

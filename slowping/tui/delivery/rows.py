"""Keep the deliveries of one group, oldest first, as they come and go."""

from collections.abc import Iterable, Mapping
from typing import Final

from slowping.core import page
from slowping.core.delivery import Delivery
from slowping.tui.delivery.groups import GroupKey, key_of

PAGE: Final = page.MAX_LIMIT
"""So many deliveries of a group are loaded, the newest ones."""

MOST: Final = 2_000
"""No more are kept, however many join."""


class GroupRows:
    """The deliveries of one group that are known."""

    def __init__(self, key: GroupKey) -> None:
        self.key = key
        self.loaded = False
        """Whether a page was put in."""
        self.is_whole = False
        """Whether the page was all there was."""
        self._rows: dict[str, Delivery] = {}
        self._stay: set[str] = set()
        self._heard: dict[str, Delivery] | None = None
        """What changed while a page is being loaded; it is newer than the page."""

    @property
    def rows(self) -> Mapping[str, Delivery]:
        """By id, oldest first."""
        return self._rows

    @property
    def is_expecting(self) -> bool:
        """Whether a page is being loaded."""
        return self._heard is not None

    def expect(self) -> None:
        """A page is being loaded."""
        self._heard = {}

    def load(self, page: Iterable[Delivery], *, is_whole: bool) -> None:
        """Put a page in; what is not of the group is left out."""
        rows = {each.id: each for each in page if key_of(each) == self.key}
        rows |= {name: row for name, row in self._rows.items() if name in self._stay}
        self._rows = {name: rows[name] for name in sorted(rows)}
        self.loaded, self.is_whole = True, is_whole
        heard, self._heard = self._heard or {}, None
        for delivery in heard.values():
            self.take(delivery)

    def give_up(self) -> None:
        """The page could not be loaded."""
        self._heard = None

    def stay(self, delivery_ids: Iterable[str]) -> None:
        """Let these be seen on, wherever they go: somebody wants to see what comes of them."""
        self._stay = set(delivery_ids)

    def take(self, delivery: Delivery) -> None:
        """A delivery has changed; one that is not of the group any more goes."""
        if self._heard is not None:
            self._heard[delivery.id] = delivery
        if delivery.id in self._rows:
            if key_of(delivery) == self.key or delivery.id in self._stay:
                self._rows[delivery.id] = delivery
            else:
                del self._rows[delivery.id]
        elif key_of(delivery) == self.key:
            self._add(delivery)

    def let_go(self) -> None:
        """Nobody waits for anything any more: what has left the group goes."""
        self._stay = set()
        self._rows = {name: row for name, row in self._rows.items() if key_of(row) == self.key}

    def _add(self, delivery: Delivery) -> None:
        if len(self._rows) >= MOST:
            self.is_whole = False
            return
        last = next(reversed(self._rows), "")
        self._rows[delivery.id] = delivery
        if delivery.id < last:  # an old one has come back
            self._rows = {name: self._rows[name] for name in sorted(self._rows)}

"""Know which deliveries stand alike, and keep count of them as they move."""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Self

import msgspec

from slowping.core import page
from slowping.core.delivery import Delivery, DeliveryGroup, DeliveryState
from slowping.tui.sifting.standing import STANDINGS, Standing, standing_of

MOST_PLACES: Final = 20_000
"""Of so many deliveries it is remembered where they stood."""


_URGENCY: Final = tuple(Standing)


class View(enum.Enum):
    """Which deliveries are looked at."""

    FAILED = "failed"
    WAITING = "waiting"
    ALL = "all"

    @property
    def standings(self) -> tuple[Standing, ...]:
        """What is shown of it."""
        return _URGENCY if self is View.ALL else (Standing(self.value),)

    @property
    def loaded(self) -> tuple[Standing, ...]:
        """What is asked for: what may have to be acted on is counted in either view of it."""
        return _URGENCY if self is View.ALL else (Standing.FAILED, Standing.WAITING)

    @property
    def following(self) -> "View":
        """The next one."""
        every = tuple(View)
        return every[(every.index(self) + 1) % len(every)]


class GroupKey(msgspec.Struct, frozen=True, kw_only=True, order=False):
    """What deliveries of one group have in common."""

    project: str
    channel: str
    standing: Standing
    error: str | None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries that stand alike."""

    key: GroupKey
    kind: str
    count: int
    oldest_at: dt.datetime
    next_at: dt.datetime | None
    """When the first of them is tried next, as far as that is known."""

    @classmethod
    def told(cls, group: DeliveryGroup) -> Self:
        """As the server tells it."""
        return cls(
            key=GroupKey(
                project=group.project,
                channel=group.channel,
                standing=STANDINGS[group.state],
                error=group.last_error,
            ),
            kind=group.kind,
            count=group.count,
            oldest_at=group.oldest_at,
            next_at=group.next_at,
        )

    @classmethod
    def begun(cls, delivery: Delivery) -> Self:
        """With one delivery in it."""
        return cls(
            key=key_of(delivery),
            kind=delivery.kind,
            count=1,
            oldest_at=delivery.created_at,
            next_at=_next_at(delivery),
        )

    def joined(self, other: "Group") -> "Group":
        """Both together."""
        due = [moment for moment in (self.next_at, other.next_at) if moment is not None]
        return msgspec.structs.replace(
            self,
            count=self.count + other.count,
            oldest_at=min(self.oldest_at, other.oldest_at),
            next_at=min(due, default=None),
        )


def key_of(delivery: Delivery) -> GroupKey:
    """The group that a delivery is in."""
    return GroupKey(
        project=delivery.project,
        channel=delivery.channel,
        standing=standing_of(delivery),
        error=delivery.last_error,
    )


def states_of(standings: Iterable[Standing]) -> tuple[DeliveryState, ...]:
    """The states that are called so."""
    return tuple(state for standing in standings for state in standing.states)


class Groups:
    """Every group, as the server told of it and as it changed since.

    The count is right as long as it is known where each changed delivery stood before; to be
    sure, load them again now and then.
    """

    def __init__(self) -> None:
        self._groups: dict[GroupKey, Group] = {}
        self._loaded: frozenset[Standing] = frozenset()
        self.is_cut = False
        """Whether the server has more groups than it tells at once."""
        self._places: dict[str, GroupKey] = {}
        """Where deliveries stood last, the ones heard of last at the end."""

    def load(self, told: Sequence[DeliveryGroup], standings: Sequence[Standing]) -> None:
        """All groups of these standings, in place of what is here."""
        self._groups, self._loaded = {}, frozenset(standings)
        self.is_cut = len(told) >= page.MAX_LIMIT
        for group in map(Group.told, told):
            self._put(group)

    def has(self, view: View) -> bool:
        """Whether what the view shows was loaded."""
        return self._loaded.issuperset(view.standings)

    def know(self, deliveries: Iterable[Delivery]) -> None:
        """These stand so, and are counted already."""
        for delivery in deliveries:
            self._place(delivery.id, key_of(delivery))

    def take(self, delivery: Delivery) -> None:
        """A delivery has changed."""
        key, before = key_of(delivery), self._places.get(delivery.id)
        if key == before:
            return
        if before is not None:
            self._leave(before)
        if key.standing in self._loaded:
            self._put(Group.begun(delivery))
            self._place(delivery.id, key)
        else:
            self._places.pop(delivery.id, None)

    def get(self, key: GroupKey) -> Group | None:
        """The group of this key, if it has anything in it."""
        return self._groups.get(key)

    def shown(self, view: View) -> list[Group]:
        """The groups of a view: what somebody has to look at first, and of that the oldest."""
        wanted = frozenset(view.standings)
        found = [group for group in self._groups.values() if group.key.standing in wanted]
        return sorted(found, key=_order)

    @property
    def backlog(self) -> tuple[int, int] | None:
        """How many wait, and how many have failed; None where not all of them are known."""
        if self.is_cut or not self._loaded:
            return None
        totals = self.totals()
        return totals[Standing.WAITING], totals[Standing.FAILED]

    def totals(self) -> Mapping[Standing, int]:
        """How many deliveries stand how."""
        counted = dict.fromkeys(self._loaded, 0)
        for group in self._groups.values():
            counted[group.key.standing] += group.count
        return counted

    def _put(self, group: Group) -> None:
        before = self._groups.get(group.key)
        self._groups[group.key] = group if before is None else before.joined(group)

    def _leave(self, key: GroupKey) -> None:
        group = self._groups.get(key)
        if group is None:
            return
        if group.count > 1:
            self._groups[key] = msgspec.structs.replace(group, count=group.count - 1)
        else:
            del self._groups[key]

    def _place(self, delivery_id: str, key: GroupKey) -> None:
        self._places.pop(delivery_id, None)
        self._places[delivery_id] = key
        while len(self._places) > MOST_PLACES:
            del self._places[next(iter(self._places))]


def _next_at(delivery: Delivery) -> dt.datetime | None:
    return delivery.due_at if delivery.state is DeliveryState.PENDING else None


def _order(group: Group) -> tuple[int, dt.datetime, str, str, str]:
    key = group.key
    return (
        _URGENCY.index(key.standing), group.oldest_at, key.project, key.channel, key.error or "",
    )  # fmt: skip

"""Decide what an act on deliveries is about, what stands in its way, and in which steps it goes."""

import enum
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from slowping.core.channel import Channel
from slowping.core.delivery import Delivery, DeliveryState
from slowping.core.page import Page
from slowping.tui.delivery.groups import Group, GroupKey, key_of
from slowping.tui.sifting.query import Query
from slowping.tui.sifting.standing import Standing, standing_of

STEP: Final = 500
"""So many are moved at once: few enough to be stopped between, and to see it go on."""


class Verb(enum.Enum):
    """What is done with deliveries: the word for it, while it is done, when it is done."""

    RETRY = ("Retry", "Retrying", "Retried")
    DISCARD = ("Discard", "Discarding", "Discarded")

    def __init__(self, word: str, doing: str, done: str) -> None:
        self.word = word
        self.doing = doing
        self.done = done


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """An act on one delivery or on many: those that are named, and all of some groups."""

    verb: Verb
    deliveries: tuple[Delivery, ...] = ()
    groups: tuple[GroupKey, ...] = ()
    sought: Query = Query()
    """Of the groups only what this lets through."""
    number: int
    """How many they are, or, where some cannot be known before they are looked at, how many of
    them are known."""
    is_exact: bool = True

    @property
    def counted(self) -> str:
        """How many, in words."""
        if self.number == 1 and self.is_exact:
            return "1 delivery"
        return f"{self.number:,}{'' if self.is_exact else ' or more'} deliveries"


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What an act depends on beside the delivery itself."""

    channels: Mapping[tuple[str, str], Channel]
    """By project and name."""
    is_whole: bool
    """Whether these are all channels there are."""

    def channel(self, project: str, name: str) -> Channel | None:
        """The channel of that name, if there is one now."""
        return self.channels.get((project, name))

    def is_paused(self, project: str, name: str) -> bool:
        """Whether nothing is sent to it now."""
        channel = self.channel(project, name)
        return channel is not None and channel.paused_at is not None

    def is_gone(self, project: str, name: str) -> bool:
        """Whether it is known that there is no such channel any more."""
        return self.is_whole and (project, name) not in self.channels


def obstacle(verb: Verb, key: GroupKey, state: DeliveryState | None, scene: Scene) -> str | None:
    """Why deliveries of a group cannot be retried or discarded; None where they can.

    `state` is the one of the one that is meant; None means the whole group.
    """
    if state is DeliveryState.LEASED:
        return "it is being sent right now."
    if key.standing is Standing.DELIVERED:
        if verb is Verb.RETRY:
            return "it has arrived; w sends the events of a time window once more."
        return "it has arrived."
    if verb is Verb.DISCARD:
        return "it is discarded already." if key.standing is Standing.DISCARDED else None
    if scene.is_gone(key.project, key.channel):
        return "its channel was removed."
    if key.standing is Standing.WAITING and scene.is_paused(key.project, key.channel):
        return "its channel is paused; what waits goes out once that is resumed."
    return None


def of_deliveries(verb: Verb, found: Iterable[Delivery], scene: Scene) -> Errand:
    """The act on those of them on which it is possible."""
    fit = [each for each in found if not obstacle(verb, key_of(each), each.state, scene)]
    oldest_first = tuple(sorted(fit, key=lambda delivery: delivery.id))
    return Errand(verb=verb, deliveries=oldest_first, number=len(fit))


def of_groups(verb: Verb, found: Iterable[Group], scene: Scene) -> Errand:
    """The act on all in those of the groups on which it is possible."""
    fit = [group for group in found if not obstacle(verb, group.key, None, scene)]
    return Errand(
        verb=verb,
        groups=tuple(group.key for group in fit),
        number=sum(group.count for group in fit),
    )


List = Callable[..., Awaitable[Page[Delivery]]]
"""The client's way to list deliveries."""


async def batches(
    errand: Errand, list_deliveries: List
) -> AsyncGenerator[Sequence[Delivery], None]:
    """What the act is about, in steps; each delivery once, whatever becomes of it meanwhile."""
    for start in range(0, len(errand.deliveries), STEP):
        yield errand.deliveries[start : start + STEP]
    seen: set[str] = set()
    for key in errand.groups:
        # The cursor leads to ever older ones: what comes back to the group is not met again.
        cursor: str | None = None
        while True:
            page = await list_deliveries(
                project=key.project,
                channel=key.channel,
                states=key.standing.states,
                error=key.error,
                limit=STEP,
                cursor=cursor,
            )
            found = [
                each
                for each in page.items
                # Without an error the server has no word for the group: it gives some too many.
                if key_of(each) == key and errand.sought.fits(facts(each)) and each.id not in seen
            ]
            seen.update(each.id for each in found)  # it may be in another group by now
            if found:
                yield found
            cursor = page.cursor
            if cursor is None:
                break


def facts(delivery: Delivery) -> dict[str, str]:
    """What a filter looks at."""
    return {
        "project": delivery.project,
        "category": delivery.category,
        "channel": delivery.channel,
        "kind": delivery.kind,
        "state": standing_of(delivery).value,
        "error": delivery.last_error or "",
        "reference": delivery.reference or "",
        "id": delivery.id,
        "event": delivery.event_id,
    }


def group_facts(group: Group) -> dict[str, str]:
    """What a filter looks at of a group."""
    key = group.key
    return {
        "project": key.project,
        "channel": key.channel,
        "kind": group.kind,
        "state": key.standing.value,
        "error": key.error or "",
    }

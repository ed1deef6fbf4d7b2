"""A scripted server's deliveries: listed, grouped, retried and discarded as the real one does."""

import collections
import datetime as dt
from collections.abc import Callable, Iterable, Sequence

import httpx
import msgspec

from slowping.core import ids
from slowping.core.channel import Channel, ChannelKind
from slowping.core.delivery import (
    Delivery,
    DeliveryDetail,
    DeliveryGroup,
    DeliverySelection,
    DeliveryState,
    Moved,
)
from slowping.core.page import Page
from tests.tui.delivery.samples import channel, moved
from tests.tui.driver import ScriptedServer, attempt, category, event, moment

OPEN = (DeliveryState.FAILED, DeliveryState.PENDING, DeliveryState.LEASED)


class Outbox:
    """What the server knows of deliveries; change it, then let the feed tell of it."""

    def __init__(self, server: ScriptedServer, *deliveries: Delivery) -> None:
        self.server = server
        self.deliveries = {each.id: each for each in deliveries}
        self.channels: dict[str, Channel] = {
            name: channel(name) for name in sorted({each.channel for each in deliveries})
        }
        self.page = 1_000
        """Most that are listed at once."""
        self.moves: list[tuple[str, ...]] = []
        """The ids of every retry or discard of many."""
        kinds = (
            ChannelKind(kind=kind, summary="", settings={}, retry_delays=(1.0,) * 7)
            for kind in ("webhook", "email")
        )
        server.categories = [category("sale", "💰"), category("bug", "🐛")]
        server.answers |= {
            "GET /deliveries/groups": self._groups,
            "GET /deliveries": self._list,
            "GET /channels": lambda _: Page(items=tuple(self.channels.values())),
            "GET /channel-kinds": Page(items=tuple(kinds)),
            "POST /deliveries/retry": lambda request: self._move(request, self._retried),
            "POST /deliveries/discard": lambda request: self._move(request, self._discarded),
        }
        for name in self.deliveries:
            self._serve(name)

    def become(self, *changed: Delivery) -> tuple[Delivery, ...]:
        """These stand so from now on."""
        for each in changed:
            self.deliveries[each.id] = each
            self._serve(each.id)
        return changed

    def delivered(self, *delivery_ids: str) -> tuple[Delivery, ...]:
        """These arrive."""
        return self.become(
            *(
                moved(
                    one, DeliveryState.DELIVERED, attempts=one.attempts + 1, last_error=None,
                    reference="ref-1",
                )
                for one in map(self.deliveries.__getitem__, delivery_ids)
            )
        )  # fmt: skip

    def failed_again(self, *delivery_ids: str) -> tuple[Delivery, ...]:
        """These do not."""
        return self.become(
            *(
                moved(one, DeliveryState.FAILED, attempts=one.attempts + 1)
                for one in map(self.deliveries.__getitem__, delivery_ids)
            )
        )

    def tell_of(self, one: Delivery, *reasons: str) -> None:
        """The event of a delivery, with so many attempts that failed."""
        number = ids.decode(ids.EVENT, one.event_id)
        others = [each for each in self.server.events if each.id != one.event_id]
        self.server.events = [*others, event(number, description=f"What happened {number}")]
        tries = tuple(
            attempt(no, "retry", 503, reason, "upstream busy")  # type: ignore[arg-type]
            for no, reason in enumerate(reasons, 1)
        )
        detail = DeliveryDetail(delivery=one, attempts=tries)
        self.server.deliveries[one.event_id] = (detail,)

    def _serve(self, name: str) -> None:
        self.server.answers |= {
            f"GET /deliveries/{name}": lambda _: DeliveryDetail(
                delivery=self.deliveries[name], attempts=()
            ),
            f"POST /deliveries/{name}/retry": lambda _: self._one(self._retried, name),
            f"POST /deliveries/{name}/discard": lambda _: self._one(self._discarded, name),
        }

    def _one(self, act: Callable[[Delivery], Delivery], name: str) -> Delivery:
        [changed] = self.become(act(self.deliveries[name]))
        return changed

    def _retried(self, one: Delivery) -> Delivery:
        return moved(one, DeliveryState.PENDING, due_at=moment(0), tries=0)

    def _discarded(self, one: Delivery) -> Delivery:
        return moved(one, DeliveryState.DISCARDED)

    def _move(
        self,
        request: httpx.Request,
        act: Callable[[Delivery], Delivery],
    ) -> Moved:
        asked = msgspec.json.decode(request.content, type=DeliverySelection)
        self.moves.append(asked.ids or ())
        fit = [self.deliveries[name] for name in asked.ids or ()]
        found = [each for each in fit if not asked.states or each.state in asked.states]
        self.become(*map(act, found))
        return Moved(moved=len(found))

    def _list(self, request: httpx.Request) -> Page[Delivery]:
        query = request.url.params
        error, states = query.get("error"), query.get_list("state")
        found = [
            each
            for name, each in sorted(self.deliveries.items(), reverse=True)
            if ("cursor" not in query or name < query["cursor"])
            and each.state in (states or tuple(DeliveryState))
            and each.channel == query.get("channel", each.channel)
            and each.event_id == query.get("event", each.event_id)
            and error in {None, each.last_error}
        ]
        limit = min(self.page, int(query["limit"]))
        page = tuple(found[:limit])
        return Page(items=page, cursor=page[-1].id if len(found) > limit else None)

    def _groups(self, request: httpx.Request) -> Page[DeliveryGroup]:
        states = request.url.params.get_list("state") or OPEN
        alike: dict[tuple[str, ...], list[Delivery]] = collections.defaultdict(list)
        for each in self.deliveries.values():
            if each.state in states:
                alike[each.project, each.channel, each.state, each.last_error or ""].append(each)
        return Page(items=tuple(map(_group, alike.values())))


def _group(alike: Sequence[Delivery]) -> DeliveryGroup:
    one = alike[0]
    waiting = one.state is DeliveryState.PENDING
    return DeliveryGroup(
        project=one.project,
        channel=one.channel,
        kind=one.kind,
        state=one.state,
        last_error=one.last_error,
        count=len(alike),
        oldest_at=min(each.created_at for each in alike),
        newest_at=max(each.created_at for each in alike),
        next_at=_first(each.due_at for each in alike) if waiting else None,
    )


def _first(moments: Iterable[dt.datetime | None]) -> dt.datetime | None:
    return min((each for each in moments if each is not None), default=None)

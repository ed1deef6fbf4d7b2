"""A real server in which every text that it keeps is hostile: by its doors, and past them.

What comes by the doors is what senders, far sides and administrators may do. Past them, straight
through the store's ports, goes what no door lets in, so that nothing relies on the doors.
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Coroutine, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from slowping.client.client import Client
from slowping.config import (
    Config,
    DiscordSection,
    LimitsSection,
    NotifiersSection,
    ServerSection,
    WebhookSection,
)
from slowping.core import ids
from slowping.core.api_key import ApiKeyKind, NewApiKey, Scope
from slowping.core.category import NewCategory
from slowping.core.channel import NewChannel
from slowping.core.delivery import AttemptOutcome, AttemptRecord, DeliveryState, Settlement
from slowping.core.event import NewEvent
from slowping.core.project import NewProject
from slowping.store.port import (
    ApiKeyRecord,
    ApiKeyUse,
    ChannelRecord,
    DeliveryRow,
    Entry,
    EventRow,
    Store,
)
from tests.acceptance.eventually import eventually
from tests.acceptance.hostile.strings import EVERY, REFUSED, WORST, Hostile
from tests.conftest import RunningHouse, running_house
from tests.notifiers.far_side import Behaviour, FarSide, reply

SHOP: Final = "shop"
"""What came by the doors."""
BENEATH: Final = "beneath"
"""What no door would have let in."""


class Haunted(msgspec.Struct, kw_only=True):
    """The server, and what stands at its channels' ends."""

    house: RunningHouse
    client: Client
    webhook: FarSide
    discord: FarSide

    @property
    def environ(self) -> dict[str, str]:
        """What tells a command of ours where the server is."""
        return {
            "SLOWPING_SERVER": self.house.base_url,
            "SLOWPING_API_KEY": self.house.admin_key,
        }

    async def marked(self, path: str, mark: str = WORST.mark) -> str:
        """The id of the one below this path that has the mark; the worst holds all of them."""
        headers = {"authorization": f"Bearer {self.house.admin_key}"}
        query = {"limit": 1_000} | ({} if path == "projects" else {"project": BENEATH})
        answer = await self.house.client.get(f"/slowping/v1/{path}", params=query, headers=headers)
        found = [one["id"] for one in answer.json()["items"] if f"'{mark}|" in str(one)]
        return str(found[0])

    async def post(self, path: str, body: Any, **headers: str) -> int:
        """Send as a client of a dialect does; answers with the status."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        answer = await self.house.client.post(
            path, content=content, headers=[(b"content-type", b"application/json"), *given]
        )
        return answer.status_code


@contextlib.asynccontextmanager
async def haunted(folder: Path) -> AsyncIterator[Haunted]:
    """Run it until the block ends."""
    webhook, discord = FarSide(*_answers()), FarSide(*_refusals())
    async with contextlib.AsyncExitStack() as stack:
        for far_side in (webhook, discord):
            await stack.enter_async_context(far_side.running())
        notifiers = NotifiersSection(
            discord=DiscordSection(api_base=discord.url),
            webhook=WebhookSection(allow_networks=("127.0.0.0/8",), allow_http=True),
        )
        config = Config(
            server=ServerSection(trusted_proxies=("127.0.0.0/8",)),
            limits=LimitsSection(rate_limit=0),
            notifiers=notifiers,
        )
        house = await stack.enter_async_context(running_house(folder, config))
        client = await stack.enter_async_context(Client(house.base_url, house.admin_key))
        opened = Haunted(house=house, client=client, webhook=webhook, discord=discord)
        await _furnish(opened)
        await come_by_the_doors(opened)
        await _come_from_beneath(opened)
        await eventually(lambda: _is_quiet(opened))
        yield opened


async def _is_quiet(haunted: Haunted) -> bool:
    """Whether every delivery of the shop was tried."""
    groups = await haunted.client.group_deliveries(
        project=SHOP, states=(DeliveryState.PENDING, DeliveryState.LEASED)
    )
    return all(group.last_error is not None for group in groups)


# By the doors --------------------------------------------------------------------------------


async def _furnish(haunted: Haunted) -> None:
    client = haunted.client
    await client.create_project(NewProject(name=SHOP))
    settings = {"url": f"{haunted.webhook.url}/in"}
    await client.create_channel(
        NewChannel(kind="webhook", name="front", project=SHOP, settings=settings)
    )
    await client.create_category(NewCategory(name="sale", project=SHOP, emoji="💰"))


async def come_by_the_doors(haunted: Haunted) -> None:
    """Send each by every door that a sender has."""
    issued = await haunted.client.issue_api_key(NewApiKey(name="sender", project=SHOP))
    await send_each(haunted)
    await _together(_come(haunted, issued.value, one) for one in EVERY)
    for refused in REFUSED:
        body = b'{"category":"sale","description":%s}' % refused
        headers = {"authorization": f"Bearer {issued.value}"}
        assert await haunted.post("/slowping/v1/events", body, **headers) == 400


async def _come(haunted: Haunted, key: str, one: Hostile) -> None:
    assert await _intake(haunted, key, one) in (200, 400)
    assert await _slowstats(haunted, key, one) == 200


async def send_each(haunted: Haunted) -> None:
    """Send each as our own client does."""
    events = [
        NewEvent(
            category="sale",
            project=SHOP,
            description=one.marked,
            source=one.text[:200],
            fields={one.text: one.text, "nested": {one.text: [one.text]}},
        )
        for one in EVERY
    ]
    await haunted.client.send_events(events)


async def _intake(haunted: Haunted, key: str, one: Hostile) -> int:
    """Event Intake makes a category of whatever name may be one."""
    return await haunted.post(
        "/v1/events",
        {
            "event_type": one.marked[:100],
            "occurred_at": "2026-11-20T10:30:00Z",
            "idempotency_key": secrets.token_hex(8),
            "data": {one.text: one.marked, "amount": 1},
        },
        authorization=f"Bearer {key}",
    )


async def _slowstats(haunted: Haunted, key: str, one: Hostile) -> int:
    """SlowStats names a destination of its own, with words of its own; and says who it is."""
    return await haunted.post(
        "/api/slowstats/ingest-events",
        {
            "projectId": SHOP,
            "eventType": "elsewhere",
            "description": one.marked,
            "payload": {one.text: one.text},
            "discordWebhook": {
                "url": "https://discord.com/api/webhooks/123456789012345678/abc-DEF_456",
                "title": one.marked,
                "description": one.text,
            },
        },
        **{"x-api-key": key, "x-forwarded-for": f"fe80::1%{_header(one.text)}"},
    )


def _answers() -> list[Behaviour]:
    """A webhook that refuses each in its words, some for a while.

    These are too few for its breaker to open.
    """
    return [
        reply(
            400 if number % 8 else 500,
            one.marked.encode(),
            {"retry-after": f"60 {_header(one.text)}", "x-said": _header(one.text)},
        )
        for number, one in enumerate(EVERY)
    ]


def _refusals() -> list[Behaviour]:
    """A Discord that gives each as the reason; what comes in one message fails for one reason."""
    return [reply(400, {"message": one.marked, "code": 50035}) for one in EVERY]


def _header(text: str) -> str:
    """As much of a text as can stand in a header: C1 can."""
    may = (letter for letter in text if "\x7f" < letter <= "\xff" or " " <= letter < "\x7f")
    return "".join(may).strip()


# Past them -----------------------------------------------------------------------------------


async def _come_from_beneath(haunted: Haunted) -> None:
    """Give each, and all in one, a project, category, channel, key, event and failed delivery."""
    house, store = haunted.house, haunted.house.store
    await house.project(BENEATH)
    project_id, now = await house.number(BENEATH), house.world.clock.now_ms()
    each = (
        _Beneath(store, project_id, now, number, one) for number, one in enumerate((*EVERY, WORST))
    )
    await _together(one.come() for one in each)
    await house.house.roster.renew()
    await house.house.roster.renew_api_keys()


class _Beneath:
    """Writes all that there can be of one of them."""

    def __init__(self, store: Store, project_id: int, now: int, number: int, one: Hostile) -> None:
        self._store = store
        self._project_id = project_id
        self._now = now
        self._one = one
        # An hour ago, so that none of the server's own ids is the same.
        self._id = ids.floor(now - 3_600_000) + number

    async def come(self) -> None:
        """Write it."""
        one, directory = self._one, self._store.directory
        await directory.create_project(
            NewProject(name=one.marked, allowed_origins=(one.text,)), now=self._now
        )
        channel_id = await self._channel()
        category = await directory.create_category(
            self._project_id,
            # SQLite finds no name with a nought in it.
            NewCategory(
                name=one.marked,
                emoji=one.text[:32] or "-",
                channels=() if "\0" in one.text else (one.marked,),
            ),
            now=self._now,
        )
        await self._key()
        await self._event(ids.decode(ids.CATEGORY, category.id), channel_id)
        await self._fail(channel_id)

    async def _channel(self) -> int:
        text = self._one.text
        record = ChannelRecord(
            name=self._one.marked, kind="webhook", secrets={},
            settings={"url": text, text: text, "list": [text, {text: text}]},
        )  # fmt: skip
        directory = self._store.directory
        made = await directory.create_channel(self._project_id, record, now=self._now)
        number = ids.decode(ids.CHANNEL, made.id)
        await directory.pause_channel(number, self._one.marked, now=self._now)
        return number

    async def _key(self) -> None:
        record = ApiKeyRecord(
            name=self._one.marked, digest=secrets.token_bytes(32), prefix=self._one.text[:20],
            kind=ApiKeyKind.SECRET, scopes=(Scope.INGEST,), home_project_id=self._project_id,
            rate_limit=0, origins=(self._one.text,),
        )  # fmt: skip
        made = await self._store.directory.create_api_key(record, now=self._now)
        use = ApiKeyUse(at=self._now, address=self._one.marked)
        await self._store.directory.touch_api_keys({ids.decode(ids.API_KEY, made.id): use})

    async def _event(self, category_id: int, channel_id: int) -> None:
        one = self._one
        each = EVERY if one is WORST else (one,)
        fields = json.dumps(
            {one.marked: 1.5, "deep": [{one.text: one.text}]}
            | {one.text: one.marked for one in each}
        )
        event = EventRow(
            self._id, self._project_id, category_id, None, one.marked, one.text, one.marked, None,
            fields, None, self._now, True, len(fields),
        )  # fmt: skip
        delivery = DeliveryRow(
            self._id, self._id, self._project_id, channel_id, self._now, None,
            json.dumps({"title": one.text}),
        )  # fmt: skip
        entry = Entry(
            project_id=self._project_id, month=None, received_at=self._now, events=(event,),
            deliveries=(delivery,),
        )  # fmt: skip
        await self._store.inbox.accept(entry)

    async def _fail(self, channel_id: int) -> None:
        attempt = AttemptRecord(
            started_at=self._now, duration_ms=5, outcome=AttemptOutcome.REJECTED, status=400,
            reason=self._one.marked, excerpt=self._one.text,
        )  # fmt: skip
        settlement = Settlement(
            delivery_id=self._id, state=DeliveryState.FAILED, attempt=attempt,
            last_error=self._one.marked, reference=self._one.text,
        )  # fmt: skip
        await self._store.outbox.lease(
            channel_id, now=self._now, until=self._now + 60_000, owner="test", limit=1
        )
        await self._store.outbox.settle(channel_id, [settlement], now=self._now)


async def _together(tasks: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Wait for all of them, a few dozen at a time."""
    limit = asyncio.Semaphore(40)

    async def one_by_one(task: Coroutine[Any, Any, None]) -> None:
        async with limit:
            await task

    await asyncio.gather(*map(one_by_one, tasks))

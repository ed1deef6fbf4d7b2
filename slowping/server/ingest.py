"""Accept drafts: the single way in, for both doors."""

import contextlib
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from slowping.core import category, errors, ids, times
from slowping.core.api_key import Principal
from slowping.core.category import NewCategory
from slowping.core.event import AdHocTarget, EventDraft, Receipt
from slowping.core.ids import IdSource
from slowping.server.roster import ADDRESS, Roster, Tenant
from slowping.server.tally import Tally
from slowping.store.port import (
    ChannelRecord,
    DeliveryRow,
    Directory,
    Entry,
    EventRow,
    Idempotency,
    Inbox,
)

RETRY_AFTER_S: Final = 30
"""While nothing can be accepted: a disk takes a while to be cleared."""

_encode: Final = msgspec.json.Encoder().encode
_encode_sorted: Final = msgspec.json.Encoder(order="deterministic").encode


class Submission(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a door asks for: drafts, from whom, for which project, in which dialect's name."""

    drafts: Sequence[EventDraft]
    principal: Principal | None
    """None where slowping itself has something to say, which counts in no month."""
    project_id: int
    dialect: str
    create_categories: bool
    idempotency_key: str | None = None
    strict_key: bool = True
    """Whether a key that comes again with other drafts is an error."""
    skip_channels: Collection[int] = ()
    """Channels that are not to be told."""
    has_quota: bool = False
    """Whether the project's monthly quota applies."""


class Ingest:
    """Turns drafts into events and deliveries, and answers once they are on the disk."""

    def __init__(  # noqa: PLR0913 - the parts of the engine, wired in one place only
        self,
        inbox: Inbox,
        directory: Directory,
        roster: Roster,
        ids: IdSource,
        *,
        now_ms: Callable[[], int],
        wake: Callable[[Iterable[int]], None],
        forget: Callable[[int], None],
        tally: Tally,
    ) -> None:
        """`wake` is told which channels have something to send, `forget` of changed ones."""
        self._inbox = inbox
        self._directory = directory
        self._roster = roster
        self._ids = ids
        self._now_ms = now_ms
        self._wake = wake
        self._forget = forget
        self._tally = tally
        self._refusing: str | None = None

    def refuse(self, reason: str | None) -> None:
        """Accept nothing from now on, and say why; None accepts again.

        What slowping itself has to say is accepted all the same.
        """
        self._refusing = reason

    def require_room(self) -> None:
        """See that something can be accepted now.

        Raises:
            Unavailable: nothing can.
        """
        if self._refusing is not None:
            raise errors.Unavailable(self._refusing, RETRY_AFTER_S)

    async def accept(self, submission: Submission) -> Receipt:
        """Store the drafts as events with their deliveries: all of them, or none.

        Raises:
            UnknownCategory: there is none of that name, and none is to be created.
            InvalidInput: a name cannot be a category's, or the project has too many.
            ForeignProject: the project is gone.
            IdempotencyKeyReused: the key came with another request before.
            QuotaReached: the drafts don't all fit into what is left of the month.
            Unavailable: nothing can be stored now.
        """
        if submission.principal is not None:
            self.require_room()
        now = self._now_ms()
        if not submission.drafts:
            return Receipt(first_event_id=0, count=0, received_at=now)
        tenant = self._tenant(submission.project_id)
        if not all(_has_place(tenant, draft) for draft in submission.drafts):
            # A repeat gets its first receipt, and opens nothing anew.
            if (first := await self.recall(submission)) is not None:
                return first
            tenant = await self._furnished(submission)
        events, deliveries = self._rows(submission, tenant, now)
        entry = Entry(
            project_id=submission.project_id,
            month=None if submission.principal is None else times.month_of(now),
            received_at=now,
            events=events,
            deliveries=deliveries,
            idempotency=promise_of(submission),
            quota=tenant.project.monthly_quota if submission.has_quota else None,
        )
        receipt = await self._inbox.accept(entry)
        if not receipt.deduplicated:
            self._tally.events[submission.dialect] += receipt.count
            if deliveries:
                self._wake({row.channel_id for row in deliveries})
        return receipt

    async def recall(self, submission: Submission) -> Receipt | None:
        """The first receipt for this very submission, where its idempotency key was seen before.

        Raises:
            IdempotencyKeyReused: the key came with another request.
        """
        promise = promise_of(submission)
        if promise is None:
            return None
        return await self._inbox.recall(submission.project_id, promise)

    async def categories(self, project_id: int, drafts: Sequence[EventDraft]) -> Mapping[str, int]:
        """The ids of a project's categories by name; those that drafts name are there then.

        Raises:
            InvalidInput: a name cannot be a category's, or the project has too many.
            ForeignProject: the project is gone.
        """
        asked = Submission(
            drafts=drafts, principal=None, project_id=project_id, dialect="", create_categories=True
        )
        tenant = await self._furnished(asked)
        return {name: drawer.category_id for name, drawer in tenant.drawers.items()}

    async def check_quota(self, project_id: int, count: int = 1) -> None:
        """See whether the project may have so many more events this month (UTC).

        This is for refusing in good time; `accept` holds to the quota whatever comes in between.

        Raises:
            QuotaReached: it may not.
        """
        project = self._roster.project_by_id(project_id)
        if project is None or project.monthly_quota is None:
            return
        if await self.usage(project_id) + count > project.monthly_quota:
            raise errors.QuotaReached(project.monthly_quota)

    async def usage(self, project_id: int) -> int:
        """How many events the project was sent this month (UTC)."""
        return await self._inbox.usage(project_id, times.month_of(self._now_ms()))

    async def _furnished(self, submission: Submission) -> Tenant:
        """The project, when it has every category and channel that the drafts name.

        What is removed while the others are made counts as never there, so it is made anew.
        """
        while True:
            try:
                await self._make_places(submission)
            except errors.NotFound:  # nothing but the project is looked for
                raise errors.ForeignProject(str(submission.project_id)) from None
            except errors.NameTaken as taken:
                raise errors.InvalidInput(f"{taken} It leads elsewhere.") from None
            tenant = self._tenant(submission.project_id)
            if all(_is_found(tenant, draft) for draft in submission.drafts):
                return tenant

    async def _make_places(self, submission: Submission) -> None:
        """Create the categories and channels that the drafts name and the project has not got.

        All names are looked at, and counted, before the first is created.
        """
        project_id, now = submission.project_id, self._now_ms()
        drawers = self._tenant(project_id).drawers
        names = dict.fromkeys(draft.category for draft in submission.drafts)
        missing = [name for name in names if name not in drawers]
        for name in missing:
            if not submission.create_categories:
                raise errors.UnknownCategory(name)
            category.checked_name(name)
        category.check_room(len(drawers) + len(missing))
        for name in missing:
            # Another request may be faster, which is all the same.
            with contextlib.suppress(errors.NameTaken):
                await self._directory.create_category(
                    project_id, NewCategory(name=name), now=now, by=None
                )
        if missing:
            await self._roster.renew_project(project_id)
        for draft in submission.drafts:
            if draft.ad_hoc is not None:
                await self._make_ad_hoc_channel(project_id, draft.ad_hoc)

    async def _make_ad_hoc_channel(self, project_id: int, target: AdHocTarget) -> None:
        """See that the channel is there which a request names, and leads where it says."""
        if _is_known(self._tenant(project_id), target):
            return
        record = ChannelRecord(
            name=f"{target.kind}-{target.target.replace('/', '-')}",
            kind=target.kind,
            settings={},
            secrets=target.settings,
            target=target.target,
            ad_hoc=True,
        )
        now = self._now_ms()
        try:
            made = await self._directory.create_channel(project_id, record, now=now, by=None)
        except errors.NameTaken:
            # By a channel that somebody named so, though it leads elsewhere.
            other = msgspec.structs.replace(record, name=f"{record.name}-ad-hoc")
            made = await self._directory.create_channel(project_id, other, now=now, by=None)
        self._forget(ids.decode(ids.CHANNEL, made.id))
        await self._roster.renew_project(project_id)

    def _rows(
        self, submission: Submission, tenant: Tenant, now: int
    ) -> tuple[tuple[EventRow, ...], tuple[DeliveryRow, ...]]:
        key_id = None if submission.principal is None else submission.principal.key_id
        told = [_told(tenant, draft, submission.skip_channels) for draft in submission.drafts]
        event_id = self._ids.take(now, len(told) + sum(map(len, told)))
        delivery_id = event_id + len(told)
        events, deliveries = [], []
        for draft, channel_ids in zip(submission.drafts, told, strict=True):
            drawer = tenant.drawers[draft.category]
            own = _named_channel(tenant, draft)
            fields = _encode(draft.fields).decode()
            size = len(fields) + len(draft.description or "")
            events.append(
                EventRow(
                    event_id, submission.project_id, drawer.category_id, key_id, submission.dialect,
                    draft.source, draft.description, draft.color, fields, draft.occurred_at,
                    now, draft.notify, size,
                )
            )  # fmt: skip
            for channel_id in channel_ids:
                lives = tenant.expiry_ms.get(channel_id)
                deliveries.append(
                    DeliveryRow(
                        delivery_id, event_id, submission.project_id, channel_id, now,
                        None if lives is None else now + lives,
                        _overrides(draft) if channel_id == own else None,
                    )
                )  # fmt: skip
                delivery_id += 1
            event_id += 1
        return tuple(events), tuple(deliveries)

    def _tenant(self, project_id: int) -> Tenant:
        tenant = self._roster.tenant(project_id)
        if tenant is None:
            raise errors.ForeignProject(str(project_id))
        return tenant


def promise_of(submission: Submission) -> Idempotency | None:
    """The submission's idempotency key with the fingerprint of what it asks for."""
    if submission.idempotency_key is None:
        return None
    key = submission.idempotency_key
    if not submission.strict_key:
        # Where the key alone decides it must be the dialect's own; no header can hold a tab.
        key = f"{submission.dialect}\t{key}"
    told = hashlib.sha256(submission.dialect.encode() + b"\0" + _encode_sorted(submission.drafts))
    return Idempotency(key=key, fingerprint=told.hexdigest(), strict=submission.strict_key)


def _has_place(tenant: Tenant, draft: EventDraft) -> bool:
    """Whether the project has the category, and the channel that the draft names itself."""
    known = draft.ad_hoc is None or _is_known(tenant, draft.ad_hoc)
    return known and draft.category in tenant.drawers


def _is_found(tenant: Tenant, draft: EventDraft) -> bool:
    """Whether the project has both, wherever the channel leads by now."""
    target = draft.ad_hoc
    known = target is None or (target.kind, target.target) in tenant.by_target
    return known and draft.category in tenant.drawers


def _is_known(tenant: Tenant, target: AdHocTarget) -> bool:
    """Whether the project has a channel for a target, with the address that was given last."""
    channel_id = tenant.by_target.get((target.kind, target.target))
    if channel_id is None:
        return False
    address = tenant.ad_hoc_addresses.get(channel_id)
    return address is None or address == target.settings[ADDRESS]


def _named_channel(tenant: Tenant, draft: EventDraft) -> int | None:
    """The channel that a draft names itself."""
    target = draft.ad_hoc
    return None if target is None else tenant.by_target[target.kind, target.target]


def _told(tenant: Tenant, draft: EventDraft, skipped: Collection[int]) -> Sequence[int]:
    """Ids of the channels to tell, each once."""
    if not draft.notify:
        return ()
    channels, own = tenant.drawers[draft.category].channel_ids, _named_channel(tenant, draft)
    if own is not None and own not in channels:
        channels = (*channels, own)
    return [channel for channel in channels if channel not in skipped] if skipped else channels


def _overrides(draft: EventDraft) -> str | None:
    """What a request wants shown at the destination that it names itself, as JSON."""
    if draft.ad_hoc is None:
        return None
    wanted: dict[str, Any] = {
        "title": draft.ad_hoc.title,
        "description": draft.ad_hoc.description,
        "color": draft.ad_hoc.color,
    }
    return _encode({name: value for name, value in wanted.items() if value is not None}).decode()

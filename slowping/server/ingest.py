"""Accept drafts: the single way in, for both doors."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

import msgspec

from slowping.core import category, errors, times
from slowping.core.api_key import Principal
from slowping.core.category import NewCategory
from slowping.core.event import AdHocTarget, EventDraft, Receipt
from slowping.core.ids import IdSource
from slowping.server.tally import Tally
from slowping.server.roster import ADDRESS, Drawer, Roster, Tenant
from slowping.store.port import (
    ChannelRecord,
    DeliveryRow,
    Directory,
    Entry,
    EventRow,
    Idempotency,
    Inbox,
)

_encode: Final = msgspec.json.Encoder().encode


class Submission(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a door asks for: drafts, from whom, for which project, in which dialect's name."""

    drafts: Sequence[EventDraft]
    principal: Principal | None
    """None where slowping itself has something to say."""
    project_id: int
    dialect: str
    create_categories: bool
    idempotency_key: str | None = None
    strict_key: bool = True
    """Whether a key that comes again with other drafts is an error."""
    skip_channels: Collection[int] = ()
    """Channels that are not to be told."""


class Ingest:
    """Turns drafts into events and deliveries, and answers once they are on the disk."""

    def __init__(
        self,
        inbox: Inbox,
        directory: Directory,
        roster: Roster,
        ids: IdSource,
        *,
        now_ms: Callable[[], int],
        wake: Callable[[Iterable[int]], None],
        tally: Tally,
    ) -> None:
        """`wake` is told the ids of channels that have something to send."""
        self._inbox = inbox
        self._directory = directory
        self._roster = roster
        self._ids = ids
        self._now_ms = now_ms
        self._wake = wake
        self._tally = tally
        self._usage: dict[tuple[int, int], int] = {}

    async def accept(self, submission: Submission) -> Receipt:
        """Store the drafts as events with their deliveries: all of them, or none.

        Raises:
            UnknownCategory: there is none of that name, and none is to be created.
            InvalidInput: a name cannot be a category's, or the project has too many.
            ForeignProject: the project is gone.
            IdempotencyKeyReused: the key came with another request before.
            Unavailable: nothing can be stored now.
        """
        now = self._now_ms()
        if not submission.drafts:
            return Receipt(first_event_id=0, count=0, received_at=now)
        drawers, ad_hoc = await self._places(submission)
        events, deliveries = self._rows(submission, drawers, ad_hoc, now)
        month = times.month_of(now)
        entry = Entry(
            project_id=submission.project_id,
            month=month,
            received_at=now,
            events=events,
            deliveries=deliveries,
            idempotency=promise_of(submission),
        )
        receipt = await self._inbox.accept(entry)
        if not receipt.deduplicated:
            self._tally.events[submission.dialect] += receipt.count
            if (submission.project_id, month) in self._usage:
                self._usage[submission.project_id, month] += receipt.count
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

    async def check_quota(self, project_id: int) -> None:
        """See whether the project may have more events this month (UTC).

        Raises:
            QuotaReached: it may not.
        """
        project = self._roster.project_by_id(project_id)
        if project is None or project.monthly_quota is None:
            return
        if await self.usage(project_id) >= project.monthly_quota:
            raise errors.QuotaReached(project.monthly_quota)

    async def usage(self, project_id: int) -> int:
        """How many events the project was sent this month (UTC)."""
        place = (project_id, times.month_of(self._now_ms()))
        if place not in self._usage:
            stored = await self._inbox.usage(*place)
            self._usage.setdefault(place, stored)
        return self._usage[place]

    async def _places(
        self, submission: Submission
    ) -> tuple[Sequence[Drawer], Sequence[int | None]]:
        """For each draft its category, and the channel that it names itself."""
        tenant = self._tenant(submission.project_id)
        drawers: list[Drawer] = []
        ad_hoc: list[int | None] = []
        for draft in submission.drafts:
            drawer = tenant.drawers.get(draft.category)
            if drawer is None:
                tenant = await self._open_category(submission, draft.category)
                drawer = tenant.drawers[draft.category]
            drawers.append(drawer)
            if draft.ad_hoc is None:
                ad_hoc.append(None)
            else:
                ad_hoc.append(await self._ad_hoc_channel(submission.project_id, draft.ad_hoc))
        return drawers, ad_hoc

    def _rows(
        self,
        submission: Submission,
        drawers: Sequence[Drawer],
        ad_hoc: Sequence[int | None],
        now: int,
    ) -> tuple[tuple[EventRow, ...], tuple[DeliveryRow, ...]]:
        event_id = self._ids.take(now, len(submission.drafts))
        key_id = None if submission.principal is None else submission.principal.key_id
        expiry = self._tenant(submission.project_id).expiry_ms
        events, deliveries = [], []
        for draft, drawer, own in zip(submission.drafts, drawers, ad_hoc, strict=True):
            fields = _encode(draft.fields).decode()
            size = len(fields) + len(draft.description or "")
            events.append(
                EventRow(
                    event_id, submission.project_id, drawer.category_id, key_id, submission.dialect,
                    draft.source, draft.description, draft.color, fields, draft.occurred_at,
                    now, draft.notify, size,
                )
            )  # fmt: skip
            for channel_id in _told(draft, drawer, own, submission.skip_channels):
                lives = expiry.get(channel_id)
                deliveries.append(
                    DeliveryRow(
                        self._ids.take(now), event_id, submission.project_id, channel_id, now,
                        None if lives is None else now + lives,
                        _overrides(draft) if channel_id == own else None,
                    )
                )  # fmt: skip
            event_id += 1
        return tuple(events), tuple(deliveries)

    async def _open_category(self, submission: Submission, name: str) -> Tenant:
        """Create a category on first sight, where the submission allows it."""
        if not submission.create_categories:
            raise errors.UnknownCategory(name)
        new = NewCategory(name=category.checked_name(name))
        try:
            await self._directory.create_category(submission.project_id, new, now=self._now_ms())
        except errors.NameTaken:
            pass  # another request was faster, which is all the same
        await self._roster.renew_project(submission.project_id)
        return self._tenant(submission.project_id)

    async def _ad_hoc_channel(self, project_id: int, target: AdHocTarget) -> int:
        """The channel for a target that a request names: found, or created on first sight."""
        tenant = self._tenant(project_id)
        known = tenant.by_target.get((target.kind, target.target))
        if known is not None:
            given = tenant.ad_hoc_secrets.get(known)
            if given is None or given == target.settings[ADDRESS]:
                return known
        record = ChannelRecord(
            name=f"{target.kind}-{target.target}",
            kind=target.kind,
            settings={},
            secrets=target.settings,
            target=target.target,
            ad_hoc=True,
        )
        await self._directory.create_channel(project_id, record, now=self._now_ms())
        await self._roster.renew_project(project_id)
        return self._tenant(project_id).by_target[target.kind, target.target]

    def _tenant(self, project_id: int) -> Tenant:
        tenant = self._roster.tenant(project_id)
        if tenant is None:
            raise errors.ForeignProject(str(project_id))
        return tenant


def promise_of(submission: Submission) -> Idempotency | None:
    """The submission's idempotency key with the fingerprint of what it asks for."""
    if submission.idempotency_key is None:
        return None
    told = hashlib.sha256(submission.dialect.encode() + b"\0" + _encode(submission.drafts))
    return Idempotency(
        key=submission.idempotency_key, fingerprint=told.hexdigest(), strict=submission.strict_key
    )


def _told(
    draft: EventDraft, drawer: Drawer, own: int | None, skipped: Collection[int]
) -> Sequence[int]:
    """Ids of the channels to tell, each once."""
    if not draft.notify:
        return ()
    channels = drawer.channel_ids
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

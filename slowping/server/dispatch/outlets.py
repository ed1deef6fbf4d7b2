"""Prepare channels for sending, and shut those that their far side takes nothing from any more."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from slowping.core import breaker, errors, ids
from slowping.core.channel import StoredChannel
from slowping.core.delivery import Answer, Outcome, Retry
from slowping.core.notification import Notification
from slowping.core.redaction import Redaction
from slowping.core.retry import RetryPolicy
from slowping.notifiers.port import Notifier, Settings
from slowping.server.log import Fact
from slowping.store.port import Directory

logger = logging.getLogger("slowping.dispatcher")


class Kinds(Protocol):
    """What is asked of the registry of notifiers."""

    def check(self, kind: str, settings: Mapping[str, Any]) -> Settings:
        """The settings as the notifier takes them.

        Raises:
            InvalidInput: they are not what it asks for, or there is no such kind.
        """
        ...

    def require_usable(self, kind: str, settings: Mapping[str, Any]) -> None:
        """See that the notifier knows nothing that keeps it from sending with these settings.

        Raises:
            InvalidInput: it does, or as for `check`.
        """
        ...

    def notifier(self, kind: str) -> Notifier:
        """The one instance that serves all channels of a kind."""
        ...


class Outlet(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that is ready to be sent to. What its notifier does wrong is answered here.

    Notifiers may be strangers' code: what they raise is logged without its words, which may hold
    the channel's secrets.
    """

    channel: StoredChannel
    notifier: Notifier
    settings: Settings
    scopes: tuple[str, ...]
    policy: RetryPolicy
    redaction: Redaction
    """Of the channel's own secrets, which its far side may repeat."""

    @property
    def own_scope(self) -> str:
        """The channel itself, as something that may have to wait."""
        return own_scope(self.channel.id)

    @property
    def provider(self) -> str | None:
        """What its far side is a part of: the widest of its scopes."""
        return self.scopes[0] if self.scopes else None

    @property
    def max_batch(self) -> int:
        """Most deliveries that it is worth claiming at once."""
        return max(1, self.notifier.max_batch)

    def fits(self, waiting: Sequence[Notification]) -> int:
        """How many of these, from the first on, go into one message."""
        if len(waiting) == 1:
            return 1
        try:
            return min(max(self.notifier.fits(waiting), 1), len(waiting))
        except Exception as error:  # noqa: BLE001 - a plug-in is a stranger
            _log_failure(self.channel, error)
            return 1

    async def deliver(self, batch: Sequence[Notification]) -> Outcome:
        """Send these as one message."""
        try:
            outcome = await self.notifier.deliver(batch, self.settings)
        except Exception as error:  # noqa: BLE001 - a plug-in is a stranger
            _log_failure(self.channel, error)
            return Retry(reason=f"the notifier failed: {type(error).__name__}", unknown=True)
        if isinstance(outcome, Outcome):
            return _cleaned(outcome, self.redaction.clean)
        return Retry(reason="the notifier did not say what came of it", unknown=True)


def own_scope(channel_id: int) -> str:
    """What stands for a channel among scopes."""
    return f"{breaker.CHANNEL}{channel_id}"


def shown(channel_id: int) -> str:
    """A channel's id, as people see it."""
    return ids.encode(ids.CHANNEL, channel_id)


class Outlets:
    """The outlets of all channels, each kept until its channel is changed."""

    def __init__(
        self,
        directory: Directory,
        kinds: Kinds,
        now_ms: Callable[[], int],
        tell_owner: Callable[[StoredChannel, str], Awaitable[None]],
    ) -> None:
        """`tell_owner` hears of a channel that was paused, and why."""
        self._directory = directory
        self._kinds = kinds
        self._now_ms = now_ms
        self._tell_owner = tell_owner
        self._known: dict[int, Outlet | None] = {}
        self._last: dict[int, Outlet] = {}
        self._changes = 0
        self._shutting = asyncio.Lock()

    def forget(self, channel_id: int) -> None:
        """The channel was changed."""
        self._changes += 1
        self._known.pop(channel_id, None)
        self._last.pop(channel_id, None)

    def forget_all(self) -> None:
        """Any channel may have been changed."""
        self._changes += 1
        self._known.clear()

    def is_shut(self, channel_id: int) -> bool:
        """Whether the channel is known to be paused or gone."""
        return channel_id in self._known and self._known[channel_id] is None

    def last(self, channel_id: int) -> Outlet | None:
        """The channel as it was made ready last, unless it is known to have changed since."""
        return self._last.get(channel_id)

    async def outlet(self, channel_id: int) -> Outlet | None:
        """The channel, ready to be sent to; None where it is paused, gone or unusable."""
        while channel_id not in self._known:
            changes = self._changes
            outlet = await self._prepare(channel_id)
            # What was read before a change must not outlive it.
            if changes == self._changes:
                self._known[channel_id] = outlet
                if outlet is not None:
                    self._last[channel_id] = outlet
        return self._known[channel_id]

    def prepared(self, channel: StoredChannel) -> Outlet:
        """The channel, ready to be sent to, whether it is paused or not.

        Raises:
            InvalidInput: its settings cannot be used, or its notifier cannot.
        """
        settings = self._kinds.check(channel.kind, {**channel.settings, **channel.learned})
        try:
            notifier = self._kinds.notifier(channel.kind)
            scopes = notifier.scopes(settings)
        except errors.InvalidInput:
            raise
        except Exception as error:  # noqa: BLE001 - a plug-in is a stranger
            _log_failure(channel, error)
            raise errors.InvalidInput(f"the notifier failed: {type(error).__name__}") from None
        delays = notifier.delays if settings.retry_delays is None else settings.retry_delays
        return Outlet(
            channel=channel,
            notifier=notifier,
            settings=settings,
            scopes=scopes,
            policy=RetryPolicy(delays=delays),
            redaction=Redaction(channel.secrets),
        )

    def problem_with(self, channel: StoredChannel) -> str | None:
        """Why nothing can be sent to the channel as it is set up, without its secrets, or None."""
        try:
            self.prepared(channel)
            self._kinds.require_usable(channel.kind, {**channel.settings, **channel.learned})
        except errors.InvalidInput as error:
            return _unusable(channel, error)
        return None

    async def learn(self, outlet: Outlet, facts: Mapping[str, Any]) -> None:
        """Keep what a far side taught us, unless the channel has another far side by now.

        Raises:
            Unavailable: the store cannot be written now.
        """
        if await self._as_it_was(outlet.channel) is not None:
            await self._directory.learn(outlet.channel.id, facts, now=self._now_ms())
        self.forget(outlet.channel.id)

    async def shut(self, outlet: Outlet, scope: str | None, reason: str, *, quiet: bool) -> None:
        """Pause the channel, and every other that the scope covers.

        The owner of each project is told once, however many of its channels that are; with
        `quiet` nobody is.

        Raises:
            Unavailable: the store cannot be written now.
        """
        # Several lanes may find out at once that a scope is shut: the first pauses all of it.
        async with self._shutting:
            covered = [outlet.channel, *await self._others_in(outlet, scope)]
            paused = [channel for channel in covered if await self._pause(channel, reason)]
        if not quiet:
            await self._tell_owners(paused, reason)

    async def _others_in(self, outlet: Outlet, scope: str | None) -> Sequence[StoredChannel]:
        """Every other channel that the scope covers. Scopes are a kind's own."""
        if scope is None:
            return ()
        snapshots = await self._directory.snapshots()
        return [
            channel
            for channel in itertools.chain.from_iterable(each.channels for each in snapshots)
            if channel.kind == outlet.channel.kind
            and channel.id != outlet.channel.id
            and scope in self._scopes_of(channel)
        ]

    def _scopes_of(self, channel: StoredChannel) -> Sequence[str]:
        try:
            return self.prepared(channel).scopes
        except errors.InvalidInput:
            return ()  # it is paused for that when its turn comes

    async def _prepare(self, channel_id: int) -> Outlet | None:
        try:
            channel = await self._directory.stored_channel(channel_id)
        except errors.NotFound:
            return None
        if channel.paused_at is not None:
            return None
        try:
            return self.prepared(channel)
        except errors.InvalidInput as error:
            reason = _unusable(channel, error)
            async with self._shutting:
                paused = await self._pause(channel, reason)
            if paused:
                await self._tell_owners([channel], reason)
            return None

    async def _pause(self, channel: StoredChannel, reason: str) -> bool:
        """Pause a channel; False where it was paused, mended or removed meanwhile."""
        current = await self._as_it_was(channel)
        self.forget(channel.id)
        if current is None or current.paused_at is not None:
            return False
        try:
            await self._directory.pause_channel(
                channel.id, reason, now=self._now_ms(), by_hand=False
            )
        except errors.NotFound:
            return False
        self.forget(channel.id)
        name = shown(channel.id)
        logger.warning(Fact("channel paused", channel=name, name=channel.name, reason=reason))
        return True

    async def _as_it_was(self, channel: StoredChannel) -> StoredChannel | None:
        """The channel as it is now; None where it is gone, or leads elsewhere than it did."""
        try:
            current = await self._directory.stored_channel(channel.id)
        except errors.NotFound:
            return None
        return current if current.settings == channel.settings else None

    async def _tell_owners(self, paused: Sequence[StoredChannel], reason: str) -> None:
        by_project: dict[int, list[StoredChannel]] = {}
        for channel in paused:
            by_project.setdefault(channel.project_id, []).append(channel)
        for first, *others in by_project.values():
            names = ", ".join(channel.name for channel in others)
            with_it = f" (with it were paused: {names})" if names else ""
            await self._tell_owner(first, reason + with_it)


def _unusable(channel: StoredChannel, error: errors.InvalidInput) -> str:
    said = Redaction(channel.secrets).clean(str(error)).rstrip(".")
    return f"its settings cannot be used: {said}"


def _cleaned(outcome: Outcome, clean: Callable[[str], str]) -> Outcome:
    """The outcome without the secrets that a far side has repeated: it is kept and shown."""
    excerpt = outcome.answer.excerpt
    said = {
        name: clean(words)
        for name in ("reason", "reference")
        if isinstance(words := getattr(outcome, name, None), str)
    }
    answer = Answer(outcome.answer.status, excerpt and clean(excerpt))
    return msgspec.structs.replace(outcome, answer=answer, **said)


def _log_failure(channel: StoredChannel, error: Exception) -> None:
    name = shown(channel.id)
    logger.error(Fact("notifier failed", channel=name, kind=channel.kind, trace=error))

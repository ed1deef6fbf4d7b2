"""Notifiers as strangers write them."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import msgspec

from slowping.core.delivery import Outcome, Rejected
from slowping.core.notification import Notification
from slowping.notifiers.port import Secret, Settings
from slowping.testing import RecordingNotifier, RecordingSettings


class Single(RecordingNotifier):
    """Sends one at a time."""

    kind: ClassVar[str] = "single"
    max_batch: ClassVar[int] = 1


class Picky(RecordingNotifier):
    """Takes three at once, and none that says `bad`."""

    kind: ClassVar[str] = "picky"

    def fits(self, waiting: Sequence[Notification]) -> int:
        """Three."""
        return min(3, len(waiting))

    async def deliver(self, batch: Sequence[Notification], settings: Any) -> Outcome:
        """Reject what is bad."""
        outcome = await super().deliver(batch, settings)
        if any(notification.body == "bad" for notification in batch):
            return Rejected(reason="HTTP 400: bad")
        return outcome


class ClumsySettings(RecordingSettings, frozen=True, kw_only=True):
    """With something to give away."""

    token: Annotated[Secret, msgspec.Meta(title="Token")] = "tok-very-secret"


class Clumsy(RecordingNotifier):
    """Fails wherever it can, and says the secret aloud."""

    kind: ClassVar[str] = "clumsy"
    settings: ClassVar[type[Settings]] = ClumsySettings
    max_batch: ClassVar[int] = 0

    def fits(self, waiting: Sequence[Notification]) -> int:
        """Fail."""
        raise LookupError("no idea how many fit")

    async def deliver(self, batch: Sequence[Notification], settings: Any) -> Outcome:
        """Fail, one failure upon another."""
        await super().deliver(batch, settings)
        cause = ConnectionError(f"cannot connect with {settings.token}")
        raise RuntimeError(f"{settings.token} failed") from cause


class Lost(RecordingNotifier):
    """Does not know what it covers, and gives no outcome."""

    kind: ClassVar[str] = "lost"

    def scopes(self, settings: Any) -> tuple[str, ...]:
        """Fail for a label."""
        if settings.label == "nowhere":
            raise KeyError(settings.label)
        return super().scopes(settings)

    async def deliver(self, batch: Sequence[Notification], settings: Any) -> Outcome:
        """Say nothing."""
        await super().deliver(batch, settings)
        return None  # type: ignore[return-value]  # it is a stranger


class Counting(RecordingNotifier):
    """Counts how often a channel is made ready."""

    kind: ClassVar[str] = "counting"

    def __init__(self, tools: Any = None) -> None:
        super().__init__(tools)
        self.readied = 0

    def scopes(self, settings: Any) -> tuple[str, ...]:
        """Asked for once whenever a channel is made ready."""
        self.readied += 1
        return super().scopes(settings)


class NamedSettings(RecordingSettings, frozen=True, kw_only=True):
    """With the address that a request may give."""

    url: Annotated[Secret, msgspec.Meta(title="URL")]


class Named(RecordingNotifier):
    """What requests name themselves."""

    kind: ClassVar[str] = "named"
    settings: ClassVar[type[Settings]] = NamedSettings

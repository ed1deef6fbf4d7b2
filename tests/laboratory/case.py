"""What a fault is, and what has to come of it."""

import enum
import ssl
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from slowping.notifiers.dialling import Resolve
from tests.laboratory import smtp
from tests.laboratory.http import answering
from tests.laboratory.site import Stand
from tests.notifiers.far_side import reply


class Verdict(enum.Enum):
    """What comes of the first attempt, and what has to follow."""

    DELIVERED = "delivered"
    RETRIED = "tried again by its schedule"
    UNKNOWN = "the same, and may have arrived"
    WAITS = "not counted as an attempt, and the channel waits"
    REJECTED = "failed, and the channel goes on"
    PAUSED = "kept, and the channel paused"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of one kind of far side."""

    kind: str
    fault: str
    broken: Stand
    verdict: Verdict
    wait_s: float = 0.0
    """What the far side asks for, or what we wait where it does not say."""
    hangs: bool = False
    """Whether it only ends when we lose patience."""
    settings: Mapping[str, Any] = {}
    """Of the channel, on top of what its kind needs."""
    resolve: Resolve | None = None
    is_encrypted: bool = False
    lasts: bool = False
    """Whether it stays as it is until the delivery is given up."""
    is_mendable: bool = True
    """Whether the laboratory has a far side that is well and otherwise like this one."""

    @property
    def name(self) -> str:
        """By which it is told from all others."""
        return f"{self.kind}: {self.fault}"


YES: Final[Mapping[str, bytes]] = {
    "webhook": b'{"ok":true}',
    "discord": b'{"id":"1234567890"}',
    "discord bot": b'{"id":"1234567890"}',
    "telegram": b'{"ok":true,"result":{"message_id":7}}',
}
"""What each kind of far side says when it takes something."""


def well(kind: str, tls: ssl.SSLContext | None = None) -> Stand:
    """A far side of a kind with which nothing is wrong."""
    return smtp.answering() if kind == "email" else answering(reply(200, YES[kind]), tls=tls)

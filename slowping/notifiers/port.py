"""What a notifier is, what it is given, and what it may ask for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Protocol, TextIO

import msgspec

from slowping.core.delivery import Outcome
from slowping.core.notification import Notification

Secret = Annotated[str, msgspec.Meta(extra={"secret": True}, extra_json_schema={"writeOnly": True})]
"""A setting that is stored encrypted and never shown again."""


_NONE: frozenset[str] = frozenset()


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a channel of one kind needs to know. The class is also the form that is shown.

    Raise ValueError in `__post_init__` where settings contradict each other. A setting that is
    learned, never entered, is marked `extra_json_schema={"readOnly": True}`.
    """

    retry_delays: (
        Annotated[
            tuple[Annotated[float, msgspec.Meta(ge=0, le=86_400)], ...],
            msgspec.Meta(
                title="Retry delays",
                description="Seconds to wait after each attempt, a day at most. "
                "The kind's own table if empty.",
            ),
        ]
        | None
    ) = None
    expire_after_s: (
        Annotated[
            int,
            msgspec.Meta(
                ge=1,
                le=315_360_000,
                title="Expire after",
                description="Seconds after which a delivery is not worth sending any more, "
                "ten years at most.",
            ),
        ]
        | None
    ) = None

    @property
    def target(self) -> str | None:
        """What tells one far side from another of this kind; None where nothing needs to."""
        return None

    @classmethod
    def made(cls, given: Mapping[str, Any], random_bytes: Callable[[int], bytes]) -> dict[str, str]:
        """Secrets to make for a channel that has none; shown to its owner once.

        It has none when it is new, or when its owner took one away to have another.
        """
        del given, random_bytes
        return {}

    @classmethod
    def carried_over(
        cls, old: Mapping[str, Any], new: Mapping[str, Any], now_ms: int
    ) -> dict[str, Any]:
        """Settings to add when `old` ones are replaced by `new`, such as a secret that fades."""
        del old, new, now_ms
        return {}


def secret_names(settings: type[Settings]) -> frozenset[str]:
    """Which settings of a class are secrets, or hold one somewhere inside."""
    definitions = msgspec.json.schema(settings)["$defs"]
    fields = definitions[settings.__name__]["properties"]
    return frozenset(name for name, field in fields.items() if _is_secret(field, definitions))


def _is_secret(part: Any, definitions: Mapping[str, Any], above: frozenset[str] = _NONE) -> bool:
    """Whether a part of a schema says that it is written and never shown, or refers to one."""
    if isinstance(part, list):
        return any(_is_secret(each, definitions, above) for each in part)
    if not isinstance(part, dict):
        return False
    name = str(part.get("$ref", "")).removeprefix("#/$defs/")
    if name and name not in above:
        return _is_secret(definitions[name], definitions, above | {name})
    return part.get("writeOnly") is True or _is_secret(list(part.values()), definitions, above)


class HttpAnswer(msgspec.Struct, frozen=True):
    """What a far side answered: the body is cut at 16 KiB, header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpFailure(Exception):
    """No answer came.

    `unknown` says whether the request may have arrived all the same. The text names no URL:
    those of Discord and Telegram are secrets.
    """

    def __init__(self, reason: str, *, unknown: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown


class ForbiddenAddress(HttpFailure):
    """The guard refused to connect there; nothing was sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, unknown=False)


class Http(Protocol):
    """Posts a body and reads the answer: no redirects, a deadline over all of it."""

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout_s: float = 15.0
    ) -> HttpAnswer:
        """Post and read.

        Raises:
            HttpFailure: no answer came in time, or none at all.
        """
        ...


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """What a notifier is built with."""

    http: Http
    """For hosts that the operator's configuration names."""
    guarded_http: Http
    """For hosts that a channel's settings name: only addresses that the operator allows."""
    now_ms: Callable[[], int]
    """UTC milliseconds."""
    terminal: TextIO
    """The server's standard output."""
    section: Any
    """The notifier's part of the configuration: a struct of `slowping.config` for the built-in
    kinds, a plain dictionary (`[notifiers.plugins.<kind>]`) for the others."""


class Notifier(Protocol):
    """Delivers to one kind of channel. One instance serves all channels of its kind.

    A notifier never sleeps, logs or touches the store, and says what it saw; the dispatcher
    decides what follows. It may send one plainer request inside the same `deliver` (a shorter
    body, no markup); that is one attempt.

    It may have a method `problem_with(settings) -> str | None` beside these: why nothing can be
    sent with such settings under the operator's configuration, as far as that shows without
    trying. Channels are not created, changed or resumed with them.
    """

    kind: ClassVar[str]
    summary: ClassVar[str]
    """One line for people who choose among kinds."""
    settings: ClassVar[type[Settings]]
    delays: ClassVar[tuple[float, ...]]
    """Seconds to wait after each attempt, for channels that set none of their own."""
    max_batch: ClassVar[int]
    """Most deliveries that it is worth claiming at once; 1 where it never sends several."""

    def __init__(self, tools: Tools) -> None: ...

    def scopes(self, settings: Any) -> tuple[str, ...]:
        """What a limit or a ban covers, widest first: `discord`, `discord:webhook:123`."""
        ...

    def fits(self, waiting: Sequence[Notification]) -> int:
        """How many of these, from the first on, go into one message; at least 1."""
        ...

    async def deliver(self, batch: Sequence[Notification], settings: Any) -> Outcome:
        """Send these as one message. `settings` is of the class that `settings` names."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


__all__ = [
    "ForbiddenAddress", "Http", "HttpAnswer", "HttpFailure", "Notification", "Notifier",
    "Outcome", "Secret", "Settings", "Tools", "secret_names",
]  # fmt: skip

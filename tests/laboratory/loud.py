"""A plug-in that says its secrets aloud wherever it can."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from slowping.core.delivery import Answer, Outcome, Rejected
from slowping.core.notification import Notification
from slowping.notifiers.port import Secret, Settings, Tools


class Login(msgspec.Struct, frozen=True):
    """A secret further down."""

    user: str
    password: Secret


class LoudSettings(Settings, frozen=True, kw_only=True):
    """A secret, one within, and what to do with them."""

    token: Annotated[Secret, msgspec.Meta(title="Token")]
    login: Login | None = None
    mood: Literal["raises", "says", "refuses", "breaks"] = "raises"

    def __post_init__(self) -> None:
        """Say aloud what is wrong."""
        if self.mood == "refuses":
            raise ValueError(f"The token {self.token} is not to my taste")
        if self.mood == "breaks":
            raise RuntimeError(f"broken by {self.token}")


class Loud:
    """Fails with its secrets in its words."""

    kind: ClassVar[str] = "loud"
    summary: ClassVar[str] = "Says everything aloud"
    settings: ClassVar[type[Settings]] = LoudSettings
    delays: ClassVar[tuple[float, ...]] = (0.1,)
    max_batch: ClassVar[int] = 1

    def __init__(self, tools: Tools) -> None:
        del tools

    def scopes(self, settings: LoudSettings) -> tuple[str, ...]:
        """One for each mood."""
        return (f"loud:{settings.mood}",)

    def fits(self, waiting: Sequence[Notification]) -> int:
        """One."""
        del waiting
        return 1

    async def deliver(self, batch: Sequence[Notification], settings: LoudSettings) -> Outcome:
        """Fail, one failure upon another; or say no."""
        del batch
        aloud = f"{settings.token} and {settings.login}"
        if settings.mood == "says":
            return Rejected(reason=aloud, answer=Answer(400, f"{'.' * 470}{aloud}"[:500]))
        raise RuntimeError(f"cannot send with {settings!r}") from LookupError(aloud)

    async def close(self) -> None:
        """Nothing is open."""


def entry_point() -> dict[str, Any]:
    """The files by which an installed package makes it known, by their names."""
    return {
        "METADATA": "Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n",
        "entry_points.txt": "[slowping.notifiers]\nloud = tests.laboratory.loud:Loud\n",
    }

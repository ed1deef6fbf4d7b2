"""A problem: how our own HTTP API says no (RFC 9457, `application/problem+json`)."""

import re
from typing import Final

import msgspec

from slowping.core.errors import SlowpingError

MEDIA_TYPE: Final = "application/problem+json"

EXPLAINED_AT: Final = "/slowping/v1/docs#"
"""Where the types of problems lead a reader: to their place in the reference page."""


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with what was sent."""

    path: str
    """Where it is, such as `category` or `item 3, fields`; empty for the whole."""
    problem: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong, for a program (`type`) and for a person (`detail`).

    The members after `detail` are there where the condition has them.
    """

    type: str
    title: str
    status: int
    detail: str
    allow: tuple[str, ...] = ()
    encoding: str | None = None
    issues: tuple[Issue, ...] = ()
    kind: str | None = None
    limit: int | None = None
    limit_bytes: int | None = None
    name: str | None = None
    noun: str | None = None
    origin: str | None = None
    project: str | None = None
    reset_at: int | None = None
    """Unix seconds."""
    retry_after_s: int | None = None

    @property
    def condition(self) -> str:
        """The last part of the type, such as `name-taken`."""
        return self.type.rpartition("#")[2]


def condition_of(error: type[SlowpingError]) -> str:
    """A condition's name in the type of a problem: NameTaken is `name-taken`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", error.__name__).lower()

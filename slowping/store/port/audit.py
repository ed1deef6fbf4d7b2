"""What was done to administer the server: written beside the change itself, and listed."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from slowping.core.audit import Act, ActFilter, ActKind, Author


class ActRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An act to be written. Nothing in it is a secret."""

    kind: ActKind
    by: Author
    project_id: int | None = None
    """None where it is about more than one project, or about none."""
    subject: str | None = None
    """The id of the thing that it is done to, as people write it."""
    name: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


class StepwiseAct(msgspec.Struct, frozen=True, kw_only=True):
    """An act that goes in steps: each adds what it has done to one line of the audit.

    So what was done is told also where it broke off. Steps that do nothing leave no line.
    """

    id: int
    record: ActRecord
    counted: str = "moved"
    """The name in the record's `after` under which what was done is summed up."""


class Audit(Protocol):
    """The record of administrative acts. Lines are added, and trimmed after a long time."""

    async def list_acts(self, which: ActFilter, *, before: int | None, limit: int) -> Sequence[Act]:
        """Acts that match."""
        ...

    async def note_act(self, record: ActRecord, *, now: int) -> None:
        """Write down an act that changes nothing here, or whose change is written elsewhere."""
        ...

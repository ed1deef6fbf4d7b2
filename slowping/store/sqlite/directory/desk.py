"""What the parts of the directory share: where they read and write, and how a change is noted.

Every reading of one or many goes by the same statement, which takes a window of ids: of a page
from `page`, of one id from `one`, or of some ids from `these`.
"""

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

import msgspec

from slowping.core import errors, ids
from slowping.core.feed import JournalKind
from slowping.core.ids import IdSource
from slowping.store.sqlite.readers import Readers
from slowping.store.sqlite.writer import Writer
from slowping.store.vault import Vault

_NOTE: Final = """
insert into journal (at, kind, project_id, category_id, subject_id)
values (:at, :kind, :project, :category, :subject)
"""

_LIVE_PROJECT: Final = "select 1 from project where id = ? and removed_at is null"


class Desk:
    """Where a part of the directory works."""

    # A writer's entries are the inbox's alone; here it runs deeds.
    def __init__(
        self, writer: Writer[Any, Any], readers: Readers, ids: IdSource, vault: Vault
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._ids = ids
        self._vault = vault

    def _secrets(self, row: sqlite3.Row) -> dict[str, Any]:  # any JSON values
        """A channel's secrets, opened."""
        return self._vault.open(row["secrets"]) if row["secrets"] else {}


def page(project_ids: Sequence[int] | None, before: int | None, limit: int) -> dict[str, object]:
    """The window of a page, within these projects, or all for None."""
    return {
        "first": 0,
        "before": ids.LARGEST if before is None else before,
        "limit": limit,
        "projects": None if project_ids is None else json_text(project_ids),
        "ids": None,
    }


def one(number: int) -> dict[str, object]:
    """The window that holds one id."""
    return {"first": number, "before": number + 1, "limit": 1, "projects": None, "ids": None}


def these(numbers: Collection[int]) -> dict[str, object]:
    """The window that holds these ids, of which there is at least one."""
    first, last = min(numbers), max(numbers)
    return {
        "first": first,
        "before": last + 1,
        "limit": len(numbers),
        "projects": None,
        "ids": json_text(tuple(numbers)),
    }


def found(rows: Sequence[sqlite3.Row], prefix: str, number: int) -> sqlite3.Row:
    """The one row.

    Raises:
        NotFound: there is none.
    """
    if not rows:
        raise missing(prefix, number)
    return rows[0]


def missing(prefix: str, number: int) -> errors.NotFound:
    """That there is no such thing."""
    return errors.NotFound(ids.NOUNS[prefix], ids.encode(prefix, number))


def require_project(connection: sqlite3.Connection, project_id: int) -> None:
    """Make sure that a project is live.

    Raises:
        NotFound: it is not.
    """
    if connection.execute(_LIVE_PROJECT, (project_id,)).fetchone() is None:
        raise missing(ids.PROJECT, project_id)


@contextlib.contextmanager
def unique(noun: str, name: str) -> Iterator[None]:
    """Report what a unique index refuses as a name that is taken."""
    try:
        yield
    except sqlite3.IntegrityError as problem:
        if problem.sqlite_errorname != "SQLITE_CONSTRAINT_UNIQUE":
            raise
        raise errors.NameTaken(noun, name) from None


def note(
    connection: sqlite3.Connection, kind: JournalKind, *, at: int, project_id: int, subject_id: int
) -> None:
    """Write a change to the journal."""
    connection.execute(
        _NOTE,
        {
            "at": at,
            "kind": kind,
            "project": project_id,
            "category": subject_id if kind is JournalKind.CATEGORY_CHANGED else None,
            "subject": subject_id,
        },
    )


def json_text(value: Any) -> str:  # any JSON value
    """JSON, as it is stored and as `json_each` takes lists."""
    return msgspec.json.encode(value).decode()


def given(change: msgspec.Struct) -> dict[str, Any]:
    """The members of a change that are not left out."""
    return {
        name: value
        for name, value in msgspec.structs.asdict(change).items()
        if value is not msgspec.UNSET
    }

"""A notification and the tools of a notifier, as tests want them."""

import io
from collections.abc import Mapping
from typing import Any, TextIO

import msgspec
from hypothesis import strategies as st

from slowping.core.notification import Notification
from slowping.notifiers.port import Http, HttpAnswer, HttpFailure, Tools

NOW_MS = 1_772_793_000_000  # 2026-03-06T10:30:00Z

BUG = Notification(
    delivery_id=7_000_000_000_000_001,
    event_id=7_000_000_000_000_000,
    project="default",
    category="bug",
    title="🐛 Bug",
    body="Critical database connection error",
    fields=(("severity", "high"), ("retry_count", "3")),
    data={"severity": "high", "retry_count": 3},
    color=0xE74C3C,
    occurred_at=NOW_MS,
    received_at=NOW_MS,
    source=None,
    dialect="intake",
)


def bug(**changes: Any) -> Notification:
    """The bug of the seeds, with changes."""
    return msgspec.structs.replace(BUG, **changes)


def long_text(max_size: int, letters: str | None = None) -> st.SearchStrategy[str]:
    """Texts of every length up to `max_size`; the long ones are short ones over and over."""
    pieces = st.text(letters, min_size=1, max_size=12) if letters else st.text(max_size=12)
    return st.builds(
        lambda piece, times: (piece * times)[:max_size], pieces, st.integers(0, max_size)
    )


class ScriptedHttp:
    """Answers what it was told to, and remembers what was posted."""

    def __init__(self, answer: HttpAnswer | HttpFailure | None = None) -> None:
        self.answer = answer or HttpAnswer(204, {}, b"")
        self.posts: list[tuple[str, bytes, Mapping[str, str]]] = []

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout_s: float = 15.0
    ) -> HttpAnswer:
        """Remember the request, give the answer."""
        self.posts.append((url, content, headers))
        if isinstance(self.answer, HttpFailure):
            raise self.answer
        return self.answer


class Unplugged(ScriptedHttp):
    """Must not be used."""

    async def post(self, *args: Any, **kwargs: Any) -> HttpAnswer:
        """Refuse."""
        raise AssertionError("the wrong client was used")


def tools(
    section: Any = None,
    *,
    http: Http | None = None,
    guarded_http: Http | None = None,
    terminal: TextIO | None = None,
    now_ms: int = NOW_MS,
) -> Tools:
    """Tools that do what the test says and nothing else."""
    return Tools(
        http=http or Unplugged(),
        guarded_http=guarded_http or Unplugged(),
        now_ms=lambda: now_ms,
        terminal=terminal or io.StringIO(),
        section=section,
    )

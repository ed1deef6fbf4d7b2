"""Draw all there is to know of an API key; its value is known to nobody any more."""

from collections.abc import Iterable
from typing import Final

from textual.content import Content

from slowping.core import text
from slowping.core.api_key import ApiKey
from slowping.tui.api_key import standing
from slowping.tui.api_key.standing import Standing
from slowping.tui.figures import numbers
from slowping.tui.widgets.pane import heading

_WIDTH: Final = 10

_COLORS: Final = {
    Standing.LIVE: "$text-success",
    Standing.REPLACED: "$text-warning",
    Standing.EXPIRED: "$text-error",
    Standing.REVOKED: "$text-muted",
}


def card(key: ApiKey, now_ms: int, *, is_own: bool) -> Content:
    """The key, what it may do, and who used it."""
    stands = standing.standing(key, now_ms)
    title = Content.assemble(
        (text.one_line(key.name), "bold"), "  ", (stands.value, _COLORS[stands])
    )
    own = [Content.styled("This live view uses it.", "$text-warning")] if is_own else []
    return Content("\n\n").join(
        [
            Content("\n").join([title, *own, *_lines(_head(key, now_ms))]),
            Content("\n").join([heading("May"), *_lines(_rights(key))]),
            Content("\n").join([heading("Used"), *_lines(_use(key, now_ms))]),
        ]
    )


def _head(key: ApiKey, now_ms: int) -> Iterable[tuple[str, str]]:
    yield "begins", f"{key.prefix}…"
    yield "kind", key.kind.value
    yield "issued", standing.moment(key.created_at, now_ms)
    if key.revoked_at is not None:
        yield "revoked", standing.moment(key.revoked_at, now_ms)
    elif key.expires_at is None:
        yield "expires", "never"
    else:
        until = standing.moment(key.expires_at, now_ms)
        yield "expires", f"{until} ({standing.end(key, now_ms)})"
    if key.rotated_to is not None:
        yield "replaced by", key.rotated_to
    yield "id", key.id


def _rights(key: ApiKey) -> Iterable[tuple[str, str]]:
    yield "scopes", " ".join(scope.value for scope in key.scopes)
    yield "home", key.project
    yield "projects", standing.reach(key)
    rate = f"{numbers.whole(key.rate_limit)} requests a minute" if key.rate_limit else "unlimited"
    yield "rate limit", rate
    if key.origins:
        yield "web pages", " ".join(key.origins)


def _use(key: ApiKey, now_ms: int) -> Iterable[tuple[str, str]]:
    if key.last_used_at is None:
        yield "last", "never"
        return
    yield "last", standing.moment(key.last_used_at, now_ms)
    yield "from", key.last_used_from or "an address that was not kept"


def _lines(rows: Iterable[tuple[str, str]]) -> list[Content]:
    return [
        Content.assemble((f"{name:<{_WIDTH}}  ", "$text-muted"), text.one_line(said))
        for name, said in rows
    ]

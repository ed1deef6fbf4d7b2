"""Draw a channel: how it stands in a word, and all there is to know of it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from textual.content import Content

from slowping.core import text, times
from slowping.core.category import Category
from slowping.core.channel import Channel, ChannelTest
from slowping.core.overview import ChannelFigures
from slowping.tui.channel import standing, words
from slowping.tui.channel.standing import Standing
from slowping.tui.figures import numbers
from slowping.tui.widgets import drawing
from slowping.tui.widgets.pane import heading

_COLORS: Final = {
    Standing.SENDING: "$text-success",
    Standing.PAUSED: "$text-warning",
    Standing.TROUBLED: "$text-error",
}

_WIDTH: Final = 10
_MOMENT: Final = re.compile(r"_(until|at)\Z")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A channel, and what else is known of it."""

    channel: Channel
    figures: ChannelFigures | None
    categories: Sequence[Category]
    test: ChannelTest | None
    """What the latest test since the start has shown."""
    now_ms: int


def card(known: Known) -> Content:
    """All there is to know."""
    blocks = (
        _head(known),
        _pause(known),
        _figures(known),
        _error(known),
        _test(known),
        _routes(known),
        _settings(known.channel.settings),
    )
    return Content("\n\n").join([block for block in blocks if block])


def _head(known: Known) -> Content:
    channel = known.channel
    stands = standing.standing(channel, known.figures)
    title = Content.assemble(
        (text.one_line(channel.name), "bold"), "  ", (stands.marked, _COLORS[stands])
    )
    kind = f"{channel.kind}, ad hoc: made by a request" if channel.ad_hoc else channel.kind
    lines = _lines(
        ("kind", kind),
        ("project", channel.project),
        ("created", _moment(times.to_ms(channel.created_at))),
        ("id", channel.id),
    )
    return Content("\n").join([title, *lines])


def _pause(known: Known) -> Content:
    paused_at, reason = known.channel.paused_at, known.channel.paused_reason
    if paused_at is None:
        return _held(known)
    since = f"Since {drawing.clock(paused_at, known.now_ms)}"
    why = text.one_line(reason) if reason else "Nobody said why."
    then = "Its deliveries wait; s resumes it, and they go out in order."
    return Content("\n").join(
        [
            heading("Paused"),
            Content(f"{since}: {why}"),
            Content.styled(then, "$text-muted"),
        ]
    )


def _held(known: Known) -> Content:
    held_until, reason = known.channel.held_until, known.channel.held_reason
    if held_until is None:
        return Content("")
    now = "A message tries it when there is one"
    at = drawing.clock(held_until, known.now_ms)
    when = now if times.to_ms(held_until) <= known.now_ms else f"A message tries it at {at}"
    then = "As soon as one arrives, all that waits goes out in order; t tests it now."
    return Content("\n").join(
        [
            heading("Troubled"),
            Content(f"{when}: {text.one_line(reason or 'nobody said why')}"),
            Content.styled(then, "$text-muted"),
        ]
    )


def _figures(known: Known) -> Content:
    figures = known.figures
    if figures is None:
        return Content("")
    of = " attempts" if figures.delivered or figures.troubled else ""
    rows = [("went well", f"{standing.ratio(figures)}{of}")]
    if figures.delivered:
        half, most = map(numbers.latency, (figures.latency_p50_ms, figures.latency_p95_ms))
        rows.append(("took", f"{half} for half of them, {most} for 95%"))
    for name, hours in (("delivered", figures.hours), ("failures", figures.troubled_hours)):
        if any(hours):
            rows.append((name, drawing.sparkline(hours, nothing="·")))
    rows.append(("now", numbers.backlog(figures.waiting, figures.failed)))
    return Content("\n").join([heading("The last 24 hours"), *_lines(*rows)])


def _error(known: Known) -> Content:
    figures = known.figures
    if figures is None or not figures.last_error:
        return Content("")
    at = figures.last_error_at
    when = f", {drawing.clock(at, known.now_ms)}" if at is not None else ""
    return Content("\n").join(
        [heading(f"Last error{when}"), Content(text.one_line(figures.last_error))]
    )


def _test(known: Known) -> Content:
    return _headed("Last test", tested(known.channel, known.test)) if known.test else Content("")


def tested(channel: Channel, test: ChannelTest) -> Content:
    """What a test has shown, and what to do now."""
    good = test.outcome == "delivered"
    lines = [
        Content.styled(
            f"{'✓' if good else '✗'} {text.one_line(words.ended(test))}",
            "$text-success" if good else "$text-error",
        )
    ]
    lines += [
        Content(text.visible(said).expandtabs(4)) for said in (test.reason, test.excerpt) if said
    ]
    lines.append(Content.styled(words.advice(channel, test), "$text-muted"))
    return Content("\n").join(lines)


def _routes(known: Known) -> Content:
    naming, everywhere = words.routes(known.channel, known.categories)
    said = [
        Content.assemble(drawing.listed(names), (f"  {why}", "$text-muted"))
        for names, why in ((naming, "by name"), (everywhere, "as every channel does"))
        if names
    ]
    if not said and known.channel.ad_hoc:
        said.append(Content("What names it in the request, and nothing else."))
    nothing = Content("Nothing: no category leads to it.")
    return _headed("Gets events of", *(said or [nothing]))


def _settings(settings: Mapping[str, Any]) -> Content:
    if not settings:
        return _headed("Settings", Content.styled("All as they are by default.", "$text-muted"))
    return _headed("Settings", *_lines(*((name, _shown(name, v)) for name, v in settings.items())))


def _shown(name: str, value: Any) -> str:  # any JSON value
    if _MOMENT.search(name) and isinstance(value, int):
        return _moment(value)
    if isinstance(value, list) and not any(isinstance(each, list | dict) for each in value):
        return ", ".join(map(text.show, value))
    return text.show(value)


def _headed(title: str, *lines: Content) -> Content:
    return Content("\n").join([heading(title), *lines])


def _lines(*rows: tuple[str, str]) -> Iterable[Content]:
    """Names on the left; what is longer than the line is folded."""
    width = max(len(text.one_line(name)) for name, _ in rows)
    return [
        Content.assemble(
            (drawing.fit(text.one_line(name), min(max(width, _WIDTH), 16)), "$text-muted"),
            "  ",
            text.one_line(value),
        )
        for name, value in rows
    ]


def _moment(ms: int) -> str:
    return f"{times.to_datetime(ms).astimezone():%Y-%m-%d %H:%M:%S}"

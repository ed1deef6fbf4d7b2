"""Say what is asked before many are moved, how far that is, and why there is nothing to see."""

from collections.abc import Mapping
from typing import Final

from textual.content import Content

from slowping.core import text
from slowping.core.delivery import Replayed
from slowping.tui.delivery.errand import Errand, Verb
from slowping.tui.delivery.groups import View, key_of
from slowping.tui.delivery.round import Round
from slowping.tui.sifting.standing import Standing

_BAR: Final = 20
"""Cells of the bar that shows how far an act is."""

_NAMED: Final = 3
"""So many groups are named in a question."""

_SHORT: Final = 120
"""Characters of each."""


def question(act: Errand) -> tuple[str, str]:
    """What is asked before many are moved, and what follows."""
    about = described(act)
    what = f"{act.verb.word} {act.counted}?"
    is_one = act.number == 1 and act.is_exact
    if act.verb is Verb.DISCARD:
        one = "It is not sent any more. A retry brings it back."
        many = "They are not sent any more. A retry brings them back."
    else:
        one = "It goes out at once. All attempts so far stay on record."
        many = "They go out at once, in steps that esc stops. All attempts so far stay on record."
    return what, f"{about}\n{one if is_one else many}"


def described(act: Errand) -> str:
    """Of which groups the deliveries of an act are, in a few lines."""
    keys = dict.fromkeys([*act.groups, *map(key_of, act.deliveries)])
    several = len({key.project for key in keys}) > 1
    said = [
        f"{text.one_line(key.project)} ▸ " * several
        + f"{text.one_line(key.channel)}: {text.one_line(key.error or key.standing.value)}"
        for key in keys
    ]
    shown = [text.shorten(each, _SHORT) for each in said[:_NAMED]]
    more = [f"and {len(said) - _NAMED:,} more groups"] if len(said) > _NAMED else []
    return "\n".join([*shown, *more])


def progress(act: Round) -> Content:
    """How far the act is, or what came of it."""
    said = act.say()
    if not act.is_over:
        bar = _bar(act.seen, max(act.seen, act.errand.number))
        hint = "stopping" if act.is_stopped else "esc stops"
        return Content.assemble(
            " ", (bar, "$text-accent"), f" {said} ", (f" {hint}", "$text-muted")
        )
    mark, tone = ("⟳", "$text-warning")
    if act.is_settled:
        mark, tone = ("✗", "$text-error") if act.has_failed else ("✓", "$text-success")
    return Content.assemble(" ", (mark, tone), f" {said}", ("  esc closes", "$text-muted"))


def replayed(told: Replayed) -> str:
    """What a replay does, or would do: `312 events: 280 go out again, 32 are made`."""
    events = "1 event" if told.events == 1 else f"{told.events:,} events"
    parts = [
        f"{number:,} {one if number == 1 else many}"
        for number, one, many in (
            (told.queued, "goes out again", "go out again"),
            (told.made, "is made", "are made"),
        )
        if number
    ]
    return f"{events}: {', '.join(parts) or 'nothing goes out'}"


def nothing(view: View, totals: Mapping[Standing, int], *, in_group: bool) -> tuple[str, str]:
    """Why nothing is shown where there is nothing, and which key helps."""
    if in_group:
        return "Nothing is left here: it has all moved on.", "esc goes back to the groups."
    waiting = totals.get(Standing.WAITING, 0)
    if view is View.FAILED:
        waits = "1 waits for its turn" if waiting == 1 else f"{waiting:,} wait for their turn"
        return (
            "No delivery has failed.",
            f"{waits}: f shows what waits." if waiting else "None waits either. f f shows all.",
        )
    if view is View.WAITING:
        return "Nothing waits to be delivered.", "f shows all there were."
    return (
        "No deliveries yet.",
        "An event makes one for each channel it goes to. w sends a time window's events again.",
    )


def _bar(done: int, total: int) -> str:
    full = _BAR * done // max(1, total)
    return "█" * full + "░" * (_BAR - full)

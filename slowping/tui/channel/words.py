"""Put into words what goes with a channel, and what a test of it has shown."""

from collections.abc import Collection, Iterable

from slowping.core.category import Category
from slowping.core.channel import Channel, ChannelTest
from slowping.tui.figures import numbers
from slowping.tui.widgets.drawing import listed


def free_name(kind: str, taken: Collection[str]) -> str:
    """A name for a new channel that is not taken: the kind's, or with a number behind it."""
    numbered = (f"{kind}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (kind, *numbered) if name not in taken)


def routes(channel: Channel, categories: Iterable[Category]) -> tuple[list[str], list[str]]:
    """The categories that name the channel, and those that go to every channel.

    To an ad hoc channel goes only what names it in the request.
    """
    own = [each for each in categories if each.project == channel.project]
    naming = [each.name for each in own if channel.name in each.channels]
    everywhere = [] if channel.ad_hoc else [each.name for each in own if not each.channels]
    return naming, everywhere


def loss(channel: Channel, categories: Iterable[Category], waiting: int, *, more: bool) -> str:
    """What goes with a channel that is removed; `more` is whether more wait than were counted."""
    own = [each for each in categories if each.project == channel.project]
    muted = [each.name for each in own if each.channels == (channel.name,)]
    poorer = [each.name for each in own if channel.name in each.channels and each.name not in muted]
    said = []
    if waiting:
        deliveries = "delivery" if waiting == 1 and not more else "deliveries"
        said.append(
            f"{'More than ' if more else ''}{waiting:,} waiting {deliveries} will be discarded."
        )
    else:
        said.append("No delivery waits for it.")
    if muted:
        said.append(
            f"Events of {listed(muted)} will go nowhere, until the category gets another channel."
        )
    if poorer:
        said.append(f"Events of {listed(poorer)} will go to their other channels only.")
    if not muted and not poorer:
        said.append("No category names it.")
    return " ".join(said)


# Tests ---------------------------------------------------------------------------------------


def ended(test: ChannelTest) -> str:
    """How a test ended: `delivered in 120 ms, status 204`."""
    status = "" if test.status is None else f", status {test.status}"
    took = numbers.latency(test.duration_ms)
    match test.outcome:
        case "delivered":
            return f"delivered in {took}{status}"
        case "retry":
            return f"failed after {took}{status}"
        case "unknown":
            return f"no answer after {took}, it may have arrived"
        case "throttled":
            return f"told to wait after {took}{status}"
        case other:
            return f"{other} after {took}{status}"


def advice(channel: Channel, test: ChannelTest) -> str:
    """What a person can do now."""
    if test.outcome == "delivered":
        resume = " It is paused: s resumes it." if channel.paused_at is not None else ""
        return f"See whether it has arrived.{resume}"
    if "allow_networks" in (test.reason or ""):
        return (
            "Whoever runs the server decides which addresses may be reached. The configuration is "
            "the file that `slowping serve --config` names, or the config.toml that it finds."
        )
    if test.outcome == "retry" and test.status is not None:
        return _by_status(test.status)
    return _ADVICE.get(test.outcome, "")


_SETTINGS = "See whether the settings are right: e changes them, t tests again."
_ADVICE = {
    "retry": "No answer came. See whether the address is right and the far side is up; what is "
    "to be delivered is tried again by itself.",
    "unknown": "No answer came, but it may have arrived: look there.",
    "throttled": "The far side has had enough for now: test again once the time is over. "
    "Deliveries wait as well.",
    "rejected": f"The far side does not take such a message. {_SETTINGS}",
    "unusable": f"Nothing is taken until that is put right. {_SETTINGS}",
}


def _by_status(status: int) -> str:
    """About answers after which a delivery is tried again; SMTP has none of the codes named."""
    if 300 <= status < 400:
        return f"The address leads to another one, which is not followed. {_SETTINGS}"
    if status in (401, 403):
        return f"The far side does not let it in. {_SETTINGS}"
    if status == 404:
        return f"Nothing is at that address. {_SETTINGS}"
    return (
        "The far side is there, and could not take it now. What is to be delivered is tried again "
        "by itself; t tests again."
    )

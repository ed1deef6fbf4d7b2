"""Decide when a far side that keeps failing is left alone, and when one message tries it again."""

from typing import Final

import msgspec

from slowping.core.delivery import Delivered, Outcome, Rejected, Retry, Unusable

CHANNEL: Final = "channel:"
"""Before a channel's number: the scope that is its own."""

KEPT_AS: Final = "breaker:"
"""Before the scope of a breaker that is kept: what a far side asks for is kept under the scope."""

STREAK: Final = 5
"""So many failures in a row open a breaker."""

WINDOW: Final = 20
"""And so do failures that are half of so many attempts."""

FIRST_WAIT_S: Final = 30.0
"""Until the first probe; twice as long after each that fails."""

LONGEST_WAIT_S: Final = 900.0

HOPELESS_MS: Final = 5 * 86_400_000
"""A breaker that was open so long, with `HOPELESS_FAILURES`, is one for a person to look at."""

HOPELESS_FAILURES: Final = 20


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """How a far side did of late. A closed breaker lets messages through, an open one does not.

    Moments are UTC milliseconds.
    """

    recent: tuple[bool, ...] = ()
    """Whether the latest attempts went well, the newest last."""
    failures: int = 0
    """Since the last that went well."""
    since: int | None = None
    """When it was opened; None while it is closed."""
    until: int = 0
    """Nothing is tried before; from then on one message is, as a probe."""
    asked_until: int = 0
    """Before this moment the far side does not want to be asked again."""


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """Leave for a single message while a breaker is open."""

    by_hand: bool = False
    """Whether a person asked for it, and means what he had retried."""
    may_be_early: bool = False
    """Whether it may be one that is not due yet, if it has certainly not arrived before."""


def went_well(outcome: Outcome) -> bool | None:
    """Whether the far side is all right, to judge by an outcome; None where that says nothing.

    Who refuses one message is all right, and so is who asks to wait, which is a hold's affair.
    """
    match outcome:
        case Delivered() | Rejected():
            return True
        case Retry():
            return False
        case Unusable():
            return None if outcome.answer.status is None else True
    return None


def is_there(outcome: Outcome) -> bool:
    """Whether the provider does its work, for all that went wrong.

    Who answers by 4xx has looked at what he got: a wrong path of a host, a mailbox that is full, a
    recipient who is greylisted. 421 is a mail server that closes.
    """
    status = outcome.answer.status
    return status is not None and 400 <= status < 500 and status != 421


def succeeded(breaker: Breaker) -> Breaker:
    """After something went well: one that was open is closed, and forgets."""
    recent = () if breaker.since is not None else (*breaker.recent, True)[-WINDOW:]
    return Breaker(recent=recent, asked_until=breaker.asked_until)


def failed(breaker: Breaker, *, now: int, asked_s: float = 0.0) -> Breaker:
    """After a failure; `asked_s` is how long the far side asks to be left alone."""
    asked_until = now + round(asked_s * 1000) if asked_s else 0
    seen = msgspec.structs.replace(
        breaker,
        recent=(*breaker.recent, False)[-WINDOW:],
        failures=breaker.failures + 1,
        asked_until=max(breaker.asked_until, asked_until),
    )
    if breaker.since is None:
        if seen.failures < STREAK and seen.recent.count(False) < WINDOW // 2:
            return seen
    elif now < breaker.until:
        # It was on its way already, or a person asked for it: no reason to wait longer.
        return seen
    return opened(seen, now=now)


def opened(breaker: Breaker, *, now: int) -> Breaker:
    """Opened now, or open for another while: as long as it has been, and half a minute more."""
    since = now if breaker.since is None else min(breaker.since, now)
    wait_ms = min(now - since + FIRST_WAIT_S * 1000, LONGEST_WAIT_S * 1000)
    until = max(now + round(wait_ms), breaker.asked_until)
    return msgspec.structs.replace(breaker, since=since, until=until)


def set_back(breaker: Breaker, by: int) -> Breaker:
    """As it stands after the clock was set back by so many milliseconds."""
    return msgspec.structs.replace(
        breaker,
        since=None if breaker.since is None else breaker.since - by,
        until=max(0, breaker.until - by),
        asked_until=max(0, breaker.asked_until - by),
    )


def is_hopeless(breaker: Breaker, *, now: int) -> bool:
    """Whether it has failed so long and so often that a person should look at it."""
    return (
        breaker.since is not None
        and now - breaker.since >= HOPELESS_MS
        and breaker.failures >= HOPELESS_FAILURES
    )

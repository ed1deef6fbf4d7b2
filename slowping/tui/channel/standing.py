"""Decide how a channel stands."""

import enum

from slowping.core.channel import Channel
from slowping.core.overview import ChannelFigures
from slowping.tui.figures import numbers


class Standing(enum.Enum):
    """How a channel stands."""

    SENDING = "sending"
    PAUSED = "paused"
    TROUBLED = "troubled"

    @property
    def marked(self) -> str:
        """The word with its mark: `● sending`."""
        return f"{_MARKS[self]} {self.value}"


_MARKS = {Standing.SENDING: "●", Standing.PAUSED: "⏸", Standing.TROUBLED: "✗"}


def standing(channel: Channel, figures: ChannelFigures | None) -> Standing:
    """How a channel stands, with its figures where they are known."""
    if channel.held_until is not None and channel.paused_at is None:
        return Standing.TROUBLED
    return standing_of(figures, paused=channel.paused_at is not None)


def standing_of(figures: ChannelFigures | None, *, paused: bool) -> Standing:
    """A channel is troubled if most went wrong in the latest hour in which anything was tried.

    It is not from the moment on that something is delivered again.
    """
    if paused:
        return Standing.PAUSED
    if figures is not None and figures.mended_at is None:
        tried = zip(reversed(figures.hours), reversed(figures.troubled_hours), strict=False)
        for good, bad in tried:
            if good or bad:
                return Standing.TROUBLED if bad >= good else Standing.SENDING
    return Standing.SENDING


def ratio(figures: ChannelFigures | None) -> str:
    """How many attempts went well: `98% of 120`."""
    tried = figures.delivered + figures.troubled if figures else 0
    if figures is None or not tried:
        return "-"
    return f"{numbers.percent(figures.delivered, tried)} of {tried:,}"

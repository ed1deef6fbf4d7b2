"""Say how channels stand and why, in the words of the live view."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from slowping.cli import output
from slowping.core.channel import Channel
from slowping.core.overview import ChannelFigures

if TYPE_CHECKING:
    from slowping.client.client import Client


async def figures(client: "Client", project: str | None) -> Mapping[str, ChannelFigures]:
    """The figures of channels, by id."""
    return {one.id: one for one in (await client.overview(project=project)).channels}


def state(channel: Channel, figures: ChannelFigures | None) -> str:
    """How it stands: `sending`, `paused` or `troubled`."""
    from slowping.tui.channel import standing

    return standing.standing(channel, figures).value


def why(channel: Channel, figures: ChannelFigures | None) -> str:
    """What keeps it from sending; empty where nothing does, or nobody said."""
    if channel.paused_at is not None:
        return channel.paused_reason or ""
    if channel.held_until is not None:
        return f"{channel.held_reason}; next try {output.moment(channel.held_until)}"
    if figures is not None and state(channel, figures) == "troubled":
        return figures.last_error or ""
    return ""

"""Keep what deliveries are shown with: channels, schedules of kinds, looks of categories."""

from collections.abc import Iterable, Sequence

import msgspec

from slowping.core.category import Category
from slowping.core.channel import Channel, ChannelKind
from slowping.tui.delivery.errand import Scene


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Names that are known."""

    projects: Sequence[str]
    channels: Sequence[str]
    categories: Sequence[str]


class Surroundings:
    """Everything around deliveries that is known."""

    def __init__(self) -> None:
        self.scene = Scene(channels={}, is_whole=False)
        self.schedules: dict[str, tuple[float, ...]] = {}
        """Seconds to wait after each attempt, by kind of channel."""
        self.emojis: dict[tuple[str, str], str] = {}
        """By project and category."""

    def know_channels(self, channels: Iterable[Channel], *, is_whole: bool) -> None:
        """All channels, or the first thousand of them."""
        self.scene = Scene(
            channels={(each.project, each.name): each for each in channels}, is_whole=is_whole
        )

    def know_channel(self, channel_id: str, channel: Channel | None) -> None:
        """A channel has changed, or was removed."""
        kept = {key: each for key, each in self.scene.channels.items() if each.id != channel_id}
        if channel is not None:
            kept[channel.project, channel.name] = channel
        self.scene = msgspec.structs.replace(self.scene, channels=kept)

    def know_kinds(self, kinds: Iterable[ChannelKind]) -> None:
        """How often each kind is tried."""
        self.schedules = {each.kind: each.retry_delays for each in kinds if each.retry_delays}

    def know_categories(self, categories: Iterable[Category]) -> None:
        """How categories look."""
        self.emojis |= {(each.project, each.name): each.emoji for each in categories}

    def names(self) -> Names:
        """The names that somebody may want to type."""
        return Names(
            projects=sorted({project for project, _ in self.scene.channels}),
            channels=sorted({name for _, name in self.scene.channels}),
            categories=sorted({name for _, name in self.emojis}),
        )

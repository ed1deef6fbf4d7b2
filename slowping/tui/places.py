"""List the places of the live view: the screens, their keys and where each one is found."""

import importlib
from typing import TYPE_CHECKING, Final

import msgspec

from slowping.tui.command import Command

if TYPE_CHECKING:
    from slowping.tui.place_screen import PlaceScreen


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A screen that a key leads to."""

    name: str
    """The noun: its commands are in `commands/<name>.py`."""
    key: str
    title: str
    help: str
    screen: str
    """Module and class, loaded when the place is first shown."""

    def command(self) -> Command:
        """What leads there."""
        title = " ".join(word if word.isupper() else word.lower() for word in self.title.split())
        return Command(
            id=f"place.{self.name}",
            name=f"Go to {title}",
            help=self.help,
            key=self.key,
            where="everywhere",
        )

    def open(self) -> "PlaceScreen":
        """The screen, new."""
        module, _, name = self.screen.partition(":")
        screen: PlaceScreen = getattr(importlib.import_module(module), name)()
        return screen


PLACES: Final = (
    Place(
        name="feed",
        key="1",
        title="Feed",
        help="Events as they come in, and what becomes of their deliveries.",
        screen="slowping.tui.screens.feed:FeedScreen",
    ),
    Place(
        name="delivery",
        key="2",
        title="Deliveries",
        help="What failed, what waits, and what to do about it.",
        screen="slowping.tui.screens.delivery:DeliveryScreen",
    ),
    Place(
        name="channel",
        key="3",
        title="Channels",
        help="Where notifications go to, how that fares, and settings, tests and pauses.",
        screen="slowping.tui.screens.channel:ChannelScreen",
    ),
    Place(
        name="category",
        key="4",
        title="Categories",
        help="The drawers that events go into, how much comes in, and code that sends to them.",
        screen="slowping.tui.screens.category:CategoryScreen",
    ),
    Place(
        name="overview",
        key="5",
        title="Overview",
        help="Events of today, this week and this month, sums of numbers, and how channels do.",
        screen="slowping.tui.screens.overview:OverviewScreen",
    ),
    Place(
        name="api_key",
        key="6",
        title="API keys",
        help="Who may send and read, until when, and who used which key last.",
        screen="slowping.tui.screens.api_key:ApiKeyScreen",
    ),
    Place(
        name="project",
        key="7",
        title="Projects",
        help="What each project holds and may be sent, and which one is looked at.",
        screen="slowping.tui.screens.project:ProjectScreen",
    ),
)
"""In the order of their keys; the first one is where a newcomer starts."""

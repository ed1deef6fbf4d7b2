"""Fill the command palette: every command that works now, servers, and what one can jump to."""

import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final, cast

from textual.command import Hit, Hits, Provider
from textual.content import Content

from slowping.core import ids, text
from slowping.tui import act
from slowping.tui.command import Command, Commanded, action_of, shown_keys
from slowping.tui.commands import rows

if TYPE_CHECKING:
    from slowping.tui.app import SlowpingApp
    from slowping.tui.settings import Profile

_MOST: Final = 1_000
_FORGET: Final = "forget"

Offer = tuple[str, str, Callable[[], Awaitable[None]]]
"""A name, what it does, and the doing."""


class _Offers(Provider):
    """Offers what `offers` has, by names that are like what was typed."""

    discovered = True
    """Whether all is offered before anything is typed."""
    rank: float = 0
    """What is offered before anything is typed stands above what has a lower one."""

    def offers(self, typed: str) -> Iterable[Offer]:
        """What there is."""
        del typed
        return ()

    async def search(self, query: str) -> Hits:
        """What is like the words."""
        matcher = self.matcher(query)
        for name, help_text, run in self.offers(query):
            score, places = matcher.fuzzy_search.match(query, name)
            if score > 0:
                # Not the matcher's own highlighting, which reads the name as markup.
                shown = Content(name)
                for place in places:
                    shown = shown.stylize(matcher.match_style, place, place + 1)
                yield Hit(score, shown, run, text=name, help=help_text)

    async def discover(self) -> Hits:
        """All, as long as nothing is typed."""
        for name, help_text, run in self.offers("") if self.discovered else ():
            # Not the hit for this, which has no rank: providers are asked in any order.
            yield Hit(self.rank, Content(name), run, text=name, help=help_text)

    @property
    def live_view(self) -> "SlowpingApp":
        """The application, by its own type."""
        return cast("SlowpingApp", self.app)


class CommandProvider(_Offers):
    """The commands of the focused thing, of the screen and of the application, with their keys."""

    rank = 2
    moves = False
    """Whether these are the moves of the cursor, and nothing else."""

    def offers(self, typed: str) -> Iterable[Offer]:
        """One for each command, the nearest first."""
        del typed
        seen: set[str] = set()
        keymap = self.live_view.settings.keys
        for node in (self.focused, self.screen, self.app):
            if not isinstance(node, Commanded):
                continue
            for command, _ in node.answered.values():
                if command.id not in seen and (command in rows.MOVES) is self.moves:
                    seen.add(command.id)
                    keys = shown_keys(keymap.get(command.id, command.key))
                    yield command.name, f"{keys}  {command.help}", _runner(node, command)


class MoveProvider(CommandProvider):
    """The moves of the cursor, with their keys: who opens the palette looks for something else."""

    rank = -1
    moves = True


class PlaceProvider(_Offers):
    """The places."""

    rank = 1

    def offers(self, typed: str) -> Iterable[Offer]:
        """One for each place."""
        del typed
        from slowping.tui.places import PLACES

        for place in PLACES:
            command = place.command()
            go = functools.partial(self.live_view.action_go, place.name)
            yield command.name, f"{shown_keys(command.key)}  {command.help}", go


class ServerProvider(_Offers):
    """The servers that are remembered."""

    def offers(self, typed: str) -> Iterable[Offer]:
        """One for each server but the one that is looked at."""
        del typed
        app = self.live_view
        for profile in app.settings.remembered.profiles:
            if profile != app.profile:
                switch = functools.partial(app.switch_to, profile)
                yield f"Switch to {text.one_line(profile.name)}", "Look at this server.", switch


class ForgetProvider(_Offers):
    """The servers that are remembered, to be forgotten."""

    discovered = False

    def offers(self, typed: str) -> Iterable[Offer]:
        """One for each server but the one that is looked at, to who begins to type the word."""
        if not typed.strip().casefold().startswith(_FORGET[:3]):
            return  # a server's name switches to it, and lies next to nothing else
        app = self.live_view
        for profile in app.settings.remembered.profiles:
            if app.profile is None or profile.name != app.profile.name:
                name = text.upper_first(f"{_FORGET} {text.one_line(profile.name)}")
                yield (
                    name,
                    "Remember this server and its API key no more.",
                    _forgetter(app, profile),
                )


class JumpProvider(_Offers):
    """Categories, channels, projects, and an event or a delivery by its id."""

    discovered = False

    async def startup(self) -> None:
        """Ask the server once, when the palette opens."""
        app = self.live_view
        self._found: list[tuple[str, str, str, str]] = []
        self._projects: list[str] = []
        problem = await act.problem(self._ask)
        if problem is not None:
            app.tell(f"Nothing to jump to: {problem}", severity="warning")

    async def _ask(self) -> None:
        app = self.live_view
        categories = await app.client.list_categories(project=app.project, limit=_MOST)
        for category in categories.items:
            shown = f"{category.emoji} {category.name}"
            self._found.append(("feed", shown, "Show its events.", category.name))
        if "channel" in app.MODES:
            channels = await app.client.list_channels(project=app.project, limit=_MOST)
            for channel in channels.items:
                self._found.append(("channel", channel.name, "Show the channel.", channel.id))
        projects = await app.client.list_projects(limit=_MOST)
        if len(projects.items) > 1:
            self._projects = [each.name for each in projects.items if each.name != app.project]

    def offers(self, typed: str) -> Iterable[Offer]:
        """What was found, and an event or a delivery where an id was typed."""
        jump = self.live_view.jump
        for place, name, help_text, what in self._found:
            yield text.one_line(name), help_text, functools.partial(jump, place, what)
        for name in self._projects:
            shown = f"Look at the project {text.one_line(name)}"
            yield shown, "Every place shows it alone.", _looker(self.live_view, name)
        name = typed.strip()
        if ids.parse(ids.EVENT, name) is not None:
            yield name, "Show this event.", functools.partial(jump, "feed", name)
        if ids.parse(ids.DELIVERY, name) is not None:
            yield name, "Show this delivery.", functools.partial(jump, "delivery", name)


def _runner(node: Commanded, command: Command) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await node.app.run_action(action_of(command), node)

    return run


def _looker(app: "SlowpingApp", project: str) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        app.project = project

    return run


def _forgetter(app: "SlowpingApp", profile: "Profile") -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        from slowping.tui import switching

        app.run_worker(switching.forget(app, profile), group="forget")

    return run


PROVIDERS: Final = (
    CommandProvider, PlaceProvider, ServerProvider, JumpProvider, ForgetProvider, MoveProvider,
)  # fmt: skip

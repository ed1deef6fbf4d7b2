"""Fill the command palette: every command that works now, servers, and what one can jump to."""

import contextlib
import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final, cast

import msgspec
from textual.command import Hit, Hits, Provider
from textual.content import Content
from textual.worker import WorkerError

from slowping.core import ids, page, text
from slowping.tui import act, commands
from slowping.tui.command import Command, Commanded, Need, action_of, shown_keys
from slowping.tui.commands import rows
from slowping.tui.places import PLACES, Place
from slowping.tui.sifting.query import Query

if TYPE_CHECKING:
    from slowping.tui.app import SlowpingApp
    from slowping.tui.settings import Profile

_FORGET: Final = "forget"
_LESS: Final = 0.9
"""How much less something counts that is found by other words than its name, or is elsewhere."""

Run = Callable[[], Awaitable[None]]


class Offer(msgspec.Struct, frozen=True):
    """Something that can be chosen: a name, what it does, and the doing."""

    name: str
    help: str
    run: Run
    words: str = ""
    """By which it is found as well."""
    weight: float = 1.0
    """How much it counts beside what is found with it."""


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
        find = matcher.fuzzy_search.match
        for offer in self.offers(query):
            score, places = find(query, offer.name)
            score = max(score, _LESS * find(query, offer.words)[0]) * offer.weight
            if score > 0:
                # Not the matcher's own highlighting, which reads the name as markup.
                shown = Content(offer.name)
                for place in places:
                    shown = shown.stylize(matcher.match_style, place, place + 1)
                yield Hit(score, shown, offer.run, text=offer.name, help=offer.help)

    async def discover(self) -> Hits:
        """All, as long as nothing is typed."""
        for offer in self.offers("") if self.discovered else ():
            # Not the hit for this, which has no rank: providers are asked in any order.
            shown = Content(offer.name)
            yield Hit(self.rank, shown, offer.run, text=offer.name, help=offer.help)

    def keys_of(self, command: Command) -> str:
        """The command's keys, as the person has set them."""
        return shown_keys(self.live_view.settings.keys.get(command.id, command.key))

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
        for node in (self.focused, self.screen, self.app):
            if not isinstance(node, Commanded):
                continue
            for command, _ in node.answered.values():
                if command.id not in seen and (command in rows.MOVES) is self.moves:
                    seen.add(command.id)
                    told = f"{self.keys_of(command)}  {command.help}"
                    yield Offer(command.name, told, _runner(node, command))


class MoveProvider(CommandProvider):
    """The moves of the cursor, with their keys: who opens the palette looks for something else."""

    rank = -1
    moves = True


class PlaceProvider(_Offers):
    """The places."""

    rank = 1

    def offers(self, typed: str) -> Iterable[Offer]:
        """One for each place, which is found by what is there as well: by `category`, say."""
        del typed
        for place in PLACES:
            command = place.command()
            go = functools.partial(self.live_view.action_go, place.name)
            noun = place.name.replace("_", " ")
            yield Offer(command.name, f"{self.keys_of(command)}  {command.help}", go, noun)


class ElsewhereProvider(_Offers):
    """What can be done in other places, without something to be under the cursor there."""

    discovered = False

    def offers(self, typed: str) -> Iterable[Offer]:
        """One for each command, with the keys that lead there and do it."""
        del typed
        for place in PLACES:
            for command in commands.of_place(place.name):
                if place.name != self.app.current_mode and Need.ROW not in command.needs:
                    keys = f"{self.keys_of(place.command())} {self.keys_of(command)}"
                    run = _errand(self.live_view, place, command)
                    yield Offer(command.name, f"{keys}  {command.help}", run, weight=_LESS)


class ServerProvider(_Offers):
    """The servers that are remembered."""

    def offers(self, typed: str) -> Iterable[Offer]:
        """One for each server but the one that is looked at."""
        del typed
        app = self.live_view
        for profile in app.settings.remembered.profiles:
            if profile != app.profile:
                switch = functools.partial(app.switch_to, profile)
                name = f"Switch to {text.one_line(profile.name)}"
                yield Offer(name, "Look at this server.", switch)


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
                told = "Remember this server and its API key no more."
                yield Offer(name, told, _forgetter(app, profile))


class JumpProvider(_Offers):
    """Categories, channels, projects, and an event or a delivery by its id."""

    discovered = False

    async def startup(self) -> None:
        """Ask the server once, when the palette opens."""
        app = self.live_view
        self._found: list[Offer] = []
        problem = await act.problem(self._ask)
        if problem is not None:
            app.tell(f"Nothing to jump to: {problem}", severity="warning")

    async def _ask(self) -> None:
        app, most = self.live_view, page.MAX_LIMIT
        here = app.project
        for category in (await app.client.list_categories(project=here, limit=most)).items:
            name = self._placed(f"{category.emoji} {category.name}", category.project)
            sought = Query.exactly(project=category.project, category=category.name)
            show = functools.partial(app.sift, "feed", sought)
            self._found.append(Offer(name, "Show its events.", show))
        for channel in (await app.client.list_channels(project=here, limit=most)).items:
            show_it = functools.partial(app.jump, "channel", channel.id)
            name = self._placed(channel.name, channel.project)
            self._found.append(Offer(name, "Show the channel.", show_it))
        projects = [each.name for each in (await app.client.list_projects(limit=most)).items]
        for project in projects if len(projects) > 1 else ():
            if project != here:
                name = f"Look at the project {text.one_line(project)}"
                look = _looker(app, project)
                self._found.append(Offer(name, "Every place shows it alone.", look))

    def _placed(self, name: str, project: str) -> str:
        """The name, with its project where all of them are looked at."""
        where = "" if self.live_view.project else f" in {text.one_line(project)}"
        return f"{text.one_line(name)}{where}"

    def offers(self, typed: str) -> Iterable[Offer]:
        """What was found, and an event or a delivery where an id was typed."""
        yield from self._found
        jump, name = self.live_view.jump, typed.strip()
        if ids.parse(ids.EVENT, name) is not None:
            yield Offer(name, "Show this event.", functools.partial(jump, "feed", name))
        if ids.parse(ids.DELIVERY, name) is not None:
            yield Offer(name, "Show this delivery.", functools.partial(jump, "delivery", name))


def _runner(node: Commanded, command: Command) -> Run:
    async def run() -> None:
        await node.app.run_action(action_of(command), node)

    return run


def _errand(app: "SlowpingApp", place: Place, command: Command) -> Run:
    """Go to a place, and carry the command out there once what is there is loaded."""

    async def carry_out() -> None:
        screen = app.screen
        for worker in [each for each in app.workers if each.node is screen]:
            with contextlib.suppress(WorkerError):
                await worker.wait()
        nodes = (screen, *screen.query())
        answering = (n for n in nodes if isinstance(n, Commanded) and command.id in n.answered)
        if app.screen is screen and (node := next(answering, None)) is not None:
            await app.run_action(action_of(command), node)

    async def run() -> None:
        await app.action_go(place.name)
        app.run_worker(carry_out(), group="errand")

    return run


def _looker(app: "SlowpingApp", project: str) -> Run:
    async def run() -> None:
        app.project = project

    return run


def _forgetter(app: "SlowpingApp", profile: "Profile") -> Run:
    async def run() -> None:
        from slowping.tui import switching

        app.run_worker(switching.forget(app, profile), group="forget")

    return run


PROVIDERS: Final = (
    CommandProvider, PlaceProvider, ElsewhereProvider, ServerProvider, JumpProvider, ForgetProvider,
    MoveProvider,
)  # fmt: skip

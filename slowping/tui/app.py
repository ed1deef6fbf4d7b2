"""The application: owns the connection and what is remembered; everything else is in the places."""

import asyncio
import contextlib
import functools
import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import events, work
from textual.binding import BindingType
from textual.reactive import var
from textual.worker import WorkerError

from slowping.core import errors, text
from slowping.tui import act, switching
from slowping.tui.command import Commanded, binding, on_command, only_asks
from slowping.tui.commands import everywhere
from slowping.tui.figures.health import Health
from slowping.tui.figures.keeping import Figures
from slowping.tui.live import Lamp, Link, Live
from slowping.tui.places import PLACES
from slowping.tui.settings import Profile, Remembered, Settings
from slowping.tui.stylesheet import Stylesheet
from slowping.tui.telling import Telling

if TYPE_CHECKING:
    from slowping.client.client import Client
    from slowping.core.api_key import ApiKey
    from slowping.tui.sifting.query import Query

_LINE: Final = "line"
_CLOSING: Final = "closing"
Dial = Callable[[Profile], "Client"]


def wall_clock_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


def dial(profile: Profile) -> "Client":
    """A client for that server."""
    from slowping.client.client import Client

    data = Path(profile.data) if profile.data else None
    return Client(profile.server, profile.api_key, data=data)


class SlowpingApp(Commanded, Telling):
    """The live view."""

    TITLE = "slowping"
    CSS_PATH = Path(__file__).with_name("slowping.tcss")
    ENABLE_COMMAND_PALETTE = False  # it is a command like any other
    MODES: ClassVar = {place.name: place.open for place in PLACES}
    BINDINGS: ClassVar[list[BindingType]] = [
        binding(place.command(), f"go('{place.name}')") for place in PLACES
    ]

    READS = frozenset({_LINE, _CLOSING, "rights", "project", "figures", "health"})

    project: var[str | None] = var(None, init=False)
    """The project that is looked at; None is all that the key may see."""
    compact: var[bool] = var(False, init=False)
    """Whether every line is for rows."""

    def __init__(
        self,
        settings: Settings,
        profile: Profile | None = None,
        *,
        dial: Dial = dial,
        now_ms: Callable[[], int] = wall_clock_ms,
        tick_s: float = 1.0,
    ) -> None:
        """Without a profile it asks for one. Every `tick_s` seconds ages and countdowns move."""
        remembered = settings.remembered
        known = remembered.place in self.MODES
        # Where it starts is known before the first screen is made.
        self.DEFAULT_MODE = (  # type: ignore[misc]
            remembered.place if known and remembered.place else PLACES[0].name
        )
        super().__init__(now_ms)
        if remembered.theme in self.available_themes:
            self.theme = remembered.theme
        self.stylesheet = Stylesheet(variables=self.get_css_variables())
        self.settings = settings
        self.profile = profile
        self.tick_s = tick_s
        self.live = Live(self, now_ms)
        self.figures = Figures(self, now_ms)
        self.health = Health(self)
        self.may_administer = True
        """Whether the key may change things; it is taken to, until the server says otherwise."""
        self.own_key: ApiKey | None = None
        """The key that is used here, once the server has told of it."""
        self._dial = dial
        self._client: Client | None = None
        self._dialled: Profile | None = None
        self.set_reactive(SlowpingApp.project, remembered.project)
        self.set_reactive(SlowpingApp.compact, remembered.compact)

    @property
    def client(self) -> "Client":
        """The client of the server that is looked at.

        Raises:
            Unreachable: there is none yet.
        """
        if self._client is None:
            raise errors.Unreachable("No server is connected.")
        return self._client

    def on_mount(self) -> None:
        """Connect, or ask where to."""
        self._bind_keys()
        self.figures.begin()
        self.health.begin()
        self.theme_changed_signal.subscribe(self, lambda theme: self.remember(theme=theme.name))
        self.live.batch.subscribe(self, functools.partial(switching.heed, self))
        self.live.connection.subscribe(self, self._see_link)
        if self.profile is None:
            self.ask_where()
        else:  # once the first picture is drawn: loading the client would hold it up
            self.call_after_refresh(self.use, self.profile)

    async def on_event(self, event: events.Event) -> None:
        """Make harmless what is pasted: a field shows what is in it as it is."""
        if isinstance(event, events.Paste):
            event.text = text.visible(event.text)
        await super().on_event(event)

    def _bind_keys(self) -> None:
        """Bind the keys that the person has set, and say what is wrong with them."""
        if not self.settings.keys:
            return  # and load no commands of other places
        from slowping.tui.keys import keymap

        self.set_keymap(self.settings.keys)
        for problem in keymap.problems(self.settings.keys):
            self.tell(problem, severity="warning", title="Keys in tui.toml")

    async def on_unmount(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.close()

    # Servers and projects ---------------------------------------------------------------------

    def use(self, profile: Profile) -> None:
        """Look at this server from now on."""
        before, self.profile = self.profile, profile
        self.may_administer, self.own_key = True, None
        self._follow()
        if before not in (None, profile):
            self.live.leave()

    def watch_project(self, project: str | None) -> None:
        """Look at another project: everything is loaded anew."""
        self.remember(project=project)
        if self.profile is not None and self.is_running:
            self._follow()
            self.live.leave()

    @work(exclusive=True, group=_LINE)
    async def _follow(self) -> None:
        """Follow the feed of the profile's server, until another one is asked for."""
        # Off the loop: the first screen is drawn before the client is loaded.
        await asyncio.to_thread(importlib.import_module, "slowping.client.client")
        profile = self.profile
        if profile is None:
            return
        async with act.acting(self, f"Following {profile.server}", endless=True) as following:
            stream = self._reach(profile).stream(project=self.project)
            if self.project is None:
                await self.live.follow(stream)
            elif not await act.is_there(lambda: self.live.follow(stream)):
                switching.leave_project(self, "it is gone, or not for this key")
                return
        if (error := following.error) is not None:  # what trying again would not change
            lamp = Lamp.OFFLINE if isinstance(error, errors.Unreachable) else Lamp.REFUSED
            self.live.end(lamp, act.told(error), act.advice(error, asked=True))

    def _reach(self, profile: Profile) -> "Client":
        """The client of that profile; the one there is goes on with what it is doing."""
        if self._client is None or profile != self._dialled:
            before, self._client = self._client, self._dial(profile)
            self._dialled = profile
            if before is not None:
                self._let_go(before)
        return self._client

    @work(group=_CLOSING)
    async def _let_go(self, client: "Client") -> None:
        """Close a client once the acts that were begun with it have ended, and told of it."""
        for worker in [each for each in self.workers if not only_asks(each)]:
            with contextlib.suppress(WorkerError):
                await worker.wait()
        await client.close()

    def _see_link(self, link: Link) -> None:
        if link.fresh:
            self._learn_rights()
        if link.trimmed:
            self.tell("The server no longer has all that was missed: loaded anew.")

    @work(exclusive=True, group="rights")
    async def _learn_rights(self) -> None:
        """See whether the key may administer; while nothing answers, nothing is known."""
        from slowping.tui.api_key import rights

        found = await rights.learn(self.client, self.profile.api_key if self.profile else "")
        if found is not None:
            self.may_administer, self.own_key = found.may_administer, found.own
            self.screen.refresh_bindings()

    @on_command(everywhere.PROJECT)
    @work(exclusive=True, group="project")
    async def choose_project(self) -> None:
        """Choose the project that is looked at."""
        await switching.choose_project(self)

    @on_command(everywhere.CONNECT)
    def ask_where(self) -> None:
        """Show the connect screen; what is remembered is filled in."""
        from slowping.tui.modals.connect import ConnectModal

        self.push_screen(ConnectModal(self.profile, self._dial), self._chosen)

    def _chosen(self, profile: Profile | None) -> None:
        if profile is not None:
            self.keep(lambda kept: kept.with_profile(profile))
            if self.profile is None or profile.name != self.profile.name:
                # Another server has other projects, whatever they are called.
                self.set_reactive(SlowpingApp.project, None)
                self.remember(project=None)
            self.use(profile)
        elif self.profile is None:
            self.exit()

    def remember(self, **what: Any) -> None:  # as the fields of Remembered are
        """Keep something for the next time."""
        self.keep(lambda kept: kept.changed(**what))

    def keep(self, change: Callable[[Remembered], Remembered]) -> None:
        """Change what is kept for the next time; that it cannot be kept stops nothing."""
        try:
            self.settings.change(change)
        except errors.ConfigError as error:
            self.tell_error("Remembering failed", error, "It holds until you leave.")

    # Going about ------------------------------------------------------------------------------

    async def action_go(self, place: str) -> None:
        """Go to a place."""
        if place != self.current_mode:
            self.let_news_go()
        self.remember(place=place)
        await self.switch_mode(place)

    async def jump(self, place: str, what: str) -> None:
        """Go to a place, and show there what has this id or name."""
        from slowping.tui.place_screen import PlaceScreen

        await self.action_go(place)
        if isinstance(self.screen, PlaceScreen):
            self.screen.jump(what)

    async def sift(self, place: str, query: "Query") -> None:
        """Go to a place, and show there what matches."""
        from slowping.tui.sifting.place import SiftedPlace

        await self.action_go(place)
        if isinstance(self.screen, SiftedPlace):
            self.screen.filter_bar.sought = query

    async def switch_to(self, profile: Profile) -> None:
        """Look at another server that is remembered."""
        self._chosen(profile)

    @on_command(everywhere.HELP)
    def show_help(self) -> None:
        """Show what can be done here."""
        from slowping.tui.modals.help import HelpModal

        self.push_screen(HelpModal(self.screen))

    @on_command(everywhere.PALETTE)
    def open_palette(self) -> None:
        """Open the command palette."""
        from textual.command import CommandPalette

        from slowping.tui import palette

        self.push_screen(CommandPalette(palette.PROVIDERS, placeholder="Type to find…"))

    @on_command(everywhere.JUMP)
    def jump_about(self) -> None:
        """Let a letter choose what has the focus."""
        from slowping.tui.modals.jump import JumpModal

        self.push_screen(JumpModal(self.screen), lambda chosen: chosen.focus() if chosen else None)

    @on_command(everywhere.THEME)
    def choose_theme(self) -> None:
        """Choose a theme."""
        self.search_themes()

    @on_command(everywhere.COMPACT)
    def toggle_compact(self) -> None:
        """Give every line to rows, or show again what each key does."""
        self.compact = not self.compact
        self.remember(compact=self.compact)

    @on_command(everywhere.ERRORS)
    def show_errors(self) -> None:
        """Show what went wrong so far."""
        from slowping.tui.modals.mishaps import MishapsModal

        self.push_screen(MishapsModal(tuple(reversed(self.mishaps))))

    @on_command(everywhere.RELOAD)
    def reload(self) -> None:
        """Follow the feed anew, which loads everything again."""
        if self.profile is not None:
            self._follow()
            self.tell("Loading again.")

    @on_command(everywhere.QUIT)
    def leave(self) -> None:
        """Leave."""
        self.exit()

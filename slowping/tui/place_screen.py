"""What every place is made of: status bar, its own middle, footer; loading, live items, keys.

A place of your own: subclass `PlaceScreen`, compose the middle in `compose_place`, ask the server
in `load` (inside of `acting`), take what the feed tells in `take`, mark methods with
`on_command`. Then list it in `places.py` and put its commands into `commands/<name>.py`.
"""

from typing import Final

from textual import getters
from textual._styles_cache import StylesCache
from textual.app import ComposeResult
from textual.screen import Screen
from textual.worker import Worker

from slowping.tui.app import SlowpingApp
from slowping.tui.command import ALONE, Command, Commanded, Need, on_command
from slowping.tui.commands import everywhere
from slowping.tui.live import Batch, Lamp, Link
from slowping.tui.widgets.filter_bar import FilterBar
from slowping.tui.widgets.key_bar import KeyBar
from slowping.tui.widgets.status_bar import StatusBar

WIDE: Final = 100
"""Columns from which on two panes stand side by side."""

_WITHOUT_LINE: Final = {
    **{lamp: f"not while {lamp.value}." for lamp in Lamp},
    Lamp.REFUSED: "the server refuses this API key; ctrl+o connects with another.",
}
"""Why something cannot be done that takes the server."""


class PlaceScreen(Commanded, Screen[None]):
    """One of the places that a number key leads to."""

    READS = frozenset({"load", "detail"})

    app = getters.app(SlowpingApp)
    status = getters.query_one(StatusBar)

    _away = False

    # Without ClassVar, as the base class has it.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        """The frame, which is the same in every place."""
        # Now, while there is nothing below: by a class that comes later all of it is styled anew.
        self.set_class(not self.app.live.link.stands, "-stale")
        self.set_class(self.app.compact, "-compact")
        self.add_class("-wide" if self.app.size.width >= WIDE else "-narrow")
        yield StatusBar(self.app.now_ms, self.app.figures.rate)
        yield from self.compose_place()
        yield KeyBar()

    # What a place says of itself --------------------------------------------------------------

    def compose_place(self) -> ComposeResult:
        """What stands between status bar and footer."""
        yield from ()

    def load(self) -> None:
        """Ask the server for all that is shown: at first, and when changes were missed.

        Called in the message loop: start a worker (`@work(exclusive=True, group="load")`).
        """

    def forget(self) -> None:
        """Let go of all that is known: another server or project is looked at from now on.

        What was being asked (`READS`) has been given up by then; acts go on.
        """

    def take(self, batch: Batch) -> None:
        """Take in what has happened since."""

    def take_figures(self) -> None:
        """Show the server's figures, which have changed."""

    def tick(self) -> None:
        """Let times move on; called once a second while the place is in sight."""

    def come_back(self) -> None:
        """Show what the feed does not tell: the person was in another place, not in a modal."""

    def see_link(self) -> None:
        """Say what follows from how the line is now."""

    def backlog(self) -> tuple[int, int] | None:
        """How many deliveries wait, and how many stand as failed, by what is shown here."""
        return self.app.figures.backlog

    def why_unknown(self) -> tuple[str, str]:
        """Why nothing is known yet, and what helps."""
        link = self.app.live.link
        if link.lamp in {Lamp.LIVE, Lamp.CONNECTING}:
            return "Loading…", ""
        if link.lamp is Lamp.REFUSED:
            return f"Refused: {link.reason}", link.advice
        return "Nothing is known while the server does not answer.", "ctrl+r tries now."

    def has_row(self) -> bool:
        """Whether something is under the cursor."""
        return True

    def jump(self, what: str) -> None:
        """Show the thing of this id or name."""

    def step_back(self) -> bool:
        """Close or clear one thing; False where there is nothing to step back from."""
        return False

    # What all have ----------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Listen to the outside, and load what is there if the line stands already."""
        live = self.app.live
        live.batch.subscribe(self, self._hear)
        live.left.subscribe(self, self._leave)
        live.connection.subscribe(self, self._see_link)
        self.app.figures.changed.subscribe(self, self._see_figures)
        self.watch(self.app, "doing", self._see_doing)
        self.watch(self.app, "compact", self._see_compact)
        self.set_interval(self.app.tick_s, self._tick)
        self._see_link(live.link)
        if live.link.stands and not live.link.fresh:
            self.load()

    def on_screen_suspend(self) -> None:
        """See whether it is another place that is shown now, or a modal over this one."""
        self._away = self not in self.app.screen_stack

    def on_screen_resume(self) -> None:
        """Show in the status bar what is true now, and let go of the modal that was here."""
        self.show_status()
        if self._away:
            self._away = False
            self.come_back()
        # It remembers up to 1,024 widgets that are gone, with all that they had drawn.
        StylesCache.get_inner_outer.cache_clear()

    def why_not(self, command: Command) -> str | None:
        """Why the command cannot be carried out now."""
        if not self.app.live.link.stands and {Need.LINE, Need.ADMIN} & set(command.needs):
            return _WITHOUT_LINE[self.app.live.link.lamp]
        if Need.ADMIN in command.needs and not self.app.may_administer:
            return "this API key may only read."
        if Need.ROW in command.needs and not self.has_row():
            return "nothing is selected."
        return super().why_not(command)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Grey out what has to wait for an act, until it has ended."""
        if event.worker.group == ALONE:
            self.refresh_bindings()

    @on_command(everywhere.BACK)
    def back(self) -> None:
        """Step back one level; at the top there is none."""
        if not self.step_back():
            self.app.tell("This is the top level; q quits.")

    def show_status(self) -> None:
        """Show in the status bar what is true now."""
        if not self.is_mounted:
            return
        profile = self.app.profile
        self.status.server = profile.server if profile else ""
        self.status.project = self.app.project
        self.status.link = self.app.live.link
        self.status.doing = self.app.doing
        self.status.backlog = self.backlog()

    def _leave(self, _: None) -> None:
        for group in self.READS:
            self.workers.cancel_group(self, group)
        self.forget()

    def _hear(self, batch: Batch) -> None:
        self.take(batch)

    def _see_link(self, link: Link) -> None:
        self.set_class(not link.stands, "-stale")
        self.show_status()
        self.refresh_bindings()
        self.see_link()
        if link.fresh:
            self.load()

    def _see_figures(self, _: None) -> None:
        self.status.backlog = self.backlog()
        self.take_figures()

    def _see_doing(self) -> None:
        self.show_status()

    def _see_compact(self) -> None:
        self.set_class(self.app.compact, "-compact")
        for bar in self.query(FilterBar):
            bar.quiet = self.app.compact

    def _tick(self) -> None:
        self.status.tick()
        if self.is_current:
            self.app.keep_clear()
            self.tick()

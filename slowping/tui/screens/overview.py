"""The overview: how much comes in, what its numbers add up to, and how the channels are doing."""

import json
from typing import ClassVar, Final

import msgspec
from textual import getters
from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll

from slowping.core.overview import CategoryFigures, Overview
from slowping.tui import act
from slowping.tui.command import Command, on_command
from slowping.tui.commands import overview
from slowping.tui.place_screen import PlaceScreen
from slowping.tui.sifting.query import Query
from slowping.tui.widgets.empty_state import EmptyState
from slowping.tui.widgets.overview import lines
from slowping.tui.widgets.overview.figure_list import FigureList
from slowping.tui.widgets.overview.titles import Titles
from slowping.tui.widgets.overview.totals import Totals
from slowping.tui.widgets.status_bar import time_of_day

BESIDE: Final = 150
"""Columns from which on categories and channels stand side by side."""

_SINCE: Final = "0.1.0"
"""The first version whose server counts."""


class OverviewScreen(PlaceScreen):
    """Figures that are kept as they are now."""

    AUTO_FOCUS = "#categories"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (BESIDE, "-wide")]  # noqa: RUF012 - as Textual's
    help_title: ClassVar[str] = "In the overview"
    totals = getters.query_one(Totals)
    categories = getters.query_one("#categories", FigureList)
    channels = getters.query_one("#channels", FigureList)
    empty = getters.query_one("#why", EmptyState)

    def compose_place(self) -> ComposeResult:
        """The totals; below them categories and channels."""
        with VerticalScroll(id="figures", classes="greys", can_focus=False):
            yield Totals()
            yield EmptyState(
                "No events yet. They will be counted here, with the sums of numbers in them.",
                "4 then c shows a line of code that sends the first one.",
                id="hint",
            )
            with Container(id="sections"):
                with Vertical(classes="section"):
                    yield Titles(lines.category_titles)
                    with VerticalScroll(can_focus=False):
                        yield FigureList("No categories: an event makes its own.", id="categories")
                with Vertical(classes="section"):
                    yield Titles(lines.channel_titles)
                    with VerticalScroll(can_focus=False):
                        yield FigureList("No channels: events are kept, not sent.", id="channels")
        yield EmptyState(id="why")

    def on_mount(self) -> None:
        """Nothing may be known yet."""
        self.take_figures()

    # What comes from outside ------------------------------------------------------------------

    def on_screen_resume(self) -> None:
        """Have the figures kept as they are now, as long as somebody looks at them."""
        self.app.figures.watch(True)
        if self.is_mounted:
            self._draw()

    def on_screen_suspend(self) -> None:
        """Nobody looks at them."""
        self.app.figures.watch(False)

    def take_figures(self) -> None:
        """Show the server's figures, which have changed."""
        if self.is_current:
            self._draw()

    def tick(self) -> None:
        """Let ages move on."""
        self._draw()

    # What the person does ---------------------------------------------------------------------

    @property
    def _list(self) -> FigureList:
        """The list that has the focus, or had it."""
        return self.channels if self.channels.has_focus else self.categories

    def has_row(self) -> bool:
        """Whether something is under the cursor."""
        return self._list.current is not None

    def why_not(self, command: Command) -> str | None:
        """All figures can be copied, whatever is under the cursor."""
        if command is overview.COPY_JSON:
            return None if self.app.figures.now else "there are no figures."
        return super().why_not(command)

    @on_command(overview.OPEN)
    async def look_into(self) -> None:
        """Go to the category's events, or to the channel."""
        what = self._list.current
        if what is None:
            return
        if self._list is self.channels:
            await self.app.jump("channel", what)
        else:
            project, name = msgspec.json.decode(what, type=tuple[str, str])
            await self.app.sift("feed", Query.exactly(project=project, category=name))

    @on_command(overview.COPY_JSON)
    def copy_json(self) -> None:
        """Send all figures to the terminal's clipboard."""
        if (figures := self.app.figures.now) is not None:
            self.app.copy_to_clipboard(json.dumps(msgspec.to_builtins(figures), indent=2))
            self.app.tell("The figures as JSON were sent to your terminal's clipboard.")

    async def on_figure_list_opened(self) -> None:
        """A second click is as good as enter."""
        await self.look_into()

    def on_figure_list_moved(self, message: FigureList.Moved) -> None:
        """Something else is under the cursor; above the first row there are the totals."""
        self.refresh_bindings()
        if message.figures is self.categories and not message.figures.cursor:
            self.query_one("#figures").scroll_home(animate=False)

    def on_figure_list_left(self, message: FigureList.Left) -> None:
        """Where lists stand below each other, the cursor goes on in the next one."""
        left, down = message.figures, message.by > 0
        if down is not (left is self.categories):
            self.query_one("#figures", VerticalScroll).scroll_relative(y=message.by, animate=False)
        elif self.size.width < BESIDE or not left.keys:
            following = self.channels if down else self.categories
            following.go(0 if down else len(following.keys) - 1)
            following.focus()

    # How it is drawn --------------------------------------------------------------------------

    def _draw(self) -> None:
        figures = self.app.figures.now
        shown = self.query_one("#figures")
        if shown.display is (figures is None):
            shown.display = figures is not None
            self.refresh_bindings()
        self.empty.display = figures is None
        if figures is None:
            self.empty.say(*self._why_empty())
        else:
            self._show(figures)

    def _show(self, figures: Overview) -> None:
        every, now = self.app.project is None, self.app.now_ms()
        as_of = self.app.figures.as_of_ms
        self.totals.show(figures, "" if as_of is None else time_of_day(as_of))
        self.query_one("#hint").display = not figures.events.total
        self.categories.show(
            {
                _key(each): lines.CategoryRow(figures=each, with_project=every)
                for each in figures.categories
            }
        )
        self.channels.show(
            {
                each.id: lines.ChannelRow(figures=each, with_project=every, now_ms=now)
                for each in figures.channels
            }
        )

    def _why_empty(self) -> tuple[str, str]:
        figures = self.app.figures
        if figures.is_too_old:
            return (
                "This server has no overview.",
                f"It takes slowping {_SINCE} or later, or another server: ctrl+o.",
            )
        if figures.problem is not None:
            why = act.told(figures.problem)
            return f"The overview could not be loaded: {why}", "ctrl+r tries again."
        return self.why_unknown()


def _key(figures: CategoryFigures) -> str:
    """By what a category is told from the others."""
    return msgspec.json.encode((figures.project, figures.category)).decode()

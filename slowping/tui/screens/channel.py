"""Channels: where notifications go, how that fares, and what can be done about it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.text import Text
from textual import work
from textual.content import Content

from slowping.core import text
from slowping.core.category import Category
from slowping.core.channel import Channel, ChannelKind, ChannelTest
from slowping.core.feed import CategoryChanged, ChannelChanged
from slowping.core.overview import ChannelFigures
from slowping.tui.act import acting
from slowping.tui.channel import card, row, standing, words
from slowping.tui.channel.card import Known
from slowping.tui.channel.row import Column
from slowping.tui.command import Command, alone, on_command
from slowping.tui.commands import channel as commands
from slowping.tui.live import Batch
from slowping.tui.table_place import TablePlace, every
from slowping.tui.widgets import drawing
from slowping.tui.widgets.table import cell

if TYPE_CHECKING:
    from slowping.tui.modals.channel.trial import TrialModal

_DELIVERIES: Final = "delivery"
"""The place that failed deliveries are looked at in."""


class ChannelScreen(TablePlace[Channel]):
    """One row a channel."""

    PLURAL = "channels"
    HINT = "words  state:troubled  configured  project:shop"
    help_title: ClassVar[str] = "Channels"

    def __init__(self) -> None:
        super().__init__()
        self._kinds: tuple[ChannelKind, ...] = ()
        self._categories: dict[str, Category] = {}
        self._tests: dict[str, ChannelTest] = {}
        """What the latest test of each has shown."""
        self._testing: set[str] = set()
        self._resuming: set[str] = set()
        self._figures: Mapping[str, ChannelFigures] = {}
        self._columns: Mapping[Column, int] = {Column.STATE: 10, Column.NAME: 10}

    # What is shown ----------------------------------------------------------------------------

    async def fetch(self) -> Sequence[Channel]:
        """Channels, and what is told beside them: who sends to them, and which kinds there are."""
        client, project = self.app.client, self.app.project
        channels, categories, self._kinds = await asyncio.gather(
            every(client.list_channels, project=project),
            every(client.list_categories, project=project),
            client.list_channel_kinds(),
        )
        self._categories = {each.id: each for each in categories}
        return channels

    def take(self, batch: Batch) -> None:
        """Take in what became of channels and of what leads to them."""
        told = [item for item in batch if isinstance(item, ChannelChanged | CategoryChanged)]
        if not told:
            return
        for item in told:
            self._learn(item)
        self.draw_in_sight()
        self.refresh_bindings()

    def _learn(self, item: ChannelChanged | CategoryChanged) -> None:
        match item:
            case ChannelChanged(id=key, channel=None):
                self.items.pop(key, None)
            case ChannelChanged(id=key, channel=Channel() as channel):
                self.items[key] = channel
            case CategoryChanged(id=key, category=None):
                self._categories.pop(key, None)
            case CategoryChanged(id=key, category=Category() as category):
                self._categories[key] = category

    def forget(self) -> None:
        """Neither channels nor what is told beside them are known."""
        self._kinds, self._categories, self._tests = (), {}, {}
        super().forget()

    def order(self, item: Channel) -> Any:
        """Ad hoc ones last, each project for itself."""
        return item.ad_hoc, item.project.casefold(), item.name.casefold()

    def draw(self) -> None:
        """Show the columns that there is room for."""
        overview = self.app.figures.now
        self._figures = {each.id: each for each in overview.channels} if overview else {}
        room = self.table.size.width - 1  # for a bar to scroll with
        widths = row.widths(
            self.items.values(), self._figures, with_project=self.app.project is None
        )
        self._columns = row.columns(room, widths)
        super().draw()

    def titles(self) -> Sequence[str]:
        """Those of the columns."""
        return [column.value for column in self._columns]

    def cells(self, item: Channel) -> Sequence[Text]:
        """What stands in each of the columns."""
        figures = self._figures.get(item.id)
        return [
            cell(
                drawing.fit(row.said(column, item, figures), width),
                self.table.tone(row.tone(column, item, figures)),
            )
            for column, width in self._columns.items()
        ]

    def facts(self, item: Channel) -> Mapping[str, str]:
        """What the filter looks at."""
        figures = self._figures.get(item.id)
        return {
            "name": item.name,
            "project": item.project,
            "kind": item.kind,
            "state": standing.standing(item, figures).value,
            "made": "ad hoc" if item.ad_hoc else "configured",
            "paused": item.paused_reason or "",
            "error": (figures.last_error or "") if figures else "",
        }

    def about(self, item: Channel) -> Content:
        """All there is to know of it."""
        return card.card(
            Known(
                channel=item,
                figures=self._figures.get(item.id),
                categories=tuple(self._categories.values()),
                test=self._tests.get(item.id),
                now_ms=self.app.now_ms(),
            )
        )

    def nothing(self) -> tuple[str, str]:
        """What a channel is."""
        kinds = ", ".join(text.one_line(kind.kind) for kind in self._kinds)
        what = "A channel is where notifications of events go to"
        where = f" in {text.one_line(self.app.project)}" if self.app.project else ""
        return f"No channels{where}.", f"{what}: {kinds or 'a webhook, say'}.\nn makes one."

    # What the person does ---------------------------------------------------------------------

    def why_not(self, command: Command) -> str | None:
        """A test at a time for each channel; and there has to be something to go to."""
        item = self.current
        if item is not None and command is commands.TEST and item.id in self._testing:
            return "a test of it is on its way."
        if item is not None and command is commands.PAUSE and item.id in self._resuming:
            return "it is being resumed."
        if command is commands.FAILED:
            figures = self._figures.get(item.id) if item else None
            if figures is not None and not figures.failed:
                return "no delivery of it stands as failed."
            if _DELIVERIES not in self.app.MODES:
                return "there is no place for deliveries."
        return super().why_not(command)

    @on_command(commands.NEW)
    @alone
    async def create(self) -> None:
        """Ask which kind, then for its settings."""
        from slowping.tui.modals.channel import asking

        projects: tuple[str, ...] = ()
        where = self.whereabouts()
        async with acting(self, "Looking where channels can be made"):
            await self._know_kinds()
            usual = self.current.project if self.current else None
            projects = await asking.projects(self.app, usual)
        kind = await asking.kind(self.app, self._kinds) if projects else None
        if kind is None:
            return
        taken = [item.name for item in self.items.values()]
        issued = await asking.new(self.app, kind, self._kinds, projects, taken)
        if issued is not None:
            self._show(issued.channel, "Created", where)

    @on_command(commands.EDIT)
    @alone
    async def change(self) -> None:
        """Ask for other settings."""
        from slowping.tui.modals.channel import asking

        if (item := self.current) is None:
            return
        where = self.whereabouts()
        async with acting(self, f"Looking what settings {item.name} can have"):
            await self._know_kinds()
        issued = await asking.changed(self.app, item, self._kinds) if self._kinds else None
        if issued is not None:
            self._show(issued.channel, "Changed", where)

    @on_command(commands.TEST)
    def test(self) -> None:
        """Send a test."""
        if (item := self.current) is not None:
            self._begin_test(item)

    def _begin_test(self, item: Channel) -> None:
        self._testing.add(item.id)
        self._test(item)

    @work(group="test")
    async def _test(self, item: Channel) -> None:
        from slowping.tui.modals.channel.trial import TrialModal

        modal = TrialModal(item, self.app.now_ms, self.app.tick_s)

        def go_on(again: bool | None) -> None:
            if again:
                self._begin_test(item)

        await self.app.push_screen(modal, go_on)
        came = None
        async with acting(self, f"Testing {item.name}") as ending:
            came = await self.app.client.test_channel(item.id)
        self._testing.discard(item.id)
        self.refresh_bindings()
        if came is not None:
            self._tests[item.id] = came
            self.draw()
            self._show_test(modal, item, came)
        elif ending.error is not None and modal.is_attached:
            modal.refuse(ending.error)

    @on_command(commands.PAUSE)
    @alone
    async def toggle_pause(self) -> None:
        """Ask why it is to pause; or let it send again."""
        from slowping.tui.modals.channel.pause import PauseModal

        if (item := self.current) is None:
            return
        if item.paused_at is not None:
            self._resuming.add(item.id)
            self._resume(item)
            return
        where = self.whereabouts()
        paused = await self.app.push_screen_wait(PauseModal(item))
        if paused is not None:
            if self.whereabouts() == where:
                self.put(paused)
            self.app.tell(f"Paused {item.name}: its deliveries wait.")

    @work(group="resume")
    async def _resume(self, item: Channel) -> None:
        self.refresh_bindings()
        done = f"Resumed {item.name}: what waited goes out in order."
        where = self.whereabouts()
        async with acting(self, f"Resuming {item.name}", done):
            resumed = await self.app.client.resume_channel(item.id)
            if self.whereabouts() == where:
                self.put(resumed)
        self._resuming.discard(item.id)
        self.refresh_bindings()

    @on_command(commands.FAILED)
    async def show_failed(self) -> None:
        """Go to the deliveries that have failed."""
        if (item := self.current) is not None:
            await self.app.jump(_DELIVERIES, item.name)

    @on_command(commands.REMOVE)
    @alone
    async def remove_channel(self) -> None:
        """Say what goes with it, and ask."""
        from slowping.tui.modals.channel import asking

        if (item := self.current) is None:
            return
        loss = None
        async with acting(self, f"Looking what waits for {item.name}"):
            loss = await asking.loss(self.app, item, self._categories.values())
        if loss is None or not await asking.really_remove(self.app, item, loss):
            return
        async with acting(self, f"Removing {item.name}", f"Removed {item.name}."):
            await self.app.client.remove_channel(item.id)
            self.drop(item.id)

    async def _know_kinds(self) -> None:
        """Ask for the kinds, where that went wrong at first."""
        self._kinds = self._kinds or await self.app.client.list_channel_kinds()

    # What is said of it -----------------------------------------------------------------------

    def _show(self, item: Channel, what: str, where: object) -> None:
        if self.whereabouts() == where:
            self.put(item)
            self.jump(item.id)
        self.app.tell(f"{what} {item.name}: t sends a test.")

    def _show_test(self, modal: "TrialModal", item: Channel, came: ChannelTest) -> None:
        """In the modal; who has gone on is told in a toast."""
        if modal.is_attached:
            modal.show(came)
        else:
            good = came.outcome == "delivered"
            why = f": {came.reason}" if came.reason else "."
            self.app.tell(
                f"The test of {item.name}: {words.ended(came)}{why}",
                severity="information" if good else "error",
            )

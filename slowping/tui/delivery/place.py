"""Show deliveries and keep them as they are: load, take what the feed tells, draw, tell of one."""

from collections.abc import Hashable, Sequence
from typing import ClassVar, Final

from textual import getters, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from slowping.core import page
from slowping.core.delivery import Delivery
from slowping.core.feed import CategoryChanged, ChannelChanged, DeliveryChanged, EventAccepted
from slowping.tui.act import acting
from slowping.tui.commands import delivery, rows
from slowping.tui.delivery import about, said
from slowping.tui.delivery.board import Board, Thing
from slowping.tui.delivery.groups import View, key_of, states_of
from slowping.tui.delivery.rows import PAGE, GroupRows
from slowping.tui.live import SURE_AFTER_S, Batch
from slowping.tui.sifting.place import SiftedPlace
from slowping.tui.widgets.empty_state import EmptyState
from slowping.tui.widgets.filter_bar import FilterBar
from slowping.tui.widgets.lines import Lines, Piece
from slowping.tui.widgets.pane import Pane

_MOST_PAGES: Final = 5
"""So many pages are looked through for those of a group that have no error."""


class DeliveryPlace(SiftedPlace):
    """Groups of deliveries, the deliveries of one, and one of them whole."""

    AUTO_FOCUS = "Lines"
    READS = SiftedPlace.READS | {"rows", "sure", "find"}
    help_title: ClassVar[str] = "In the deliveries"
    lines = getters.query_one(Lines)
    empty = getters.query_one(EmptyState)

    def __init__(self) -> None:
        super().__init__()
        self.board = Board()
        self._loading, self._failed = True, False
        self._known: tuple[str, about.Known | None] = ("", None)
        """What is known of the delivery of this id, beside itself."""
        self._told = Content("")
        self._can: tuple[str | None, ...] = ()
        self._awaited: str | None = None
        """What to go to once groups are known."""
        self._sure: Timer | None = None
        self._is_stale = False
        """Whether something has changed while nobody looked."""

    def compose_place(self) -> ComposeResult:
        """A filter, what is being done, titles and lines, the details when they are asked for."""
        yield FilterBar("words  project:shop  state:failed")
        yield Static(id="round")  # toasts would lie over it at the bottom
        with Container(id="panes"):
            with Container(id="list"):
                yield Static(id="titles", classes="greys")
                yield Lines(self._line, classes="greys")
                yield EmptyState()
            yield Pane(classes="greys")

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self.pane.display = False
        self.draw()

    # What comes from outside ------------------------------------------------------------------

    def load(self) -> None:
        """Load the groups, and the deliveries of the one that is looked into."""
        self.board.begin_anew(self.app.project)
        self._load()
        if self.board.opened is not None:
            self._load_rows(self.board.opened)

    def forget(self) -> None:
        """No delivery is known; an act on those of elsewhere goes on."""
        view, self.board = self.board.view, Board()
        self.board.view = view
        self._known, self._awaited, self._is_stale = ("", None), None, False
        self._loading, self._failed = True, False
        self.draw()

    @work(exclusive=True, group="load")
    async def _load(self) -> None:
        self._loading, self._failed = True, True
        client, project = self.app.client, self.app.project
        async with acting(self, "Loading the deliveries"):
            await self._load_groups()
            channels = await client.list_channels(project=project, limit=page.MAX_LIMIT)
            self.board.around.know_channels(channels.items, is_whole=channels.cursor is None)
            self.board.around.know_kinds(await client.list_channel_kinds())
            categories = await client.list_categories(project=project, limit=page.MAX_LIMIT)
            self.board.around.know_categories(categories.items)
        self._loading, self._awaited = False, None
        self.draw()

    async def _load_groups(self) -> None:
        view = self.board.view
        states = None if view is not View.ALL else states_of(view.loaded)
        told = await self.app.client.group_deliveries(project=self.app.project, states=states)
        self.board.groups.load(told, view.loaded)
        if self.board.opened is not None:
            self.board.groups.know(self.board.opened.rows.values())
        self._loading = self._failed = False
        awaited, self._awaited = self._awaited, None
        if awaited is not None:
            self.jump(awaited)
        self.draw()

    @work(exclusive=True, group="rows")
    async def _load_rows(self, opened: GroupRows, then: Delivery | None = None) -> None:
        """Load the deliveries of a group, and go to one of them, which may be older than these."""
        key, cursor = opened.key, None
        found = [] if then is None else [then]
        opened.expect()
        async with acting(self, "Loading the deliveries of the group"):
            for _ in range(_MOST_PAGES):
                told = await self.app.client.list_deliveries(
                    project=key.project, channel=key.channel, states=key.standing.states,
                    error=key.error, limit=PAGE, cursor=cursor,
                )  # fmt: skip
                found += [each for each in told.items if key_of(each) == key]
                cursor = told.cursor
                if cursor is None or len(found) >= PAGE:
                    break
            opened.load(found, is_whole=cursor is None)
            self.board.groups.know(opened.rows.values())
        opened.give_up()
        self.draw()
        if then is not None:
            self.lines.go_to(then.id)

    def take(self, batch: Batch) -> None:
        """Let deliveries move between groups, and count them."""
        changed = [item.delivery for item in batch if isinstance(item, DeliveryChanged)]
        for item in batch:
            if isinstance(item, ChannelChanged):
                self.board.around.know_channel(item.id, item.channel)
            elif isinstance(item, CategoryChanged) and item.category is not None:
                self.board.around.know_categories([item.category])
        self.board.take(changed)
        if changed or any(isinstance(each, EventAccepted) for each in batch):
            self._ask_to_be_sure()
        if self.is_current:
            self.draw()
            self._refresh_detail(changed)

    def _ask_to_be_sure(self) -> None:
        """Load the groups soon: the feed does not tell where each delivery stood before."""
        if self._sure is None:
            self._sure = self.set_timer(SURE_AFTER_S, self.make_sure)

    def make_sure(self) -> None:
        """Load the groups now, or once somebody looks."""
        if self._sure is not None:
            self._sure.stop()
            self._sure = None
        self._is_stale = not (self.app.live.link.stands and self.is_current)
        if not self._is_stale:
            self._make_sure()

    @work(exclusive=True, group="sure")
    async def _make_sure(self) -> None:
        async with acting(self, "Counting the deliveries", endless=True):
            await self._load_groups()

    def on_screen_resume(self) -> None:
        """Show what happened while nobody looked."""
        if self._is_stale:
            self.make_sure()
        self.draw()

    def see_link(self) -> None:
        """Say why nothing is shown."""
        if self.empty.display:
            self.draw()

    def tick(self) -> None:
        """Let ages and countdowns move on."""
        self.lines.refresh()
        self._tell()

    # What is shown ----------------------------------------------------------------------------

    def backlog(self) -> tuple[int, int] | None:
        """As the views count it: one screen does not say two things."""
        return self.board.groups.backlog or super().backlog()

    @property
    def current(self) -> Thing | None:
        """What is under the cursor."""
        return self.board.thing(self.lines.current)

    def draw(self) -> None:
        """Show what is known, as view and filter let it."""
        shown = self.board.shown(self.filter_bar.sought)
        titles = self.board.prepare(
            shown,
            self.lines.size.width or self.app.size.width,  # before it is laid out
            self.app.now_ms(),
            with_project=self.app.project is None and self.board.opened is None,
        )
        self.query_one("#titles", Static).update(Content.styled(titles, "$text-muted"))
        self.lines.show(shown)
        self.filter_bar.scope = self.board.scope()
        counted = self.board.counted(len(shown))
        self.filter_bar.say(Content.styled(f"{counted} ", "$text-muted"))
        # It lies over the lines, which keep the focus and its keys.
        self.empty.display = not shown
        if self.empty.display:
            self.empty.say(*self._why_empty())
        self._show_round()
        self.show_status()
        self._tell()
        self._see_what_can_be_done()

    def _line(self, key: Hashable) -> Sequence[Piece]:
        return self.board.line(key, self.app.now_ms())

    def _show_round(self) -> None:
        act, line = self.board.round, self.query_one("#round", Static)
        line.display = act is not None
        if act is not None:
            line.update(said.progress(act))

    def _why_empty(self) -> tuple[str, str]:
        opened = self.board.opened
        if not (opened.rows if opened else self.board.groups.shown(self.board.view)):
            if self._loading or (opened is not None and opened.is_expecting):
                return self.why_unknown()
            if self._failed or (opened is not None and not opened.loaded):
                return "The deliveries could not be loaded.", "ctrl+r tries again, ctrl+e says why."
        if self.filter_bar.sought.is_on:
            return (
                "Nothing matches the filter.",
                "esc clears it, ! turns it round, f looks further.",
            )
        return said.nothing(
            self.board.view, self.board.groups.totals(), in_group=opened is not None
        )

    def on_lines_moved(self) -> None:
        """Something else is under the cursor."""
        self._see_what_can_be_done()
        self.pane.scroll_home(animate=False)
        self.show_details()

    def on_lines_resized(self) -> None:
        """Other columns may have room."""
        self.draw()

    def on_filter_bar_changed(self) -> None:
        """Show what passes the filter."""
        self.draw()

    def _see_what_can_be_done(self) -> None:
        asked = (delivery.RETRY, delivery.RETRY_ALL, delivery.DISCARD, delivery.EVENT, rows.OPEN)
        can = tuple(self.why_not(command) for command in asked)
        if can != self._can:  # the footer is dear
            self._can = can
            self.refresh_bindings()

    # Details ----------------------------------------------------------------------------------

    def show_details(self) -> None:
        """Tell of a delivery, and ask for what its attempts were answered."""
        one = self.current
        if not self.pane.display or not isinstance(one, Delivery):
            return
        if self._known[0] != one.id:
            self._known = (one.id, None)
        self._tell()
        self._load_detail(one)

    @work(exclusive=True, group="detail")
    async def _load_detail(self, one: Delivery) -> None:
        async with acting(self, "Loading the attempts"):
            told = await self.app.client.show_event(one.event_id)
            self._known = (one.id, about.Known.of(told, one.id))
            self._tell()

    def _refresh_detail(self, changed: Sequence[Delivery]) -> None:
        one = self.current
        if isinstance(one, Delivery) and any(each.id == one.id for each in changed):
            self.show_details()

    def _tell(self) -> None:
        if not self.pane.display:
            return
        one, told = self.current, Content.styled("Nothing is selected.", "$text-muted")
        if isinstance(one, Delivery):
            known = self._known[1] if self._known[0] == one.id else None
            told = about.about(one, known, self.board.drawing(self.app.now_ms()))
        if not told.is_same(self._told):  # drawing it anew is dear
            self._told = told
            self.pane.tell(told)

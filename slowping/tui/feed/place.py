"""Show events and keep them as they are: load, take what the feed tells, tell of one and of all."""

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import getters, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.timer import Timer

from slowping.client import whereabouts
from slowping.core import text
from slowping.core.delivery import Delivery
from slowping.core.event import Event
from slowping.core.feed import CategoryChanged, DeliveryChanged, EventAccepted
from slowping.core.page import MAX_LIMIT
from slowping.tui.act import acting
from slowping.tui.commands import feed
from slowping.tui.live import SURE_AFTER_S, Batch
from slowping.tui.sifting.place import SiftedPlace
from slowping.tui.sifting.query import Query
from slowping.tui.widgets.detail import Detail
from slowping.tui.widgets.empty_state import EmptyState
from slowping.tui.widgets.feed_view import FeedView
from slowping.tui.widgets.filter_bar import FilterBar

PAGE: Final = MAX_LIMIT
"""So many events are loaded at once."""

_NOTICES: Final = 3
"""Most notices on the desktop that one batch makes."""
_ONE_BY_ONE: Final = 10
"""Up to so many uncertain events are asked for singly; more are loaded as a page."""


class FeedPlace(SiftedPlace):
    """Events, newest at the end, and one of them whole."""

    AUTO_FOCUS = "FeedView"
    READS = SiftedPlace.READS | {"settle", "find", "search"}
    help_title: ClassVar[str] = "In the feed"
    view = getters.query_one(FeedView)
    detail = getters.query_one(Detail)
    empty = getters.query_one(EmptyState)

    def __init__(self) -> None:
        super().__init__()
        self._loaded = self._failed = False
        self._unsure: set[str] = set()
        """Events of which it has to be asked how their deliveries stand."""
        self._sure: Timer | None = None
        self._can: tuple[bool, str | None] = (False, None)

    def compose_place(self) -> ComposeResult:
        """A filter, the list, and the details when they are asked for."""
        yield FilterBar()
        with Container(id="panes"):
            with Container(id="list"):
                yield FeedView(self.app.now_ms, classes="greys")
                yield EmptyState()
            yield Detail(self.app.now_ms, classes="greys")

    def on_mount(self) -> None:
        """Show what was remembered."""
        remembered = self.app.settings.remembered
        self.detail.display = False
        self.detail.markdown = remembered.markdown
        self.view.absolute = remembered.absolute_times
        self.filter_bar.sought = Query.read(remembered.filter, remembered.inverted)
        self._say()

    # What comes from outside ------------------------------------------------------------------

    def load(self) -> None:
        """Load categories and the last page."""
        self.view.with_project = self.app.project is None
        self.view.rows.expect()
        self._unsure.clear()
        self._load()

    @work(exclusive=True, group="load")
    async def _load(self) -> None:
        self._failed = False
        async with acting(self, "Loading the feed"):
            client, project = self.app.client, self.app.project
            found = await client.list_categories(project=project, limit=PAGE)
            page = await client.list_events(project=project, limit=PAGE)
            self.view.look(found.items)
            self.view.load(page.items)
            self._loaded = True
            self._say()
            return
        self._failed = True
        self.view.rows.give_up()
        self._say()

    def forget(self) -> None:
        """No event is known, and the one that was shown is of elsewhere."""
        self._loaded = self._failed = False
        self._unsure.clear()
        self.view.forget()
        self.detail.display = False
        self.detail.show(None, None)
        self._say()

    def see_link(self) -> None:
        """Say why nothing is shown, and ask for what could not be asked for."""
        self._say()
        self._ask_to_be_sure()

    def take(self, batch: Batch) -> None:
        """Show what has happened."""
        changed = [item.category for item in batch if isinstance(item, CategoryChanged)]
        if any(changed):
            self.view.look([each for each in changed if each])
        arrived = [item.event for item in batch if isinstance(item, EventAccepted)]
        if arrived:
            self.view.extend(arrived)
            self._ring(arrived)
        moved = [item.delivery for item in batch if isinstance(item, DeliveryChanged)]
        if moved:
            self.view.change(moved)
            self._see_what_can_be_done()
            self._refresh_detail(moved)

    def tick(self) -> None:
        """Let the ages move on."""
        self.view.tick()

    def on_feed_view_uncertain(self, message: FeedView.Uncertain) -> None:
        """Ask how the deliveries of old events stand that were tried again."""
        self._unsure.update(message.event_ids)
        self._ask_to_be_sure()

    def on_screen_resume(self) -> None:
        """Ask for what moved while nobody looked."""
        self._ask_to_be_sure()

    def _ask_to_be_sure(self) -> None:
        """Ask at once, or where that was done just now, a little later."""
        if self._sure is None:
            self.make_sure()

    def make_sure(self) -> None:
        """Ask now, or once somebody looks."""
        if self._sure is not None:
            self._sure.stop()
            self._sure = None
        if not (self._unsure and self.is_current and self.app.live.link.stands):
            return
        self._sure = self.set_timer(SURE_AFTER_S, self.make_sure)
        if len(self._unsure) > _ONE_BY_ONE:
            self.load()
        else:
            event_ids = sorted(self._unsure)
            self._unsure.clear()
            self._settle(event_ids)

    def on_feed_view_missing(self) -> None:
        """More went by than the list keeps."""
        self.app.tell("More went by than the list keeps: loaded anew.")
        self.load()

    @work(group="settle")
    async def _settle(self, event_ids: Sequence[str]) -> None:
        async with acting(self, "Looking how deliveries stand"):
            for event_id in event_ids:
                page = await self.app.client.list_deliveries(event=event_id, limit=PAGE)
                self.view.rows.settle(event_id, {each.id: each.state for each in page.items})
            self.view.refresh()

    def _ring(self, arrived: Sequence[Event]) -> None:
        settings = self.app.settings
        if any(event.category in settings.bell for event in arrived):
            self.app.bell()
        for event in [each for each in arrived if each.category in settings.notice][-_NOTICES:]:
            self.app.show_on_desktop(f"{event.category}: {event.description or 'new event'}")

    # What is shown ----------------------------------------------------------------------------

    @property
    def current(self) -> Event | None:
        """The event under the cursor."""
        row = self.view.current
        return row.event if row else None

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        """Show what passes the filter, and remember it."""
        self.view.sift(message.sought)
        self.app.remember(
            filter=" ".join(map(str, message.sought.terms)), inverted=message.sought.inverted
        )
        self._say()

    def on_feed_view_moved(self) -> None:
        """Another event is under the cursor."""
        self._see_what_can_be_done()
        if self.detail.display:
            self.detail.scroll_home(animate=False)
            self.show_details()

    def on_feed_view_changed(self) -> None:
        """The list follows or holds."""
        self._say()

    def _see_what_can_be_done(self) -> None:
        can = self.has_row(), self.why_not(feed.RETRY)
        if self._can != can:  # the footer is dear
            self._can = can
            self.refresh_bindings()

    # Details ----------------------------------------------------------------------------------

    def show_details(self) -> None:
        """Show the event, and ask for its deliveries."""
        event = self.current
        self.detail.show(event, None, self._emoji(event) if event else "")
        if event is not None:
            self._load_detail(event.id)

    @work(exclusive=True, group="detail")
    async def _load_detail(self, event_id: str) -> None:
        async with acting(self, "Loading the details"):
            found = await self.app.client.show_event(event_id)
            self.detail.show(found.event, found.deliveries, self._emoji(found.event))
            states = {each.delivery.id: each.delivery.state for each in found.deliveries}
            self.view.rows.settle(event_id, states)

    def _refresh_detail(self, moved: Sequence[Delivery]) -> None:
        row = self.view.current
        if not self.detail.display or row is None:
            return
        if any(each.event_id == row.event.id for each in moved):
            self._load_detail(row.event.id)

    def _emoji(self, event: Event) -> str:
        return self.view.look_of(event)[0]

    # What is said -----------------------------------------------------------------------------

    def _say(self) -> None:
        """Say what the list does, and why it is empty if it is."""
        self.filter_bar.say(self._doing())
        # It lies over the list, which keeps the focus and its keys.
        self.empty.display = not self.view.rows.shown
        if self.empty.display:
            self.empty.say(*self._why_empty())

    def _doing(self) -> Content:
        if self.view.following:
            return Content.styled("following ", "$text-success")
        if not self.view.new:
            return Content.styled("held ", "$text-warning")
        return Content.styled(f"held · {self.view.new} new, G follows ", "bold $text-warning")

    def _why_empty(self) -> tuple[str, str]:
        if self._failed and not len(self.view.rows):
            return "The feed could not be loaded.", "ctrl+r tries again, ctrl+e says why."
        if not self._loaded:
            return self.why_unknown()
        if len(self.view.rows):
            return (
                "No event matches the filter.",
                "s asks the server for older ones, esc clears it, ! turns it round.",
            )
        from slowping.tui.snippets import shell

        server = self.app.profile.server if self.app.profile else whereabouts.DEFAULT_SERVER
        return (
            "No events yet. Send the first one:",
            f"{shell.first(server, self.app.project)}\n\n"
            "4 then c shows such lines, and fills in a key.\n"
            f"Where the server runs: {text.one_line(shell.first_by_name(self.app.project))}",
        )

"""The feed: events as they come in, what becomes of them, and one of them whole."""

from collections.abc import Sequence

from textual import work

from slowping.core.delivery import Delivery, DeliverySelection, DeliveryState
from slowping.tui.act import acting
from slowping.tui.command import Command, alone, on_command
from slowping.tui.commands import feed
from slowping.tui.feed import older
from slowping.tui.feed.place import PAGE, FeedPlace
from slowping.tui.sifting.query import Query


class FeedScreen(FeedPlace):
    """The keys that do something with events."""

    def jump(self, what: str) -> None:
        """Show the event of this id."""
        shown = [row.event.id for row in self.view.rows.shown]
        if what in shown:
            self.view.go(shown.index(what))
            what = shown[self.view.cursor]
        self.detail.display = True
        self._load_detail(what)

    @on_command(feed.FILTER)
    def filter(self) -> None:
        """Let a person type a filter."""
        super().filter()

    @on_command(feed.SEARCH)
    def search(self) -> None:
        """Ask the server for older events that match the filter; let a person type it first."""
        query = self.filter_bar.sought
        if not query.is_on:
            self.filter()
            self.app.tell(older.NO_FILTER)
        elif reason := older.why_not(query, self.view.categories):
            self.app.tell(reason, severity="warning")
        else:
            self._search(query)

    @work(exclusive=True, group="search")
    async def _search(self, query: Query) -> None:
        async with acting(self, "Searching"):
            page = await self.app.client.list_events(
                project=self.app.project, limit=PAGE, **older.asked(query, self.view.categories)
            )
            if self.filter_bar.sought != query:
                return  # the person has gone on, and would wonder what that is
            number = self.view.put_among(page.items)
            self._say()
            more = f" These are the newest {PAGE}." if page.cursor else ""
            self.app.tell(f"{number or 'No'} older found on the server.{more}")

    @on_command(feed.TIMES)
    def toggle_times(self) -> None:
        """Show when, or how long ago."""
        self.view.absolute = not self.view.absolute
        self.app.remember(absolute_times=self.view.absolute)

    @on_command(feed.MARKDOWN)
    def toggle_markdown(self) -> None:
        """Draw the description as Markdown, or as it was sent."""
        self.detail.markdown = not self.detail.markdown
        self.app.remember(markdown=self.detail.markdown)
        if not self.detail.display:
            drawn = "as Markdown" if self.detail.markdown else "as it was sent"
            self.app.tell(f"The details show the description {drawn}.")

    def why_not(self, command: Command) -> str | None:
        """What has not failed is not tried again, and where there is none there is none to see."""
        row = self.view.current
        if command is feed.RETRY and row and not row.counts.get(DeliveryState.FAILED):
            return "no delivery of this event has failed."
        if command is feed.DELIVERIES and row and not row.counts:
            return "this event has no deliveries."
        return super().why_not(command)

    @on_command(feed.RETRY)
    @alone
    async def retry(self) -> None:
        """Try again what has failed of the event."""
        if not (row := self.view.current):
            return
        async with acting(self, f"Retrying the deliveries of {row.event.category}"):
            client = self.app.client
            found = await client.list_deliveries(
                event=row.event.id, states=[DeliveryState.FAILED], limit=PAGE
            )
            ids_of_failed = tuple(each.id for each in found.items)
            moved = await client.retry_deliveries(DeliverySelection(ids=ids_of_failed))
            self.app.tell(f"{moved.moved} of {len(ids_of_failed)} go out again.")

    @on_command(feed.DELIVERIES)
    @work(exclusive=True, group="find")
    async def go_to_deliveries(self) -> None:
        """Show a delivery of the event where deliveries are: one that failed, if any has."""
        if not (row := self.view.current):
            return
        found: Sequence[Delivery] = ()
        async with acting(self, "Looking for its deliveries"):
            page = await self.app.client.list_deliveries(event=row.event.id, limit=PAGE)
            found = page.items
        failed = (each for each in found if each.state is DeliveryState.FAILED)
        one = next(failed, found[-1] if found else None)
        if one is not None and self.is_current:  # and the person has not gone on meanwhile
            await self.app.jump("delivery", one.id)

    @on_command(feed.COPY_CURL)
    def copy_curl(self) -> None:
        """Send a curl line to the terminal's clipboard that would send the event again."""
        from slowping.tui.snippets import shell

        if (event := self.current) is not None:
            server = self.app.profile.server if self.app.profile else ""
            self.app.copy_to_clipboard(shell.again(server, event))
            self.app.tell("The curl line was sent to your terminal's clipboard.")

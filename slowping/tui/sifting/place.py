"""What every place with a filter above its rows is made of: sifting, details, copying, back."""

import json
from typing import ClassVar

import msgspec
from textual import getters

from slowping.tui.command import on_command
from slowping.tui.commands import rows
from slowping.tui.place_screen import PlaceScreen
from slowping.tui.widgets.filter_bar import FilterBar
from slowping.tui.widgets.pane import Pane


class SiftedPlace(PlaceScreen):
    """Rows that a filter lets through, and a pane that shows the one under the cursor whole."""

    AUTO_FOCUS: ClassVar[str]
    """The rows."""
    filter_bar = getters.query_one(FilterBar)
    pane = getters.query_one(Pane)

    # What a place says of itself --------------------------------------------------------------

    @property
    def current(self) -> object | None:
        """What is under the cursor, as it is copied; None where nothing is."""
        return None

    def show_details(self) -> None:
        """Fill the pane, which has just come in sight."""

    # What all of them have --------------------------------------------------------------------

    def has_row(self) -> bool:
        """Whether something is under the cursor."""
        return self.current is not None

    def step_back(self) -> bool:
        """Close the details, then clear the filter."""
        return self.close_details() or self.clear_filter()

    def close_details(self) -> bool:
        """Hide the pane; False where it was not in sight."""
        was_open = bool(self.pane.display)
        if was_open:
            self.pane.display = False
            self.query_one(self.AUTO_FOCUS).focus()
        return was_open

    def clear_filter(self) -> bool:
        """Filter nothing; False where nothing was filtered."""
        was_on = self.filter_bar.sought.is_on
        if was_on:
            self.filter_bar.action_clear()
        return was_on

    @on_command(rows.OPEN)
    def open(self) -> None:
        """Show the details, or hide them."""
        if not self.close_details():
            self.pane.display = True
            self.pane.scroll_home(animate=False)
            self.show_details()

    @on_command(rows.FILTER)
    def filter(self) -> None:
        """Let a person type a filter."""
        self.filter_bar.open()

    @on_command(rows.INVERT)
    def invert(self) -> None:
        """Show what does not match instead."""
        query = self.filter_bar.sought
        if query.is_on:
            self.filter_bar.sought = msgspec.structs.replace(query, inverted=not query.inverted)
        else:
            self.app.tell("There is no filter to turn round: / sets one.", severity="warning")

    @on_command(rows.COPY)
    def copy_json(self) -> None:
        """Send the row as JSON to the terminal's clipboard: in ASCII, safe to paste anywhere."""
        if (item := self.current) is not None:
            self.app.copy_to_clipboard(json.dumps(msgspec.to_builtins(item), indent=2))
            self.app.tell("The row as JSON was sent to your terminal's clipboard.")

"""The line above a list: what is filtered, and whether the list follows or holds."""

from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Static

from slowping.core import text
from slowping.tui.sifting.query import Query


class FilterBar(Horizontal):
    """Chips for what is on, and a field while something is being typed."""

    field = getters.query_one(Input)
    sought: reactive[Query] = reactive(Query(), init=False)
    quiet: reactive[bool] = reactive(False, init=False)
    """Whether it is seen only while it leaves something out, or is typed into."""
    scope: reactive[Content] = reactive(Content(""), init=False)
    """What is looked at, of which the filter shows a part; empty where that is everything."""

    class Changed(Message):
        """Another filter is on."""

        def __init__(self, query: Query) -> None:
            super().__init__()
            self.sought = query

    # With priority: what is typed after these must not end up in the field.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear the filter", priority=True),
        Binding("enter,down", "leave", "To the list", priority=True),
    ]

    def __init__(self, hint: str = "words  category:sale  project:shop  state:failed") -> None:
        """`hint` stands in the field while nothing is typed."""
        super().__init__()
        self._hint = hint
        self._before: Widget | None = None
        self._said = Content("")

    def compose(self) -> ComposeResult:
        """Chips, field, and what the list does."""
        yield Static(id="chips")
        yield Input(placeholder=self._hint, compact=True, select_on_focus=False)
        yield Static(id="says")

    def on_mount(self) -> None:
        """Nothing is being typed."""
        self.field.display = False
        self._show()

    @property
    def is_open(self) -> bool:
        """Whether something is being typed."""
        return bool(self.field.display)

    def open(self) -> None:
        """Let a person type."""
        self._before = self.screen.focused
        self.display = self.field.display = True
        self.field.value = _as_typed(self.sought)
        self.field.cursor_position = len(self.field.value)
        # At once, so that what is typed ahead is not lost.
        self.screen.set_focus(self.field)
        self._show()

    def say(self, what: Content) -> None:
        """Show on the right what the list does."""
        if what != self._said:  # it is said with every batch, and drawing it is dear
            self._said = what
            self.query_one("#says", Static).update(what)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        event.stop()
        if event.value != _as_typed(self.sought):
            self.sought = Query.read(event.value, self.sought.inverted)

    def on_input_blurred(self) -> None:
        """Who goes elsewhere has done typing."""
        self.field.display = False
        self._show()

    def watch_sought(self, query: Query) -> None:
        """Tell of another filter."""
        self._show()
        self.post_message(self.Changed(query))

    def watch_quiet(self) -> None:
        """Be seen, or not."""
        self._show()

    def watch_scope(self) -> None:
        """Something else is looked at."""
        self._show()

    def action_clear(self) -> None:
        """Filter nothing, and back to the list."""
        self.sought = Query()
        self.field.value = ""
        self.action_leave()

    def action_leave(self) -> None:
        """Back to where the person was; the filter stays."""
        if self.screen.focused is self.field:  # `has_focus` would come too late
            self.screen.set_focus(self._before)
        self.field.display = False
        self._show()

    def _show(self) -> None:
        says_something = self.is_open or self.sought.is_on or bool(self.scope)
        self.display = says_something or not self.quiet
        chips = self.query_one("#chips", Static)
        chips.update(_chips(self.sought, self.scope, typing=self.is_open))


def _as_typed(query: Query) -> str:
    """A filter made harmless: a field shows what is in it as it is."""
    return text.one_line(" ".join(map(str, query.terms)))


def _chips(query: Query, scope: Content, *, typing: bool) -> Content:
    if typing:
        return Content.styled(" / not " if query.inverted else " / ", "bold $accent")
    if not query.is_on:
        return scope or Content.styled(" Everything", "$text-muted")
    said = [text.one_line(str(term)) for term in query.terms]
    if query.inverted:  # what matches only some of them is shown: it is all of them or none
        said = [f"not {said[0]}" if len(said) == 1 else f"not ({' '.join(said)})"]
    chips = [Content.styled(f" {each} ", "bold $text on $accent-muted") for each in said]
    return Content.assemble(scope, " ", Content(" ").join(chips))

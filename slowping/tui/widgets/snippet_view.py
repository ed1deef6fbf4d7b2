"""Show a snippet with tabs above it, for the service and for the language."""

from collections.abc import Sequence
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style
from textual.widgets import Static

from slowping.core import text
from slowping.tui.snippets import writing
from slowping.tui.snippets.services import SERVICES, Service, Target
from slowping.tui.snippets.writing import LANGUAGES


class TabLine(Static):
    """Names side by side, of which one is chosen; a click chooses another."""

    chosen: reactive[int] = reactive(0, init=False)

    class Clicked(Message):
        """Another one is chosen."""

        def __init__(self, line: "TabLine", number: int) -> None:
            super().__init__()
            self.line = line
            self.number = number

    def __init__(self, names: Sequence[str], **kwargs: str) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]  # id and classes are texts
        self._names = names

    def watch_chosen(self) -> None:
        """Show which."""
        self._show()

    def on_resize(self) -> None:
        """There is room for more of them, or for fewer."""
        self._show()

    def action_choose(self, number: int) -> None:
        """Tell of the one that was clicked."""
        self.post_message(self.Clicked(self, number))

    def _show(self) -> None:
        self.update(tabs(self._names, self.chosen, self.size.width))


class SnippetView(Vertical, can_focus=True):
    """Left and right choose the service, up and down the language."""

    target: reactive[Target | None] = reactive(None, init=False)
    service_no: reactive[int] = reactive(0, init=False)
    language_no: reactive[int] = reactive(0, init=False)
    scroll = getters.query_one(VerticalScroll)

    class Turned(Message):
        """Another service or language is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "turn('service_no', -1)", show=False),
        Binding("right,l", "turn('service_no', 1)", show=False),
        Binding("up", "turn('language_no', -1)", show=False),
        Binding("down", "turn('language_no', 1)", show=False),
        Binding("ctrl+d,pagedown", "page(1)", show=False),
        Binding("ctrl+u,pageup", "page(-1)", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Two lines of tabs, and the code, which can be selected with the mouse."""
        yield TabLine([service.name for service in SERVICES], id="service_no")
        yield TabLine(LANGUAGES, id="language_no")
        with VerticalScroll(can_focus=False):
            yield Static(id="code")

    @property
    def service(self) -> Service:
        """The service that is chosen."""
        return SERVICES[self.service_no]

    @property
    def language(self) -> str:
        """The language that is chosen."""
        return LANGUAGES[self.language_no]

    @property
    def code(self) -> str | None:
        """What is shown; None where clients of the service cannot name the category."""
        if self.target is None or not self.service.can_name(self.target.category):
            return None
        return writing.snippet(self.service, self.language, self.target)

    def watch_target(self) -> None:
        """Another key, perhaps."""
        self._show()

    def watch_service_no(self) -> None:
        """Another service."""
        self._turned()

    def watch_language_no(self) -> None:
        """Another language."""
        self._turned()

    def action_turn(self, what: str, by: int) -> None:
        """The next one, or the one before, round and round."""
        count = len(SERVICES if what == "service_no" else LANGUAGES)
        setattr(self, what, (getattr(self, what) + by) % count)

    def on_tab_line_clicked(self, event: TabLine.Clicked) -> None:
        """The one that was clicked."""
        setattr(self, str(event.line.id), event.number)

    def action_page(self, by: int) -> None:
        """Move through code that is longer than its place."""
        self.scroll.scroll_relative(y=by * self.scroll.size.height // 2, animate=False)

    def _turned(self) -> None:
        self.scroll.scroll_home(animate=False)
        self._show()
        self.post_message(self.Turned())

    def _show(self) -> None:
        self.query_one("#service_no", TabLine).chosen = self.service_no
        self.query_one("#language_no", TabLine).chosen = self.language_no
        shown = Content(text.visible(self.code)) if self.code else self._unnameable()
        self.query_one("#code", Static).update(shown)

    def _unnameable(self) -> Content:
        said = (
            f"{self.service.name}'s clients cannot send to this name: they take "
            f"{self.service.rule}. Choose another service, or change the name."
        )
        return Content.styled(said, "$text-warning")


def tabs(names: Sequence[str], chosen: int, width: int) -> Content:
    """Names side by side, the chosen one in brackets; where there is no room, that one alone."""
    cells = [_tab(number, name, on=number == chosen) for number, name in enumerate(names)]
    line = Content("").join(cells)
    if line.cell_length <= width:
        return line
    return Content.assemble(
        ("◂ ", _link((chosen - 1) % len(names))),
        cells[chosen],
        (" ▸", _link((chosen + 1) % len(names))),
        (f"  {chosen + 1} of {len(names)}", "$text-muted"),
    )


def _tab(number: int, name: str, *, on: bool) -> Content:
    link = Content.styled(f"[{name}]" if on else f" {name} ", _link(number))
    return link.stylize("bold $text-accent" if on else "$text-muted")


def _link(number: int) -> Style:
    return Style.from_meta({"@click": f"choose({number})"})

"""Ask which time window goes out again; what would happen is counted before it does."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

import msgspec
from textual import getters, work
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Button, Input, Static

from slowping.core import errors, text, times
from slowping.core.delivery import Replay, Replayed
from slowping.tui import act
from slowping.tui.app import SlowpingApp
from slowping.tui.delivery import said
from slowping.tui.delivery.surroundings import Names
from slowping.tui.modals.line import Line, Row, choice
from slowping.tui.widgets.picking.choice_grid import ChoiceGrid

_HINT: Final = "Enter goes on, and in the end counts what would go out."
_MEANT: Final = "(y sends, esc leaves)"
_DOING: Final = "Replaying a time window"
_WAIT: Final = "It may take minutes. esc leaves it going, and you are told how it ended."
_SKIP, _AGAIN = "skip", "send again"
"""What becomes of what has arrived."""


class _State(Static):
    """What would happen; has the focus once that is counted, so that Enter does nothing then."""


class ReplayModal(ModalScreen[Replayed | None]):
    """Answers with what was done, or with None; what was typed stays until then."""

    app = getters.app(SlowpingApp)
    state = getters.query_one(_State)
    go = getters.query_one("#go", Button)

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel"),
        Binding("ctrl+s", "count", "Count"),
        Binding("y", "confirm", "Send"),
        # With priority: what is typed ahead must find the next field.
        Binding("enter", "next", show=False, priority=True),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, project: str | None, names: Names) -> None:
        """`project` fills the field in; `names` are offered while one types."""
        super().__init__()
        self._project = text.one_line(project or "")
        self._names = {
            "project": _by_words([*names.projects, project] if project else names.projects),
            "channel": _by_words(names.channels),
            "category": _by_words(names.categories),
        }
        self._counted: Replay | None = None
        """What was counted, as long as the fields still say that."""
        self._since_ms: int | None = None
        """Since when it is being sent."""
        self._left = False

    def compose(self) -> ComposeResult:
        """Five fields, a choice, what would happen, two buttons."""
        with Vertical(classes="dialog replay"):
            yield Static(Content.styled("Replay a time window", "bold"))
            yield _field("since", "1h", "2h, yesterday, 2026-11-20 14:00")
            yield _field("until", "", "now")
            yield _field("project", self._project, "all", self._names["project"])
            yield _field("channel", "", "all", self._names["channel"])
            yield _field("category", "", "all", self._names["category"])
            arrived = ChoiceGrid([choice(_SKIP), choice(_AGAIN)], [_SKIP])
            yield Row(Line(name="arrived", label="Delivered", control=arrived))
            yield _State(id="state")
            with Horizontal(classes="buttons"):
                yield Button("Count", id="go", variant="primary")
                yield Button("Cancel", id="cancel")

    def on_mount(self) -> None:
        """Start with the window."""
        self._say(_HINT, "$text-muted")
        self.set_interval(self.app.tick_s, self._show_wait)
        self.query_one("#since", Input).focus()

    def on_input_changed(self) -> None:
        """What was counted holds no more."""
        self._count_anew()

    def on_choice_grid_changed(self) -> None:
        """What was counted holds no more."""
        self._count_anew()

    def action_next(self) -> None:
        """Go on to the next field; after the last one, count."""
        if not isinstance(self.focused, Input):
            raise SkipAction
        if self.focused.id == "category":
            self.action_count()
        else:
            self.focus_next()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Count, send what was counted, or leave."""
        if event.button.id == "cancel":
            self.action_leave()
        elif self._counted is None:
            self.action_count()
        else:
            self.action_confirm()

    def action_leave(self) -> None:
        """Leave; what is being sent goes on, and what has come of it is told then."""
        self._left = True
        self.dismiss(None)

    def action_count(self) -> None:
        """Count what would go out."""
        if self._since_ms is None:
            self._count()

    def action_confirm(self) -> None:
        """Send what was counted."""
        if self._counted is not None and self._since_ms is None:
            self._since_ms = self.app.now_ms()
            self._show_wait()
            # Of the app, so that it goes on when this closes.
            self.app.run_worker(self._send(self._counted), group="replay")

    @work(exclusive=True, group="count")
    async def _count(self) -> None:
        self._forget()
        self._say("Counting…", "$text-muted")
        found = await act.answer(self._ask)
        if isinstance(found, errors.SlowpingError):
            self._say(f"✗ {act.told(found)}", "$text-error")
            if isinstance(found, errors.NotFound):
                self._blame(found.noun)
            return
        asked, told = found
        if not told.queued and not told.made:
            self._say(_nothing(told, again=asked.again), "$text-warning")
            return
        self._counted = asked
        self._say(f"{said.replayed(told)} {_MEANT}", "$text-success")
        self.go.label = f"Send {told.queued + told.made:,}"
        # A stray Enter sends nothing, and loses nothing.
        self.state.can_focus = True
        self.state.focus()

    async def _ask(self) -> tuple[Replay, Replayed]:
        asked, client = self._typed(), self.app.client
        told = await client.replay(msgspec.structs.replace(asked, dry_run=True))
        if not told.queued and not told.made:  # perhaps because a name is wrong
            for noun, name, fetch in (
                ("channel", asked.channel, client.list_channels),
                ("category", asked.category, client.list_categories),
            ):
                if name and not (await fetch(project=asked.project, name=name)).items:
                    raise errors.NotFound(noun, name)
        return asked, told

    async def _send(self, asked: Replay) -> None:
        app, client = self.app, self.app.client
        with app.busy(_DOING):
            done = await act.answer(lambda: client.replay(asked))
        self._since_ms = None
        if isinstance(done, errors.SlowpingError):
            if self._left:
                app.tell_error(f"{_DOING} failed", done, act.advice(done))
            else:
                self._say(f"✗ {act.told(done)}", "$text-error")
        elif self._left:
            app.tell(f"{said.replayed(done)}.")
        else:
            self.dismiss(done)

    def _show_wait(self) -> None:
        if self._since_ms is not None:
            seconds = (self.app.now_ms() - self._since_ms) // 1000
            self._say(f"⟳ Sending for {seconds} s. {_WAIT}", "$text-accent")

    def _typed(self) -> Replay:
        """What the fields say.

        Raises:
            InvalidInput: a moment is none, or the window ends before it begins.
        """
        now = times.to_datetime(self.app.now_ms())
        typed = {each.id: each.value.strip() for each in self.query(Input)}
        named = {noun: names.get(typed[noun], typed[noun]) for noun, names in self._names.items()}
        moments = {}
        for name in ("since", "until"):
            try:
                moments[name] = times.read(typed[name] or "now", now)
            except ValueError as error:
                self._blame(name)
                raise errors.InvalidInput(
                    f"'{typed[name]}' is no moment: 2h, yesterday or 2026-11-20 14:00 are."
                ) from error
        if moments["since"] >= moments["until"]:
            self._blame("until" if typed["until"] else "since")
            raise errors.InvalidInput("The window ends before it begins.")
        return Replay(
            since=moments["since"],
            until=moments["until"],
            project=named["project"] or None,
            channel=named["channel"] or None,
            category=named["category"] or None,
            again=_AGAIN in self.query_one(ChoiceGrid).chosen,
        )

    def _blame(self, name: str) -> None:
        """Mark the field that is to be changed, and let the person go on there."""
        for row in self.query(Row):
            if row.id == f"line-{name}":
                row.mark(wrong=True)
                row.query_one(Input).focus()

    def _count_anew(self) -> None:
        self.workers.cancel_group(self, "count")  # it counts what the fields said before
        if self._since_ms is None:  # else it goes out as it was counted
            self._forget()
            self._say(_HINT, "$text-muted")

    def _forget(self) -> None:
        self._counted = None
        self.state.can_focus = False
        self.go.label = "Count"
        for row in self.query(".-wrong").results(Row):
            row.mark(wrong=False)

    def _say(self, what: str, style: str) -> None:
        self.state.update(Content.styled(text.visible(what), style))


def _by_words(names: Iterable[str]) -> Mapping[str, str]:
    """Names by what is typed for them: a field shows what is in it as it is."""
    return {text.one_line(name): name for name in names}


def _field(name: str, value: str, hint: str, known: Iterable[str] = ()) -> Row:
    suggester = SuggestFromList(known, case_sensitive=False) if known else None
    field = Input(value, id=name, placeholder=hint, suggester=suggester)
    return Row(Line(name=name, label=name.capitalize(), control=field))


def _nothing(told: Replayed, *, again: bool) -> str:
    if not told.events:
        return "No event of that time is to be sent."
    events = "The one event" if told.events == 1 else f"Of {told.events:,} events everything"
    rest = "is on its way." if again else f"has arrived or is on its way; '{_AGAIN}' repeats it."
    return f"{events} {rest}"

"""Ask for a channel's name and settings, and close once the server has made it so."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

import msgspec
from textual import events as textual_events
from textual import getters, work
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from slowping.core import errors, text
from slowping.core.channel import Channel, ChannelChange, ChannelKind, IssuedChannel, NewChannel
from slowping.tui import act
from slowping.tui.app import SlowpingApp
from slowping.tui.channel import schema, values
from slowping.tui.channel.schema import Field, Shape
from slowping.tui.modals.channel.field import SettingField

_BESIDE: Final = 8
"""Lines of the dialog that are no fields."""

NAME: Final = Field(
    path=("name",),
    label="Name",
    shape=Shape.LINE,
    required=True,
    help="What it is called in lists and in categories: letters, digits, - _ . and @.",
)


class Blank(msgspec.Struct, frozen=True, kw_only=True):
    """What a form is drawn from."""

    kind: ChannelKind
    common: frozenset[str] = frozenset()
    """Settings that every kind has."""
    name: str = ""
    """What is proposed as a name."""
    projects: tuple[str, ...] = ()
    """Those to choose from, the proposed one first."""
    channel: Channel | None = None
    """What is changed; None for a new one."""


class ChannelFormModal(ModalScreen[IssuedChannel | None]):
    """Answers with the channel as the server has it now, or with None."""

    app = getters.app(SlowpingApp)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel"),
        Binding("ctrl+s", "save", "Save"),
        Binding("ctrl+r", "reveal", "Show or hide secrets"),
        # With priority: they move the focus, and people type ahead.
        Binding("tab", "app.focus_next", priority=True, show=False),
        Binding("shift+tab", "app.focus_previous", priority=True, show=False),
        Binding("enter", "go_on", priority=True, show=False),
    ]

    def __init__(self, blank: Blank) -> None:
        super().__init__()
        self._blank = blank
        before = blank.channel
        held: Mapping[str, Any] = before.settings if before else {}
        name = before.name if before else blank.name
        shown = values.written(NAME, name)
        self._called = SettingField(NAME, shown, proposed=before is None)
        self._project = _project_field(blank.projects)
        self._form = schema.fields(blank.kind.settings, blank.common)
        self._settings = [
            SettingField(field, values.entered(field, held), _kept(field, held))
            for field in self._form
        ]
        self._secrets_shown = False
        self._saving = False

    def compose(self) -> ComposeResult:
        """A line for each setting, what the one with the focus takes, two buttons."""
        with Vertical(classes="dialog form"):
            title = Content.assemble((self._title(), "bold"), "  ", self._summary())
            yield Static(title, id="title")
            with VerticalScroll(can_focus=False):
                yield from self._fields()
            yield Static(id="told")
            with Horizontal(classes="buttons"):
                yield Button("Save (ctrl+s)", id="save", variant="primary")
                yield Button("Cancel (esc)", id="cancel")

    def on_mount(self) -> None:
        """Start at the first thing to enter."""
        self._called.go()

    def on_resize(self, event: textual_events.Resize) -> None:
        """Fields that there is no room for are scrolled to."""
        self.query_one(VerticalScroll).styles.max_height = max(3, event.size.height - _BESIDE)

    # What the person does ---------------------------------------------------------------------

    def on_descendant_focus(self) -> None:
        """Say what the field takes, unless it is said what is wrong with it."""
        if not self.query(".-wrong"):
            self._explain()

    def on_input_changed(self) -> None:
        """What was said of other values holds no more."""
        self._forget()

    def on_text_area_changed(self) -> None:
        """What was said of other values holds no more."""
        self._forget()

    def on_choice_grid_changed(self) -> None:
        """What was said of other values holds no more."""
        self._forget()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Save, or leave."""
        if event.button.id == "save":
            self.action_save()
        else:
            self.action_leave()

    def action_go_on(self) -> None:
        """Enter goes on to the next field; in all else than a line of text it does what it does."""
        if not isinstance(self.focused, Input):
            raise SkipAction
        self.focus_next()

    def action_reveal(self) -> None:
        """Show what is typed into secrets, or hide it."""
        self._secrets_shown = not self._secrets_shown
        for field in self._settings:
            field.show_secret(shown=self._secrets_shown)

    def action_leave(self) -> None:
        """Leave, but not before the answer is there: there may be a secret in it."""
        if not self._saving:
            self.dismiss(None)

    def action_save(self) -> None:
        """See what is wrong; where nothing is, let the server see."""
        self._forget()
        typed = {field.field.path: field.typed for field in self._settings}
        held = self._blank.channel.settings if self._blank.channel else {}
        kept = [field.path for field in self._form if _kept(field, held) is not None]
        flaw = values.problem((NAME,), {NAME.path: self._called.typed}) or values.problem(
            self._form, typed, kept
        )
        if flaw is not None:
            self._complain(flaw[1], self._of(flaw[0]))
        elif not self._saving:
            self._save(typed)

    @work(exclusive=True)
    async def _save(self, typed: values.Typed) -> None:
        self._say("Saving…", "$text-muted")
        self._saving = True
        issued = await act.answer(lambda: self._send(typed))
        self._saving = False
        if isinstance(issued, errors.SlowpingError):
            self._complain(act.told(issued), self._culprit(issued))
        else:
            self.dismiss(issued)

    async def _send(self, typed: values.Typed) -> IssuedChannel | None:
        """What the server has made of it; None where nothing was changed."""
        name, before = self._named(), self._blank.channel
        if before is None:
            return await self.app.client.create_channel(
                NewChannel(
                    kind=self._blank.kind.kind,
                    name=name,
                    settings=values.settings(self._form, typed),
                    project=self._project.typed if self._project else self._only_project(),
                )
            )
        unset = [field.field.path for field in self._settings if field.unset]
        changed = values.change(self._form, before.settings, typed, unset)
        if name == before.name and not changed:
            return None
        change = ChannelChange(
            name=name if name != before.name else msgspec.UNSET,
            settings=changed or msgspec.UNSET,
        )
        return await self.app.client.change_channel(before.id, change)

    def _named(self) -> str:
        """The name; the one that it has, where that was left as it is."""
        typed, before = str(self._called.typed).strip(), self._blank.channel
        return before.name if before and typed == values.written(NAME, before.name) else typed

    # What is said -----------------------------------------------------------------------------

    def _fields(self) -> Iterator[SettingField]:
        yield self._called
        if self._project is not None:
            yield self._project
        yield from self._settings

    def _only_project(self) -> str | None:
        return self._blank.projects[0] if self._blank.projects else None

    def _title(self) -> str:
        channel = self._blank.channel
        if channel is not None:
            return f"Change {text.one_line(channel.name)}"
        only = self._only_project() if self._project is None else None
        where = f" in {text.one_line(only)}" if only else ""
        return f"New {text.one_line(self._blank.kind.kind)} channel{where}"

    def _summary(self) -> Content:
        return Content.styled(text.one_line(self._blank.kind.summary), "$text-muted")

    def _of(self, field: Field) -> SettingField:
        return next((each for each in self._settings if each.field is field), self._called)

    def _culprit(self, error: errors.SlowpingError) -> SettingField | None:
        """The field that the server's refusal is about."""
        if isinstance(error, errors.ForeignProject | errors.NotFound):
            return self._project
        told = str(error)
        if isinstance(error, errors.NameTaken) or told.startswith("name:"):
            return self._called
        field = values.culprit(told, self._form)
        return self._of(field) if field else None

    def _complain(self, what: str, field: SettingField | None) -> None:
        self._say(f"✗ {what}", "$text-error")
        if field is not None:
            field.mark(wrong=True)
            field.go()

    def _forget(self) -> None:
        for field in self._fields():
            field.mark(wrong=False)
        self._explain()

    def _explain(self) -> None:
        focused = self.focused
        above = focused.ancestors if focused else ()
        told = next((each.help for each in above if isinstance(each, SettingField)), "")
        self._say(told, "$text-muted")

    def _say(self, what: str, style: str) -> None:
        shown = text.visible(what).expandtabs(4)
        self.query_one("#told", Static).update(Content.styled(shown, style))


def _project_field(projects: Sequence[str]) -> SettingField | None:
    """A choice among the projects, where there is one."""
    if len(projects) < 2:
        return None
    field = Field(
        path=("project",),
        label="Project",
        shape=Shape.CHOICE,
        required=True,
        choices=tuple(projects),
        help="Whose events it gets.",
    )
    return SettingField(field, projects[0])


def _kept(field: Field, held: Mapping[str, Any]) -> str | None:
    """How a secret is shown that is set already, and stays where nothing is typed."""
    known = held.get(field.path[0]) if field.shape is Shape.SECRET else None
    return known if isinstance(known, str) else None

"""Ask for a channel's name and settings: one line for each that its kind's schema has."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from slowping.core import errors
from slowping.core.channel import Channel, ChannelChange, ChannelKind, IssuedChannel, NewChannel
from slowping.tui.channel import schema, values
from slowping.tui.channel.schema import Field, Path, Shape
from slowping.tui.modals.channel import controls
from slowping.tui.modals.form import FormModal
from slowping.tui.modals.line import NAMELESS, Line, choice
from slowping.tui.widgets.picking.choice_grid import ChoiceGrid

_NAME = Field(path=("name",), label="Name", shape=Shape.LINE, required=True)
_NAMES = "What it is called in lists and in categories: letters, digits, - _ . and @."


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


class ChannelFormModal(FormModal[IssuedChannel | None]):
    """Answers with the channel as the server has it now, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+r", "reveal", "Show or hide secrets")]

    def __init__(self, blank: Blank) -> None:
        super().__init__(_title(blank), note=blank.kind.summary)
        self._blank = blank
        self._held: Mapping[str, Any] = blank.channel.settings if blank.channel else {}
        self._form = schema.fields(blank.kind.settings, blank.common)
        self._settings: dict[Path, Line] = {}

    def lines(self) -> Iterator[Line]:
        """Name, project, and the settings."""
        blank = self._blank
        name = values.written(_NAME, blank.channel.name if blank.channel else blank.name)
        yield Line(
            name="name",
            label="Name",
            control=Input(name),
            help=f"Name: {_NAMES}",
            required=True,
            missing=NAMELESS,
            proposed=blank.channel is None,
        )
        if len(blank.projects) > 1:
            grid = ChoiceGrid([choice(each) for each in blank.projects], blank.projects[:1])
            told = "Project: whose events it gets."
            yield Line(name="project", label="Project", control=grid, help=told, required=True)
        for number, field in enumerate(self._form):
            line = self._settings[field.path] = self._line(f"setting_{number}", field)
            yield line

    def about(self, error: errors.SlowpingError) -> str:
        """The line that a refusal names, settings among them."""
        if isinstance(error, errors.ForeignProject | errors.NotFound):
            return "project"
        field = values.culprit(str(error), self._form)
        if field is None or isinstance(error, errors.NameTaken):
            return super().about(error)
        return self._settings[field.path].name

    def flaws(self) -> Mapping[str, str]:
        """What is wrong with the settings, too."""
        kept = [field.path for field in self._form if self._kept(field) is not None]
        found = dict(super().flaws())
        for field, what in values.problems(self._form, self._typed(), kept):
            line = self._settings[field.path]
            found[line.name] = f"{line.label} {what}"
        return found

    async def send(self) -> IssuedChannel | None:
        """What the server has made of it; None where nothing was changed."""
        typed = self._typed()
        name, before = self.typed("name"), self._blank.channel
        if before is None:
            return await self.app.client.create_channel(
                NewChannel(
                    kind=self._blank.kind.kind,
                    name=name,
                    settings=values.settings(self._form, typed),
                    project=self._project(),
                )
            )
        unset = [path for path, line in self._settings.items() if controls.is_unset(line.beside)]
        changed = values.change(self._form, self._held, typed, unset)
        renamed = name != values.written(_NAME, before.name)
        if not renamed and not changed:
            return None
        change = ChannelChange(
            name=name if renamed else msgspec.UNSET, settings=changed or msgspec.UNSET
        )
        return await self.app.client.change_channel(before.id, change)

    def action_reveal(self) -> None:
        """Show what is typed into secrets, or hide it."""
        for field in self._form:
            control = self._control(field)
            if field.shape is Shape.SECRET and isinstance(control, Input):
                control.password = not control.password

    def _typed(self) -> values.Typed:
        return {each.path: controls.typed(each, self._control(each)) for each in self._form}

    def _control(self, field: Field) -> Widget:
        return self._settings[field.path].control

    def _project(self) -> str | None:
        projects = self._blank.projects
        return self.chosen("project")[0] if len(projects) > 1 else next(iter(projects), None)

    def _line(self, name: str, field: Field) -> Line:
        kept = self._kept(field)
        return Line(
            name=name,
            label=field.label,
            control=controls.control(field, values.entered(field, self._held), kept),
            help=_help(field, kept),
            required=field.required,
            beside=controls.unsetting() if kept is not None and not field.required else None,
        )

    def _kept(self, field: Field) -> str | None:
        """How a secret is shown that is set already, and stays where nothing is typed."""
        known = self._held.get(field.path[0]) if field.shape is Shape.SECRET else None
        return known if isinstance(known, str) else None


def _title(blank: Blank) -> str:
    if blank.channel is not None:
        return f"Change {blank.channel.name}"
    where = f" in {blank.projects[0]}" if len(blank.projects) == 1 else ""
    return f"New {blank.kind.kind} channel{where}"


def _help(field: Field, kept: str | None) -> str:
    parts = [
        field.help,
        "Left empty, the one that is set stays." if kept is not None else "",
        "ctrl+r shows what is typed." if field.shape is Shape.SECRET else "",
    ]
    told = " ".join(filter(None, parts))
    return f"{field.label}: {told}" if told else field.label

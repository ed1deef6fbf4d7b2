"""Ask how a project is to be called, who may send to it, and how much."""

from collections.abc import Iterable

from textual.widgets import Input

from slowping.core import text
from slowping.core.project import NewProject, Project, ProjectChange
from slowping.tui.modals.form import FormModal
from slowping.tui.modals.line import NAMELESS, Line, choice, not_whole, whole, words
from slowping.tui.widgets.picking.choice_grid import ChoiceGrid

_STRICT = "strict"


class ProjectFormModal(FormModal[Project]):
    """Answers with the project as the server has it now, or with None."""

    def __init__(self, before: Project | None = None) -> None:
        """Without a project it asks for a new one."""
        super().__init__(f"Change {before.name}" if before else "A new project")
        self._before = before

    def lines(self) -> Iterable[Line]:
        """Name, origins, quota, strictness."""
        before = self._before or NewProject(name="")
        yield Line(
            name="name",
            label="Name",
            control=Input(text.one_line(before.name), max_length=64),
            help="Letters, digits, - and _, at most 64. SlowStats clients may send it as their "
            "projectId.",
            required=True,
            missing=NAMELESS,
        )
        quota = "" if before.monthly_quota is None else str(before.monthly_quota)
        yield Line(
            name="monthly_quota",
            label="Monthly quota",
            control=Input(quota, placeholder="no limit"),
            help="Most events in a calendar month (UTC); more are refused. Empty: no limit.",
            check=not_whole,
        )
        yield Line(
            name="allowed_origins",
            label="Web pages",
            control=Input(text.one_line(" ".join(before.allowed_origins)), placeholder="any"),
            help="The origins of web pages that may send, such as https://example.org, with spaces "
            "between them. Empty: pages of any origin that has a key.",
        )
        kinds = (choice("", "as it comes"), choice(_STRICT, "strict"))
        yield Line(
            name="strict_destinations",
            label="Destinations",
            control=ChoiceGrid(kinds, (_STRICT if before.strict_destinations else "",)),
            help="Strict: clients of PingPanda and PingPilot are refused while the project lacks "
            "the kind of channel that these services ask for: Discord, for PingPilot Telegram too.",
        )

    async def send(self) -> Project:
        """Ask the server for it, or for what is different."""
        wanted = self._wanted()
        if self._before is None:
            return await self.app.client.create_project(wanted)
        different = {
            name: getattr(wanted, name)
            for name in ProjectChange.__struct_fields__
            if getattr(wanted, name) != getattr(self._before, name)
        }
        if not different:
            return self._before
        change = ProjectChange(**different)
        return await self.app.client.change_project(self._before.id, change)

    def _wanted(self) -> NewProject:
        return NewProject(
            name=self.typed("name"),
            strict_destinations=self.chosen("strict_destinations") == (_STRICT,),
            allowed_origins=words(self.typed("allowed_origins")),
            monthly_quota=whole(self.typed("monthly_quota")),
        )

"""Ask what a new API key is for, and what it may do."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from textual.content import Content
from textual.widgets import Input

from slowping.core import api_key, times
from slowping.core.api_key import ApiKeyKind, IssuedApiKey, NewApiKey, Scope
from slowping.tui.modals.form import FormModal
from slowping.tui.modals.line import NAMELESS, Line, choice, not_whole, whole, words
from slowping.tui.widgets.picking.choice_grid import Choice, ChoiceGrid

_ALL: Final = "*"  # no project is called so
_NEVER: Final = "never"
_DATE: Final = "date"
_DAYS: Final = {"30 days": 30, "90 days": 90, "a year": 365}

_ALLOWS: Final = {
    Scope.INGEST: "send events",
    Scope.READ: "see events, deliveries and lists",
    Scope.ADMIN: "everything, in every project",
}


class ApiKeyFormModal(FormModal[IssuedApiKey]):
    """Answers with the new key and its value, or with None."""

    def __init__(self, projects: Sequence[str], now_ms: Callable[[], int]) -> None:
        """`projects` are those to choose from, the proposed one first."""
        super().__init__("A new API key", save="Issue")
        self._projects = tuple(projects)
        self._now_ms = now_ms
        self._others = ChoiceGrid((), (), many=True)

    def lines(self) -> Iterable[Line]:
        """What it is for, what it may do, how much and how long."""
        yield Line(
            name="name",
            label="Name",
            control=Input(max_length=100),
            help="What uses it, such as a program or a machine: by that you know it again later.",
            required=True,
            missing=NAMELESS,
        )
        yield from self._reach()
        yield from self._rights()
        yield from self._limits()

    def _reach(self) -> Iterable[Line]:
        if len(self._projects) > 1:
            yield Line(
                name="project",
                label="Project",
                control=ChoiceGrid(tuple(map(choice, self._projects)), self._projects[:1]),
                help="Its home: events land there that name no project.",
            )
        yield Line(
            name="projects",
            label="Also for",
            control=self._others,
            help="Space marks further projects that it may use; or all, those to come as well.",
        )

    def _rights(self) -> Iterable[Line]:
        yield Line(
            name="kind",
            label="Kind",
            control=ChoiceGrid(
                tuple(choice(kind.value) for kind in ApiKeyKind), (ApiKeyKind.SECRET.value,)
            ),
            help="secret: for programs on machines of yours. browser: lies in a web page for all "
            "to see, so it may only send, and from the pages that you name.",
        )
        yield Line(
            name="scopes",
            label="May",
            control=ChoiceGrid(
                tuple(map(_scope, Scope)), (Scope.INGEST.value, Scope.READ.value), many=True
            ),
            help="Space marks. The clients that slowping takes the place of need the first two.",
        )
        yield Line(
            name="origins",
            label="Web pages",
            control=Input(placeholder="https://example.org"),
            help="The origins of the pages that hold it: https:// and the host, with spaces "
            "between several.",
            required=True,
            missing="Name the web pages that hold it, such as https://example.org.",
        )

    def _limits(self) -> Iterable[Line]:
        yield Line(
            name="rate_limit",
            label="Rate limit",
            control=Input(placeholder="the server's default"),
            help="Most requests in a minute; 0 is unlimited. The server's default is "
            f"{api_key.DEFAULT_RATE_LIMIT:,} unless its configuration says otherwise.",
            check=not_whole,
        )
        yield Line(
            name="expires",
            label="Expires",
            control=ChoiceGrid(tuple(map(choice, (_NEVER, *_DAYS, _DATE))), (_NEVER,)),
            help="A key that has expired is refused. R gives a new one to whoever still needs it.",
        )
        yield Line(
            name="expires_at",
            label="Until",
            control=Input(placeholder="2027-12-31", max_length=10),
            help="Year, month and day; it works until that day is over here.",
            required=True,
            missing="Say until which day it works, such as 2027-12-31.",
            check=lambda typed: "" if _end_of(typed) else "takes a date such as 2027-12-31.",
        )

    def change(self) -> None:
        """Show what matters to a key of this kind, in this project."""
        browser = self._kind is ApiKeyKind.BROWSER
        self.show("scopes", not browser)
        self.show("origins", browser)
        self.show("expires_at", self.chosen("expires") == (_DATE,))
        others = [name for name in self._projects if name != self._home]
        offered = [choice(_ALL, "all, also later ones"), *map(choice, others)]
        if [each.value for each in self._others.choices] != [each.value for each in offered]:
            self._others.choose(*(name for name in self._others.chosen if name != self._home))
            self._others.offer(offered)

    @property
    def _kind(self) -> ApiKeyKind:
        return ApiKeyKind(self.chosen("kind")[0])

    @property
    def _home(self) -> str | None:
        if len(self._projects) > 1:
            return self.chosen("project")[0]
        return self._projects[0] if self._projects else None

    def flaws(self) -> Mapping[str, str]:
        """A key that may do nothing is none."""
        found = super().flaws()
        if self._kind is ApiKeyKind.BROWSER or self.chosen("scopes"):
            return found
        return {**found, "scopes": "Mark at least one thing that it may do."}

    async def send(self) -> IssuedApiKey:
        """Ask the server for it."""
        return await self.app.client.issue_api_key(self._wanted())

    def _wanted(self) -> NewApiKey:
        browser, others = self._kind is ApiKeyKind.BROWSER, self.chosen("projects")
        scopes = tuple(scope for scope in Scope if scope.value in self.chosen("scopes"))
        return NewApiKey(
            name=self.typed("name"),
            project=self._home,
            projects=tuple(name for name in others if name != _ALL),
            all_projects=_ALL in others,
            kind=self._kind,
            scopes=(Scope.INGEST,) if browser else scopes,
            rate_limit=whole(self.typed("rate_limit")),
            origins=words(self.typed("origins")) if browser else (),
            expires_at=self._expires_at(),
        )

    def _expires_at(self) -> dt.datetime | None:
        [chosen] = self.chosen("expires")
        if chosen == _NEVER:
            return None
        if chosen in _DAYS:
            return times.to_datetime(self._now_ms()) + dt.timedelta(days=_DAYS[chosen])
        return _end_of(self.typed("expires_at"))


def _end_of(day: str) -> dt.datetime | None:
    """When a day that was typed is over here; None where it is none."""
    try:
        next_day = dt.date.fromisoformat(day) + dt.timedelta(days=1)
        return dt.datetime.combine(next_day, dt.time()).astimezone()
    except (ValueError, OverflowError):
        return None


def _scope(scope: Scope) -> Choice:
    shown = Content.assemble(f"{scope.value:<7}", (_ALLOWS[scope], "$text-muted"))
    return Choice(value=scope.value, shown=shown)

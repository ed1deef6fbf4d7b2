"""API keys: who uses which, and what can be done about it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.content import Content

from slowping.core import errors, text
from slowping.core.api_key import ApiKey, ApiKeyRotation
from slowping.core.feed import KeyChanged
from slowping.tui import act, switching
from slowping.tui.act import acting
from slowping.tui.api_key import card, standing, succession
from slowping.tui.api_key.standing import Standing
from slowping.tui.command import Command, alone, on_command
from slowping.tui.commands import api_key as commands
from slowping.tui.live import Batch
from slowping.tui.table_place import FittedPlace, every
from slowping.tui.widgets import drawing
from slowping.tui.widgets.table import cell

_LONGEST_NAME: Final = 24
_USE_S: Final = 30
"""How often it is looked who has used a key, of which the feed tells nothing."""
_TONES: Final = {
    Standing.LIVE: "done",
    Standing.REPLACED: "waiting",
    Standing.EXPIRED: "failed",
    Standing.REVOKED: "muted",
}


class ApiKeyScreen(FittedPlace[ApiKey]):
    """One row a key; revoked ones when they are asked for."""

    PLURAL = "API keys"
    HINT = "words  state:expired  project:shop"
    TITLES = (
        "State", "Name", "Begins", "May", "Projects", "Used", "From", "Expires", "Kind",
    )  # fmt: skip
    BY_WEIGHT = (
        "State", "Name", "Begins", "Used", "Expires", "May", "From", "Projects", "Kind",
    )  # fmt: skip
    help_title: ClassVar[str] = "API keys"

    def __init__(self) -> None:
        super().__init__()
        self._with_revoked = False
        self._forbidden = False
        self._looked_ms = 0

    # What is shown ----------------------------------------------------------------------------

    async def fetch(self) -> Sequence[ApiKey]:
        """Keys that stand in the place; a key that may not ask is shown why it sees none."""
        self._looked_ms = self.app.now_ms()
        found = await act.answer(self._ask)
        self._forbidden = isinstance(found, errors.Forbidden | errors.UnknownApiKey)
        if self._forbidden:
            return ()
        if isinstance(found, errors.SlowpingError):
            raise found
        return found

    def tick(self) -> None:
        """Let times move on, and look now and then who has used a key."""
        super().tick()
        if self.app.now_ms() - self._looked_ms >= 1_000 * _USE_S:
            self._look_again()

    def come_back(self) -> None:
        """Look who has used a key since."""
        self._look_again()

    def _look_again(self) -> None:
        if self.app.live.link.stands and not self._loading:  # which tells all of it
            self._look()

    @work(exclusive=True, group="load")
    async def _look(self) -> None:
        self._looked_ms = self.app.now_ms()
        self.expect()
        found = await act.answer(self._ask)
        self.replace(self.items.values() if isinstance(found, errors.SlowpingError) else found)
        self.draw()

    async def _ask(self) -> Sequence[ApiKey]:
        revoked = None if self._with_revoked else False
        client = self.app.client
        return await every(client.list_api_keys, project=self.app.project, revoked=revoked)

    def take(self, batch: Batch) -> None:
        """Take in what became of keys."""
        changed = [item.api_key for item in batch if isinstance(item, KeyChanged)]
        for key in filter(None, changed):
            self._keep(key)
        if changed:
            self.draw_in_sight()
            self.refresh_bindings()

    def forget(self) -> None:
        """Neither keys nor whether they may be seen are known."""
        self._forbidden = False
        super().forget()

    def order(self, item: ApiKey) -> Any:
        """Those that work first, by name; of one name the newest first."""
        stands = standing.standing(item, self.app.now_ms())
        return list(Standing).index(stands), item.name.casefold(), -item.created_at.timestamp()

    def every_cell(self, item: ApiKey) -> Sequence[Text]:
        """How it stands, what it may do, and who uses it."""
        now_ms = self.app.now_ms()
        stands = standing.standing(item, now_ms)
        name = text.one_line(item.name)
        short = drawing.fit(name, min(cell_len(name), _LONGEST_NAME))
        seen = item.last_used_at
        return (
            cell(stands.value, self.table.tone(_TONES[stands])),
            cell(f"{short} (this one)" if self._is_own(item) else short),
            cell(f"{item.prefix}…"),
            cell(" ".join(scope.value for scope in item.scopes)),
            cell(standing.reach(item)),
            cell(drawing.age(seen, now_ms) if seen else "never"),
            cell(item.last_used_from or ""),
            cell(standing.end(item, now_ms)),
            cell(item.kind.value),
        )

    def _is_own(self, item: ApiKey) -> bool:
        return self.app.own_key is not None and self.app.own_key.id == item.id

    def facts(self, item: ApiKey) -> Mapping[str, str]:
        """What the filter looks at."""
        return {
            "name": item.name,
            "project": item.project,
            "projects": standing.reach(item),
            "begins": item.prefix,
            "kind": item.kind.value,
            "scopes": " ".join(scope.value for scope in item.scopes),
            "state": standing.standing(item, self.app.now_ms()).value,
            "from": item.last_used_from or "",
            "id": item.id,
        }

    def about(self, item: ApiKey) -> Content:
        """All there is to know of it."""
        return card.card(item, self.app.now_ms(), is_own=self._is_own(item))

    def nothing(self) -> tuple[str, str]:
        """What a key is; or that this one may not see any."""
        if self._forbidden:
            return (
                "This API key may not see API keys.",
                "It takes one with the scope 'admin'.\nctrl+o connects with another one.",
            )
        where = f" in {text.one_line(self.app.project)}" if self.app.project else ""
        return f"No API keys{where}.", "Whoever sends or reads needs one.\nn issues one."

    # What the person does ---------------------------------------------------------------------

    def why_not(self, command: Command) -> str | None:
        """A key that does not work any more is left alone."""
        item = self.current
        if item is not None and command in (commands.ROTATE, commands.REVOKE):
            stands = standing.standing(item, self.app.now_ms())
            if stands is Standing.REVOKED:
                return "it was revoked already."
            if stands is Standing.EXPIRED and command is commands.ROTATE:
                return "it has expired: n issues a new one."
            if stands is Standing.REPLACED and command is commands.ROTATE:
                return "it was rotated already: rotate the one in its place."
        return super().why_not(command)

    @on_command(commands.REVOKED)
    def toggle_revoked(self) -> None:
        """Show those that were revoked, or hide them."""
        self._with_revoked = not self._with_revoked
        self.app.tell(f"Revoked keys are {'shown' if self._with_revoked else 'hidden'}.")
        self.load()

    @on_command(commands.NEW)
    @alone
    async def issue(self) -> None:
        """Ask what for, and show the value, this once."""
        from slowping.tui.modals.api_key import asking

        projects: tuple[str, ...] = ()
        where = self.whereabouts()
        async with acting(self, "Listing the projects"):
            usual = self.current.project if self.current else None
            projects = await asking.projects(self.app, usual)
        issued = await asking.new(self.app, projects) if projects else None
        if issued is not None:
            self._put_first(issued.api_key, where)
            reach = standing.reach(issued.api_key)
            into = "all projects" if reach == "all" else f"the project {reach}"
            note = f"Issued for {into}. Give it to what is to use it."
            await asking.reveal(self.app, issued, note)

    @on_command(commands.ROTATE)
    @alone
    async def rotate(self) -> None:
        """Ask how long the old one is to work, and show the new one's value, this once."""
        from slowping.tui.modals.api_key import asking

        item = self.current
        overlap = await asking.overlap(self.app, item) if item else None
        if item is None or overlap is None:
            return
        where = self.whereabouts()
        issued, own = None, self.app.profile if self._is_own(item) else None
        async with acting(self, f"Rotating {item.name}"):
            rotation = ApiKeyRotation(overlap_s=overlap.seconds)
            issued = await self.app.client.rotate_api_key(item.id, rotation)
        if issued is not None:
            self._put_first(issued.api_key, where)
            note = succession.told(overlap, item, self.app.now_ms())
            if own is not None and own == self.app.profile:  # and not gone elsewhere meanwhile
                switching.use_key(self.app, issued.value)
                note += " This live view uses the new one already."
            await asking.reveal(self.app, issued, note)

    @on_command(commands.REVOKE)
    @alone
    async def revoke(self) -> None:
        """Say what comes of it, and ask for the name."""
        from slowping.tui.modals.api_key import asking

        if (item := self.current) is None:
            return
        where = self.whereabouts()
        loss, own = None, self._is_own(item)
        async with acting(self, f"Looking who uses {item.name}"):
            loss = await asking.loss(self.app, item)
        if loss is None or not await asking.really_revoke(self.app, item, loss):
            return
        async with acting(self, f"Revoking {item.name}", f"Revoked {item.name}."):
            revoked = await self.app.client.revoke_api_key(item.id)
            if self.whereabouts() != where:
                return
            self._keep(revoked)
            self.draw()
            if own:
                self.app.ask_where()

    def _put_first(self, key: ApiKey, where: object) -> None:
        if self.whereabouts() == where:
            self.put(key)
            self.jump(key.id)

    def _keep(self, key: ApiKey) -> None:
        """Show it as it is now, if it is shown at all."""
        if key.revoked_at is None or self._with_revoked:
            self.items[key.id] = key
        else:
            self.items.pop(key.id, None)

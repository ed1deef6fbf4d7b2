"""Show code that sends to a category, fill a key in, and show what comes when it is run."""

import asyncio
from typing import ClassVar, Final

from textual import getters, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from slowping.core import api_key, text
from slowping.core.api_key import NewApiKey, Scope
from slowping.core.category import Category
from slowping.tui import secret_file
from slowping.tui.act import acting
from slowping.tui.app import SlowpingApp
from slowping.tui.live import Batch, Link
from slowping.tui.snippets import keys
from slowping.tui.snippets.keys import KeysAtHand
from slowping.tui.snippets.services import Target
from slowping.tui.snippets.writing import SUFFIXES
from slowping.tui.widgets.listening import Listening
from slowping.tui.widgets.snippet_view import SnippetView

_NO_KEY: Final = "No key yet: k issues one for this project, p takes one that you have."
_SHOWN_ONCE: Final = " is shown here and nowhere again: y copies the code, w writes it to a file."
_PASTE: Final = "Paste an API key that may send. Enter takes it, esc leaves it."
_FILE: Final = "Which file? It will be readable by you alone. Enter writes it, esc leaves it."
_NO_CHANNEL: Final = "It is answered 403 until the project has a channel (3)."
_SENT: Final = "The code was sent to your terminal's clipboard."
_GOOD: Final = "$text-success"
_NOTES: Final = {
    "JavaScript": "For Node.js 18 or newer. Web pages need a browser key, bound to their origin.",
    "Python": "Python as it comes; where slowping is installed: from slowping import send.",
}


class SnippetsModal(ModalScreen[None]):
    """One category; an API key that comes to hand is filled in everywhere."""

    app = getters.app(SlowpingApp)
    view = getters.query_one(SnippetView)
    listening = getters.query_one(Listening)
    key_field = getters.query_one("#api-key", Input)
    file_field = getters.query_one("#file", Input)

    AUTO_FOCUS = "SnippetView"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close"),
        Binding("y", "copy", "Copy"),
        Binding("w", "ask_file", "Write to a file"),
        Binding("k", "issue", "Issue a key"),
        Binding("p", "ask_key", "Paste a key"),
    ]

    def __init__(self, category: Category, at_hand: KeysAtHand, *, has_channels: bool) -> None:
        """What is issued or pasted is put into `at_hand`."""
        super().__init__()
        self._category = category
        self._at_hand = at_hand
        self._has_channels = has_channels
        self._kept = True
        """Whether a key that was issued here has been copied or written."""
        self._issuing = False

    def compose(self) -> ComposeResult:
        """The code, the key, what is good to know, what came, the keys of the keyboard."""
        with Vertical(classes="dialog snippets") as dialog:
            of = self._category
            title = text.one_line(f"Send to {of.emoji} {of.name} in {of.project}")
            dialog.border_title = Content(title)
            yield SnippetView()
            yield Static(id="key")
            yield Input(id="api-key", password=True)
            yield Input(id="file")
            yield Static(id="note")
            yield Listening(self._category.project, self._category.name, self.app.now_ms)
            yield Static(_hints(), id="hints")

    def on_mount(self) -> None:
        """Listen from now on."""
        self.app.live.batch.subscribe(self, self._hear)
        self.app.live.connection.subscribe(self, self._see_link)
        self._see_link(self.app.live.link)
        self._leave_fields()

    # What the person does ---------------------------------------------------------------------

    def on_snippet_view_turned(self) -> None:
        """Another thing is good to know."""
        self._show()

    def action_copy(self) -> None:
        """Send the code to the terminal's clipboard."""
        if self.view.code is not None:
            self.app.copy_to_clipboard(self.view.code)
            self._kept = True
            self._show()
            missing = f" Put a key in the place of {keys.NO_KEY}." if self._key is None else ""
            self._note(_SENT + missing, _GOOD)

    def action_ask_file(self) -> None:
        """Let the person say which file."""
        if self.view.code is not None:
            name = secret_file.usual_path(self._category.name).removesuffix(".key")
            self._open(self.file_field, f"{name}.{SUFFIXES[self.view.language]}", _FILE)

    def action_ask_key(self) -> None:
        """Let the person paste a key."""
        self._open(self.key_field, "", _PASTE)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the key, or write the file."""
        if event.input is self.key_field:
            self._take_key(event.value.strip())
        else:
            self._write(event.value)

    def action_close(self) -> None:
        """Leave a field, else leave; but not before a key is there, which is told this once."""
        if isinstance(self.focused, Input):
            self._leave_fields()
            return
        if self._issuing:
            return
        if not self._kept:
            self.app.tell("The new key stays in this code until you quit, and is nowhere else.")
        self.dismiss(None)

    def action_issue(self) -> None:
        """Issue a key for this category's project, which may send and nothing else."""
        problem = self._why_no_key()
        if problem is not None:
            self.app.tell(f"Issue a key: {problem}", severity="warning")
        elif not self._issuing:
            self._issuing = True
            self._issue()

    @work(group="issue")
    async def _issue(self) -> None:
        name, project = self._category.name, self._category.project
        new = NewApiKey(name=name, project=project, scopes=(Scope.INGEST,))
        async with acting(self, "Issuing an API key"):
            issued = await self.app.client.issue_api_key(new)
            self._kept = False
            self._fill(issued.value)
            self._note(f"Issued the API key '{name}', which may send to {project}.", _GOOD)
        self._issuing = False

    def _why_no_key(self) -> str | None:
        if not self.app.live.link.stands:
            return f"not while {self.app.live.link.lamp.value}."
        if not self.app.may_administer:
            return "this API key may only read; p takes a key that you have."
        return None if self._key is None else "there is one in the code already."

    def _take_key(self, value: str) -> None:
        own = self.app.profile.api_key if self.app.profile else ""
        problem = keys.flaw(value, own) if value else None
        if problem is not None:
            self._note(problem, "$text-error")
            return
        self._leave_fields()
        if value:
            self._fill(value)
            self._note("The key is in the code now, until you quit.", _GOOD)

    @work(exclusive=True)
    async def _write(self, where: str) -> None:
        problem = await asyncio.to_thread(secret_file.keep, where, f"{self.view.code}\n")
        if problem is not None:
            self._note(problem, "$text-error")
            return
        self._kept = True
        self._leave_fields()
        self._note(f"Written to {where.strip()}, readable by you alone.", _GOOD)

    # How it is shown --------------------------------------------------------------------------

    def _hear(self, batch: Batch) -> None:
        self.listening.hear(batch)

    def _see_link(self, link: Link) -> None:
        self.listening.lose("" if link.stands else link.lamp.value.capitalize())

    @property
    def _server(self) -> str:
        return self.app.profile.server if self.app.profile else ""

    @property
    def _key(self) -> str | None:
        return self._at_hand.of(self._server, self._category.project)

    def _fill(self, value: str) -> None:
        self._at_hand.put(self._server, self._category.project, value)
        self._show()

    def _show(self) -> None:
        self.view.target = Target(
            server=self._server,
            project=self._category.project,
            category=self._category.name,
            api_key=self._key,
        )
        self.query_one("#key", Static).update(self._told_of_key())
        notes = [_NOTES.get(self.view.language, "")]
        if not self._has_channels and not self.view.service.makes_categories:
            notes.insert(0, _NO_CHANNEL)
        self._note(" ".join(notes).strip(), "$text-muted")

    def _told_of_key(self) -> Content:
        if self._key is None:
            return Content.styled(_NO_KEY, "$text-warning")
        shown = (f"Key {api_key.shown(self._key)}…", "bold")
        if self._kept:
            return Content.assemble(shown, " is filled in until you quit.")
        return Content.assemble(shown, (_SHOWN_ONCE, "$text-warning"))

    def _open(self, field: Input, value: str, hint: str) -> None:
        self._leave_fields()
        field.value = value
        field.display = True
        field.focus()
        self._note(hint, "$text-muted")

    def _leave_fields(self) -> None:
        self.key_field.display = self.file_field.display = False
        self.view.focus()
        self._show()

    def _note(self, what: str, style: str) -> None:
        note = self.query_one("#note", Static)
        note.update(Content.styled(text.visible(what), style))
        note.display = bool(what)


def _hints() -> Content:
    pairs = (
        ("← →", "service"), ("↑ ↓", "language"), ("y", "copy"), ("w", "write"),
        ("k", "issue a key"), ("p", "paste a key"), ("esc", "close"),
    )  # fmt: skip
    return Content("  ").join(
        Content.assemble((key, "$text-accent"), f" {does}") for key, does in pairs
    )

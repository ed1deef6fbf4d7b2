"""Ask where the server is, and see that it answers to the key before that is remembered."""

from typing import ClassVar

import msgspec
from textual import getters, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from slowping.client import whereabouts
from slowping.core import errors
from slowping.tui import act
from slowping.tui.app import Dial, SlowpingApp
from slowping.tui.settings import Profile


class ConnectModal(ModalScreen[Profile | None]):
    """Answers with a server and a key that work, or with None."""

    app = getters.app(SlowpingApp)
    server = getters.query_one("#server", Input)
    api_key = getters.query_one("#api-key", Input)
    state = getters.query_one("#state", Static)

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, profile: Profile | None, dial: Dial) -> None:
        """`profile` fills the fields in."""
        super().__init__()
        self._profile = profile
        self._dial = dial

    def compose(self) -> ComposeResult:
        """Two fields and two buttons."""
        with Vertical(classes="dialog"):
            yield Static(Content.styled("Which server?", "bold"))
            yield Static("Server", classes="label")
            yield Input(
                self._profile.server if self._profile else whereabouts.DEFAULT_SERVER,
                id="server",
                placeholder=whereabouts.DEFAULT_SERVER,
            )
            yield Static("API key (shown at the server's first start)", classes="label")
            yield Input(
                self._profile.api_key if self._profile else "",
                id="api-key",
                password=True,
                placeholder="slp_…",
            )
            yield Static(id="state")
            with Horizontal(classes="buttons"):
                yield Button("Connect", id="connect", variant="primary")
                yield Button("Quit" if self._profile is None else "Cancel", id="cancel")

    def on_mount(self) -> None:
        """Start where something is missing."""
        (self.server if self._profile else self.api_key).focus()

    def on_input_changed(self) -> None:
        """What was said of other values holds no more."""
        self._say("", "")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to the key, and from there connects."""
        if event.input is self.server:
            self.api_key.focus()
        else:
            self._try()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Connect, or leave."""
        if event.button.id == "connect":
            self._try()
        else:
            self.dismiss(None)

    @work(exclusive=True)
    async def _try(self) -> None:
        """See whether the server answers and knows the key."""
        profile = Profile.of(self.server.value.strip(), self.api_key.value.strip())
        if self._profile is not None and self._profile.server == profile.server:
            profile = msgspec.structs.replace(profile, data=self._profile.data)
        self._say("Trying…", "$text-muted")
        problem = await act.problem(lambda: self._ask(profile))
        if problem is None:
            self.dismiss(profile)
        else:
            self._say(problem, "$text-error")

    async def _ask(self, profile: Profile) -> None:
        if not profile.api_key:
            raise errors.EmptyCredential
        async with self._dial(profile) as client:
            await client.health()
            await client.list_events(limit=1)

    def _say(self, what: str, style: str) -> None:
        self.state.update(Content.styled(what, style))

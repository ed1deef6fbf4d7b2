"""Tell the person what has come of what they did: toasts, what is under way, what went wrong."""

import collections
import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec
from textual.app import App
from textual.dom import DOMNode
from textual.notifications import Notification, Notify
from textual.reactive import var

from slowping.core import errors, text
from slowping.tui import act
from slowping.tui.command import Commanded

if TYPE_CHECKING:
    from textual.actions import ActionParseResult

_ERRORS_KEPT: Final = 200
_ERROR_SHOWN_S: Final = 8.0
"""How long an error stays in sight: long enough to be read."""
_MOST_TOASTS: Final = 3
_MOST_WHERE_LOW: Final = 2
_LONGEST_TITLE: Final = 80
_LONGEST_TOLD: Final = 300
"""Characters of a toast, so that it never covers the screen; of an error, `mishaps` has all."""
_LOW: Final = 30
"""Lines below which a third toast would cover half of the screen."""


class Mishap(msgspec.Struct, frozen=True, kw_only=True):
    """Something that went wrong."""

    at_ms: int
    what: str
    why: str


class Telling(App[None]):
    """An application that answers for what is done in it."""

    doing: var[tuple[str, ...]] = var((), init=False)
    """What is being done at this moment."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        super().__init__()
        self.now_ms = now_ms
        self.mishaps: collections.deque[Mishap] = collections.deque(maxlen=_ERRORS_KEPT)

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: "dict[str, DOMNode] | None" = None,  # type: ignore[override]
    ) -> bool:
        """Carry an action out; one that is greyed out says why."""
        node = default_namespace
        if isinstance(node, Commanded) and isinstance(action, str):
            command = node.asked_for(action)
            reason = node.why_not(command) if command else None
            if command and reason:
                self.tell(f"{command.name}: {reason}", severity="warning")
                return True
        return await super().run_action(action, default_namespace, namespaces)

    @contextlib.contextmanager
    def busy(self, doing: str) -> Iterator[None]:
        """Show that something is being done."""
        self.doing = (*self.doing, doing)
        try:
            yield
        finally:
            rest = list(self.doing)
            rest.remove(doing)
            self.doing = tuple(rest)

    # Toasts -----------------------------------------------------------------------------------

    def tell(self, what: str, severity: str = "information", title: str = "") -> None:
        """Say something in a toast."""
        self.notify(
            text.shorten(text.visible(what), _LONGEST_TOLD),
            title=text.shorten(text.one_line(title), _LONGEST_TITLE),
            severity=severity,  # type: ignore[arg-type]
            timeout=_ERROR_SHOWN_S if severity == "error" else None,
            markup=False,
        )

    def tell_error(self, what: str, error: errors.SlowpingError, advice: str) -> None:
        """Say what failed, why, and what to do; and keep it."""
        told = act.told(error)
        why = f"{told} {advice}".strip()
        self.mishaps.append(Mishap(at_ms=self.now_ms(), what=text.one_line(what), why=why))
        # What to do is at the end, and is what a person needs most.
        told = text.shorten(text.visible(told), max(0, _LONGEST_TOLD - len(advice) - 2))
        self.tell(f"{told} {advice}".strip(), severity="error", title=what)

    def show_on_desktop(self, what: str) -> None:
        """Let the terminal show a notice on the desktop: OSC 9; terminals without it ignore it."""
        if self._driver is not None:
            self._driver.write(f"\x1b]9;{text.shorten(text.one_line(what), 200)}\x07")

    def let_news_go(self) -> None:
        """Take away the toasts that only say that something was done; another place is shown."""
        self._take_away(lambda told: told.severity == "information")

    def on_notify(self, message: Notify) -> None:
        """Make room for a toast, before it is shown: one for each text, and not too many."""
        new = message.notification
        self._take_away(lambda told: _said(told) == _said(new))
        # The oldest go first, and before all else what only says that something was done.
        told = sorted(self._notifications, key=lambda each: each.severity != "information")
        most = _MOST_TOASTS if self.size.height >= _LOW else _MOST_WHERE_LOW
        gone = {each.identity for each in told[: max(0, len(told) + 1 - most)]}
        self._take_away(lambda each: each.identity in gone)
        self.keep_clear()

    def keep_clear(self) -> None:
        """Let toasts lie in the half of the screen in which the cursor is not."""
        is_below = self._cursor_line() >= self.size.height // 2
        for rack in self.screen.query("ToastRack"):
            rack.set_class(is_below, "-above")

    def _cursor_line(self) -> int:
        """The line of the screen that the cursor of a list is on; 0 where there is none."""
        focused = self.focused
        row = getattr(focused, "cursor_row", getattr(focused, "cursor", None))
        if focused is None or not isinstance(row, int):
            return 0
        return focused.region.y + row - focused.scroll_offset.y

    def _take_away(self, is_meant: Callable[[Notification], bool]) -> None:
        # Textual takes away all of them, or the one that was clicked on.
        for told in filter(is_meant, tuple(self._notifications)):
            self._unnotify(told)


def _said(told: Notification) -> tuple[str, str, str]:
    return told.severity, told.title, told.message

"""The line at the bottom: the keys that matter here, and what each one does.

Textual's own footer makes its widgets anew with every change of the bindings, and keeps the old
ones for ever. This is one line of text.
"""

from textual.app import RenderResult
from textual.content import Content
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget


class KeyBar(Widget):
    """Shows the keys that have a word for it, greyed out where they can't be used.

    They are those of the screen, or of the dialog over it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._drawn = Content("")

    def on_mount(self) -> None:
        """Follow the bindings of the screen, and see when something else lies on top."""
        self.screen.bindings_updated_signal.subscribe(self, self._draw)
        self.app.screen_change_signal.subscribe(self, self._see_top)
        self.call_after_refresh(self._draw, self.screen)  # all of it is there then

    def render(self) -> RenderResult:
        """The keys, in the order of the bindings."""
        return self._drawn.truncate(self.size.width, ellipsis=True)

    def action_press(self, key: str) -> None:
        """Do what the key does, for whoever has clicked on it."""
        self.app.simulate_key(key)

    def _see_top(self, top: Screen[object]) -> None:
        # Once what is on top has its keys; it is in sight only above or below that.
        if self.is_attached and self.screen in self.app.screen_stack:
            self.call_after_refresh(self._draw, top)

    def _draw(self, screen: Screen[object]) -> None:
        if not self.is_attached or screen is not self.app.screen:
            return
        parts, seen = [], set[str]()
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.show and binding.action not in seen:
                seen.add(binding.action)
                key = self.app.get_key_display(binding).replace("^", "ctrl+")
                parts.append(_part(binding.key, key, binding.description, active.enabled))
        drawn = Content(" ").join(parts)
        if drawn != self._drawn or drawn.spans != self._drawn.spans:
            self._drawn = drawn
            self.refresh()


def _part(pressed: str, key: str, does: str, enabled: bool) -> Content:
    click = Style.from_meta({"@click": f"press({pressed!r})"})
    if not enabled:
        return Content.styled(f"{key} {does}", "$text-disabled dim").stylize(click)
    return Content.assemble((key, "bold $text-accent"), " ", does).stylize(click)

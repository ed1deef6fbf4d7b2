"""Every theme that a person can choose lets everything be read."""

import re
from collections.abc import Iterator

import pytest
from rich.color import Color
from rich.style import Style
from textual.theme import BUILTIN_THEMES

from slowping.core import errors
from slowping.tui.app import SlowpingApp
from tests.tui.driver import ScriptedServer, category, event, running
from tests.tui.figures import shop

LEAST = 3.0
"""What the guidelines for accessible contents ask of large text and of signs."""

SIGNS = re.compile(r"[\s▍▌▁▂▃▄▅▆▇█─│·●‖✗⏸]*")
"""A picture, a line, or a sign with the word beside it."""


@pytest.mark.parametrize("theme", sorted(BUILTIN_THEMES))
async def test_everything_can_be_read(server: ScriptedServer, theme: str) -> None:
    states = ("failed", "pending", "delivered", "discarded")
    server.events = [
        event(n, category="bug", deliveries={states[n % 4]: 1}, fields={"n": n}) for n in range(9)
    ]
    server.categories = [category("bug", "🐛", 0xE74C3C)]
    server.answers["GET /overview"] = shop()
    async with running(server, size=(120, 24)) as live:
        live.app.theme = theme
        await live.connects()
        await live.press("k", "slash", "b", "enter")
        assert faint(live.app) == []
        live.app.tell_error("Retrying failed", errors.Forbidden("It may not."), "Ask for more.")
        await live.press("5", "tab", "j")
        assert faint(live.app) == []


def faint(app: SlowpingApp) -> list[tuple[str, float]]:
    """What is on the screen and hard to read, with its contrast."""
    return [
        (said, contrast)
        for said, style in _said(app)
        if (contrast := _contrast(style)) is not None and contrast < LEAST
    ]


def _said(app: SlowpingApp) -> Iterator[tuple[str, Style]]:
    # But the last line: keys that do nothing now are meant to be faint.
    for strip in app.screen._compositor.render_strips()[:-1]:
        for segment in strip:
            if segment.style is not None and not SIGNS.fullmatch(segment.text):
                yield segment.text.strip(), segment.style


def _contrast(style: Style) -> float | None:
    """None where the colours are the terminal's own."""
    lights = [_light(color) for color in (style.color, style.bgcolor)]
    if None in lights:
        return None
    dark, light = sorted(each for each in lights if each is not None)
    return (light + 0.05) / (dark + 0.05)


def _light(color: Color | None) -> float | None:
    if color is None or color.triplet is None:
        return None
    parts = [part / 255 for part in color.triplet]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)

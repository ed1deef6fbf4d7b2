import pytest
from textual.color import Color

from slowping.tui.stylesheet import Stylesheet

RED = {"accent": "#ff0000"}
BLUE = {"accent": "#0000ff"}


@pytest.fixture
def sheet() -> Stylesheet:
    """One that is red, and parsed."""
    sheet = Stylesheet(variables=RED)
    sheet.add_source("Label { color: $accent; }", ("first", ""))
    sheet.parse()
    return sheet


def test_what_is_known_is_not_parsed_again(sheet: Stylesheet) -> None:
    before = sheet.rules[0]
    sheet.set_variables(dict(RED))
    sheet.reparse()
    assert sheet.rules[0] is before


def test_what_comes_later_is_parsed_beside_it(sheet: Stylesheet) -> None:
    before = sheet.rules[0]
    sheet.add_source("Button { color: $accent; }", ("second", ""))
    sheet.reparse()
    assert sheet.rules[0] is before
    assert set(sheet.rules_map) == {"Label", "Button"}


def test_another_theme_colours_everything_anew(sheet: Stylesheet) -> None:
    sheet.set_variables(BLUE)
    sheet.reparse()
    assert sheet.rules[0].styles.color == Color(0, 0, 255)

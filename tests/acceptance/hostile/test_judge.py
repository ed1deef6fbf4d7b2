"""What is held against a program is seen: these tests fail where a text arrives as it was sent."""

import pytest

from slowping.core import text
from tests.acceptance.hostile.strings import EVERY, FAMILIES, WORST, Hostile
from tests.acceptance.hostile.terminal import Judge, Picture

ORDERS = ("C0", "ESC", "OSC", "DCS, APC, PM, SOS", "C1", "direction", "tags", "noughts")
"""Families that hold nothing else than what a terminal must not be sent."""


def seen(written: str) -> tuple[Judge, str]:
    """What is held against a program that writes this, and what is on the screen then."""
    judge, picture = Judge(), Picture((80, 24))
    for part in judge.parts(written.encode()):
        picture.draw(part)
    return judge, "\n".join(picture.lines)


def is_seen_through(one: Hostile, written: str) -> bool:
    """Whether it is noticed that this is not what may be written of it."""
    judge, shown = seen(f"{written} \x1b[1;1H")  # which ends what waits for an end
    return bool(judge.offences or judge.notices or judge.copied) or one.shown not in shown


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.mark)
def test_a_text_is_noticed_unless_it_is_made_visible(one: Hostile) -> None:
    assert is_seen_through(one, one.marked) == (text.one_line(one.marked) != one.marked)
    assert not is_seen_through(one, text.one_line(one.marked))


@pytest.mark.parametrize("family", ORDERS)
def test_every_order_is_noticed(family: str) -> None:
    known = {one.text: one for one in EVERY}
    for written in FAMILIES[family]:
        assert is_seen_through(known[written], known[written].marked), repr(written)


@pytest.mark.parametrize(
    "written", [b"\x9b31m", b"\x9d0;titled\x9c", "\x9b31m".encode(), b"\xed\xa0\x80"]
)
def test_an_eight_bit_control_is_noticed(written: bytes) -> None:
    judge = Judge()
    judge.parts(written)
    assert judge.offences


def test_markup_that_is_interpreted_is_missed_on_the_screen() -> None:
    [one] = [one for one in EVERY if one.text == "[bold]x"]
    assert is_seen_through(one, f"{one.mark}|\x1b[1mx\x1b[m|")


def test_there_is_enough_to_be_afraid_of() -> None:
    assert len(EVERY) > 250
    assert all(one.marked[:100] in WORST.text for one in EVERY)

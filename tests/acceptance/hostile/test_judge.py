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


@pytest.mark.parametrize("data", ["?", "ZXZpbA==;", "ZXZ\x1bpbA==", "evil!", "\x9b2J", "Ã©"])
def test_a_clipboard_is_written_in_base64_and_never_read(data: str) -> None:
    assert not seen("\x1b]52;c;ZXZpbA==\x07")[0].offences
    assert seen(f"\x1b]52;c;{data}\x07\x1b[1;1H")[0].offences


@pytest.mark.parametrize("where", ["p", "s", "", "cp", "c\x1b"])
def test_no_other_clipboard_than_the_usual_one_is_written(where: str) -> None:
    assert seen(f"\x1b]52;{where};ZXZpbA==\x07\x1b[1;1H")[0].offences


def test_what_is_copied_and_noticed_is_told() -> None:
    judge, shown = seen("\x1b]52;c;ZXZpbA==\x07\x1b]9;a sale\x07")
    assert (judge.copied, judge.notices) == (["ZXZpbA=="], ["a sale"])
    assert not judge.offences
    assert not shown.strip()


@pytest.mark.parametrize("notice", ["\x1b]0;titled", "a\nb", "\x9c", "\u202egnp.exe", "\u200b"])
def test_a_notice_on_the_desktop_is_text_alone(notice: str) -> None:
    assert seen(f"\x1b]9;{notice}\x07\x1b[1;1H")[0].offences


@pytest.mark.parametrize(
    "written",
    [
        "\x1b[38;2;1;2;3mred\x1b[0m",
        "\x1b]52;c;ZXZpbA==\x07",
        "\x1b]9;caf\u00e9 \u754c\x07",
        "\u754c",
    ],
)
def test_what_is_lawful_is_so_wherever_it_is_cut_in_two(written: str) -> None:
    whole, data = Judge(), written.encode()
    expected = whole.parts(data)
    for at in range(1, len(data)):
        judge = Judge()
        told = [*judge.parts(data[:at]), *judge.parts(data[at:])]
        assert not judge.offences, at
        assert "".join(told) == "".join(expected)
        assert (judge.copied, judge.notices) == (whole.copied, whole.notices)


@pytest.mark.parametrize("family", ORDERS)
def test_an_order_is_noticed_wherever_it_is_cut_in_two(family: str) -> None:
    for written in FAMILIES[family]:
        data = f"{written}\x1b[1;1H".encode()
        whole = seen(f"{written}\x1b[1;1H")[0]
        for at in range(1, len(data)):
            judge = Judge()
            judge.parts(data[:at])
            judge.parts(data[at:])
            noticed = bool(judge.offences or judge.notices or judge.copied)
            assert noticed == bool(whole.offences or whole.notices or whole.copied), (written, at)


def test_markup_that_is_interpreted_is_missed_on_the_screen() -> None:
    [one] = [one for one in EVERY if one.text == "[bold]x"]
    assert is_seen_through(one, f"{one.mark}|\x1b[1mx\x1b[m|")


def test_there_is_enough_to_be_afraid_of() -> None:
    assert len(EVERY) > 250
    assert all(one.marked[:100] in WORST.text for one in EVERY)

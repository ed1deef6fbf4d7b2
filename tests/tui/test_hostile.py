"""Whoever can post an event is not trusted with a terminal."""

from collections.abc import Iterator

from textual.command import CommandPalette

from slowping.core import text
from slowping.core.delivery import AttemptOutcome, DeliveryDetail, DeliveryState
from slowping.tui.sifting.query import Query
from slowping.tui.widgets.filter_bar import FilterBar
from tests.tui.driver import Driver, ScriptedServer, attempt, category, delivery, event, running
from tests.vectors import vectors

STRINGS = sorted({string for kind in vectors("injection").values() for string in kind})


def hostile(server: ScriptedServer) -> None:
    """Put every string wherever a sender or a far side can put text; the last event has all."""
    for number, string in enumerate(STRINGS):
        name = f"{string}{number}"
        server.events.append(
            event(
                number + 1, category=name, project=name, description=string, source=string,
                fields={string: string, "nested": {string: [string]}},
            )
        )  # fmt: skip
        server.categories.append(category(name, string, project=name))
    everything = event(
        len(STRINGS) + 1, description="\n".join(STRINGS), source="".join(STRINGS),
        fields={string: string for string in STRINGS},
    )  # fmt: skip
    server.events.append(everything)
    server.deliveries[everything.id] = tuple(
        detail
        for number, string in enumerate(STRINGS)
        for detail in failures(number, len(STRINGS) + 1, string)
    )


def failures(number: int, of: int, string: str) -> tuple[DeliveryDetail, DeliveryDetail]:
    """A delivery with an attempt, and one that never came to that."""
    failed = delivery(
        number, of, DeliveryState.FAILED, channel=string, kind=string, last_error=string
    )
    tried = attempt(1, AttemptOutcome.RETRY, 500, string, string)
    return (
        DeliveryDetail(delivery=failed, attempts=(tried,)),
        DeliveryDetail(delivery=failed, attempts=()),
    )


def drawn(live: Driver) -> Iterator[str]:
    """Every piece of text that goes to the terminal."""
    for strip in live.app.screen._compositor.render_strips():
        for segment in strip:
            assert segment.control is None
            yield segment.text


def is_harmless(live: Driver) -> bool:
    """Whether nothing that is drawn could be an instruction, nor was taken for markup."""
    for piece in drawn(live):
        assert text.visible(piece) == piece
        assert "\n" not in piece
        assert "\t" not in piece
    links = {
        segment.style.link
        for strip in live.app.screen._compositor.render_strips()
        for segment in strip
        if segment.style is not None
    }
    return links <= {None}


async def test_nothing_that_a_sender_wrote_reaches_the_terminal(server: ScriptedServer) -> None:
    hostile(server)
    async with running(server, size=(60, 18)) as live:
        await live.connects()
        assert is_harmless(live)
        await live.press("enter")
        assert is_harmless(live)


async def test_nothing_hostile_comes_through_the_filter(server: ScriptedServer) -> None:
    async with running(server) as live:
        bar = live.app.screen.query_one(FilterBar)
        for string in STRINGS:
            bar.sought = Query.read(string)
            await live.pilot.pause()
            assert is_harmless(live)


async def test_nothing_hostile_comes_through_the_palette(server: ScriptedServer) -> None:
    hostile(server)
    async with running(server, size=(120, 300)) as live:
        await live.connects()
        await live.press("colon")
        for letter in ("x", "left_square_bracket", "e"):
            assert isinstance(live.app.screen, CommandPalette)
            await live.press(letter)
            assert is_harmless(live)
            await live.press("backspace")


def test_there_are_strings_to_be_afraid_of() -> None:
    assert len(STRINGS) > 50

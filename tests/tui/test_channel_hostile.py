"""What a far side, a request or a plug-in has named does not reach the terminal as it came."""

from slowping.core import errors
from slowping.core.channel import ChannelKind, ChannelTest
from slowping.core.page import Page
from tests.tui.channels import channel, figures, hours, overview
from tests.tui.driver import ScriptedServer, category, moment, refusal, running
from tests.tui.test_hostile import STRINGS, is_harmless

ALL = " ".join(STRINGS)


def hostile(server: ScriptedServer) -> None:
    """A channel for each string, named by it, and one with all of them in whatever it has."""
    worst = channel(
        ALL, ALL, id="chn_worst", project=ALL, paused_at=moment(0), paused_reason=ALL,
        settings={string: string for string in STRINGS} | {"list": STRINGS},
    )  # fmt: skip
    named = [channel(string, string, project=string, ad_hoc=True) for string in STRINGS]
    server.answers["GET /channels"] = Page(items=(worst, *named))
    server.categories = [category(string, project=ALL, channels=(ALL,)) for string in STRINGS]
    properties = {
        string: {"title": string, "description": string, "enum": STRINGS} for string in STRINGS
    } | {
        f"{string}2": {"title": string, "description": string, "default": string, "type": "string"}
        for string in STRINGS
    }
    kind = ChannelKind(kind=ALL, summary=ALL, settings={"properties": properties})
    server.answers["GET /channel-kinds"] = Page(items=(kind,))
    server.answers["GET /projects"] = Page(items=())
    server.answers["GET /deliveries"] = Page(items=())
    server.answers["GET /overview"] = overview(
        *(
            figures(each, last_error=ALL, last_error_at=moment(0), hours=hours(1))
            for each in (worst, *named)
        )
    )
    said = ChannelTest(outcome=ALL, reason=ALL, status=1, excerpt=ALL, duration_ms=1)
    server.answers["POST /channels/chn_worst/test"] = said
    server.answers["PATCH /channels/chn_worst"] = lambda _: refusal(422, errors.InvalidInput, ALL)


async def test_nothing_that_a_plug_in_or_others_have_named_reaches_the_terminal(
    server: ScriptedServer,
) -> None:
    hostile(server)
    async with running(server, size=(60, 18)) as live:
        await live.connects()
        await live.press("3")
        live.app.screen_stack[0].jump("chn_worst")  # type: ignore[attr-defined]
        assert is_harmless(live)
        for keys in (
            ["enter"], ["t"], ["escape"], ["s"], ["d"], ["escape"],
            ["e"], ["tab"], ["down"], ["x"], ["ctrl+s"], ["escape"],
        ):  # fmt: skip
            await live.press(*keys)
            assert is_harmless(live)

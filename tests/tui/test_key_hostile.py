"""What somebody has called keys and projects does not reach the terminal as it came."""

import pytest

from slowping.core import errors
from slowping.core.api_key import IssuedApiKey
from slowping.core.page import Page
from tests.tui.driver import ScriptedServer, moment, refusal, running
from tests.tui.test_hostile import STRINGS, is_harmless
from tests.tui.things import has_keys, key, project

ALL = " ".join(STRINGS)


def hostile(server: ScriptedServer) -> None:
    """A server that answers with all of the strings wherever it can put a text."""
    worst = key(
        0, id="key_worst", name=ALL, prefix=ALL, project=ALL, projects=STRINGS, origins=STRINGS,
        last_used_at=moment(0), last_used_from=ALL, rotated_to=None,
    )  # fmt: skip
    named = [key(number, name=each, project=each) for number, each in enumerate(STRINGS, 1)]
    has_keys(server, worst, *named)
    server.answers["GET /projects"] = Page(
        items=(
            project(ALL, id="prj_worst", allowed_origins=STRINGS),
            *(project(each) for each in STRINGS),
        )
    )
    server.answers["GET /channels"] = Page(items=())
    server.answers["GET /deliveries/groups"] = Page(items=())
    server.answers["POST /keys/key_worst/rotate"] = IssuedApiKey(api_key=worst, value=ALL)
    for act in ("POST /keys", "POST /projects"):
        server.answers[act] = lambda _: refusal(422, errors.InvalidInput, ALL)


@pytest.mark.parametrize(
    ("place", "worst", "acts"),
    [
        ("6", "key_worst", ["enter", "d", "escape", "n", "x", "ctrl+s", "escape", "R", "enter",
                            "c", "v", "w", "enter", "escape", "escape", "y", "p", "escape"]),
        ("7", "prj_worst", ["enter", "d", "escape", "n", "x", "ctrl+s", "escape", "e", "escape",
                            "p", "p", "escape"]),
    ],
)  # fmt: skip
async def test_nothing_that_others_have_named_reaches_the_terminal(
    server: ScriptedServer, place: str, worst: str, acts: list[str]
) -> None:
    hostile(server)
    async with running(server, size=(60, 18)) as live:
        await live.connects()
        await live.press(place)
        live.app.screen_stack[0].jump(worst)  # type: ignore[attr-defined]
        await live.settle()
        assert is_harmless(live)
        for press in acts:
            await live.press(press)
            assert is_harmless(live)

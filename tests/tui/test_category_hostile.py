"""Nothing of what a sender wrote is obeyed where categories are shown."""

from slowping.core.delivery import DeliveryState
from slowping.core.feed import DeliveryChanged, EventAccepted
from slowping.core.overview import FieldSum
from slowping.core.page import Page
from slowping.tui.modals.snippets import SnippetsModal
from slowping.tui.snippets.keys import KeysAtHand
from tests.tui.channels import channel
from tests.tui.driver import ScriptedServer, category, delivery, event, running
from tests.tui.figures import category_figures, overview
from tests.tui.test_hostile import STRINGS, hostile, is_harmless
from tests.tui.things import has_keys, has_projects, key


def everywhere(server: ScriptedServer) -> None:
    """Put every string wherever text can stand beside a category."""
    hostile(server)
    named = [(each.project, each.name) for each in server.categories]
    sums = tuple(FieldSum(field=string, today=1, week=1, month=1) for string in STRINGS)
    server.answers["GET /overview"] = overview(
        categories=tuple(
            category_figures(name, project=project, sums=sums) for project, name in named
        )
    )
    has_projects(server, *(project for project, _ in named))
    has_keys(server, *(key(n, name=s, all_projects=True) for n, s in enumerate(STRINGS)))
    everything = (channel(s, project=project) for s in STRINGS for project, _ in named[:3])
    server.answers["GET /channels"] = Page(items=tuple(everything))


async def test_in_little_room(server: ScriptedServer) -> None:
    everywhere(server)
    async with running(server, size=(60, 18)) as live:
        await live.connects()
        await live.press("4")
        assert is_harmless(live)
        await live.press("enter")
        assert is_harmless(live)
        for opens in ("e", "n", "d", "c"):
            await live.press(opens)
            assert len(live.app.screen_stack) == 2
            assert is_harmless(live)
            await live.press("escape")


async def test_while_listening(server: ScriptedServer) -> None:
    server.answers["GET /overview"] = overview()
    of = category("".join(STRINGS), "".join(STRINGS), project="".join(STRINGS))
    async with running(server, size=(120, 60)) as live:
        await live.connects()
        live.app.push_screen(SnippetsModal(of, KeysAtHand(), has_channels=False))
        await live.settle()
        assert is_harmless(live)
        for number, string in enumerate(STRINGS):
            modal = live.app.screen
            assert isinstance(modal, SnippetsModal)
            coming = event(
                number, category=of.name, project=of.project, description=string,
                fields={string: string}, deliveries={"pending": 1},
            )  # fmt: skip
            failed = delivery(
                number, number, DeliveryState.FAILED, channel=string, last_error=string
            )
            modal.listening.hear(
                [
                    EventAccepted(id=coming.id, event=coming),
                    DeliveryChanged(id=failed.id, delivery=failed),
                ]
            )
            await live.pilot.pause()
            assert is_harmless(live)
        live.shows("It came")

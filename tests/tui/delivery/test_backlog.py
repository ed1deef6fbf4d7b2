"""One screen does not say two things of what waits."""

from slowping.core.delivery import DeliveryState
from tests.tui.delivery.outbox import Outbox
from tests.tui.delivery.samples import failed, moved
from tests.tui.driver import ScriptedServer, running
from tests.tui.figures import overview


async def test_the_status_bar_counts_as_the_views_of_the_deliveries_do(
    server: ScriptedServer,
) -> None:
    outbox = Outbox(server, failed(1), failed(2))
    server.answers["GET /overview"] = overview(waiting=4, failed=2)
    async with running(server, size=(120, 24)) as live:
        await live.connects()
        live.shows("4 waiting · 2 failed")
        await live.press("2")
        live.shows("[failed 2]", "0 waiting · 2 failed")
        await live.receives(*outbox.become(moved(failed(1), DeliveryState.PENDING)))
        live.shows("[failed 2]  waiting 1", "1 waiting · 2 failed")  # until it is asked for again
        await live.press("1")
        live.shows("4 waiting · 2 failed")

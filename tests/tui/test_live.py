import asyncio
from collections.abc import AsyncIterator

from textual.app import App

from slowping.core.feed import Connected, EventAccepted, Lost, StreamItem
from slowping.tui.live import Batch, Lamp, Link, Live
from tests.tui.driver import NOW_MS, event


class Script:
    """A stream that yields what it is told, then waits for ever."""

    last_id: str | None = None

    def __init__(self, *items: StreamItem) -> None:
        self._items = items
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[StreamItem]:
        """The items, then nothing."""
        for item in self._items:
            yield item
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        """It is let go."""
        self.is_closed = True


class Listener(App[None]):
    """Hears what is published."""

    def __init__(self) -> None:
        super().__init__()
        self.live = Live(self, lambda: NOW_MS)
        self.batches: list[Batch] = []
        self.links: list[Link] = []

    def on_mount(self) -> None:
        """Listen."""
        self.live.batch.subscribe(self, self.batches.append)
        self.live.connection.subscribe(self, self.links.append)


def accepted(number: int) -> EventAccepted:
    given = event(number)
    return EventAccepted(id=given.id, event=given)


async def heard(*items: StreamItem) -> Listener:
    """Who has listened to this."""
    app = Listener()
    async with app.run_test() as pilot:
        following = asyncio.create_task(app.live.follow(Script(*items)))
        await pilot.pause()
        app.live.flush()
        await pilot.pause()
        following.cancel()
    return app


async def test_what_comes_together_is_told_together() -> None:
    app = await heard(Connected(), *map(accepted, range(1, 6)))
    assert [len(batch) for batch in app.batches] == [5]


async def test_the_first_line_is_fresh_and_a_line_that_came_back_is_not() -> None:
    app = await heard(Connected(), Lost(reason="gone", retry_in_s=1.0), Connected())
    assert [(link.lamp, link.fresh) for link in app.links] == [
        (Lamp.CONNECTING, False),
        (Lamp.LIVE, True),
        (Lamp.RECONNECTING, False),
        (Lamp.LIVE, False),
    ]


async def test_a_reset_is_fresh_and_says_that_the_server_has_trimmed() -> None:
    app = await heard(Connected(), Connected(reset=True))
    assert app.links[-1] == Link(lamp=Lamp.LIVE, fresh=True, trimmed=True)


async def test_a_loss_says_since_when_and_until_when() -> None:
    lost = Lost(reason="no\x1bbody", retry_in_s=2.5)
    app = await heard(Connected(), lost, lost, lost)
    reconnecting, _, offline = app.links[-3:]
    assert reconnecting.lamp is Lamp.RECONNECTING
    assert reconnecting.as_of_ms == NOW_MS
    assert reconnecting.retry_at_ms == NOW_MS + 2_500
    assert reconnecting.reason == "no␛body"
    assert offline.lamp is Lamp.OFFLINE
    assert offline.as_of_ms == NOW_MS


async def test_who_was_never_connected_shows_nothing_as_of_any_time() -> None:
    app = await heard(Lost(reason="nobody", retry_in_s=1.0))
    assert app.links[-1].as_of_ms is None


async def test_what_was_gathered_is_told_before_the_line_is_lost() -> None:
    app = Listener()
    async with app.run_test() as pilot:
        script = Script(Connected(), accepted(1), Lost(reason="gone", retry_in_s=1.0))
        following = asyncio.create_task(app.live.follow(script))
        await pilot.pause()
        assert [len(batch) for batch in app.batches] == [1]
        following.cancel()
        await asyncio.wait([following])
        assert script.is_closed

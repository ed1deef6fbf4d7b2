import asyncio
import logging

import pytest

from slowping.core import retention
from slowping.core.retention import DAY_MS, Keeping
from slowping.server.process import caretaker
from slowping.server.process.caretaker import LOOK_EVERY_S, Caretaker
from slowping.server.process.pruning import Pruner
from slowping.server.tally import Tally
from slowping.testing import FrozenClock
from tests.store.conftest import Shop
from tests.store.samples import NOW

HOUR = 3_600
DAYS = 10
LOOKS_AN_HOUR = round(HOUR / LOOK_EVERY_S)


class Care:
    """A caretaker of a shop whose events are kept for ten days, and what it tells."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.clock = FrozenClock(NOW + (DAYS + 1) * DAY_MS)
        self.most = 10**12
        self.takes_s = 0.0
        """How long each look takes."""
        self.notices: list[str] = []
        keeping = Keeping(events_days=DAYS, attempts_days=0, journal_days=0, audit_days=0)
        store = shop.store
        self.caretaker = Caretaker(
            store.retention,
            store.journal,
            Pruner(store.retention, keeping, self.clock, Tally()),
            self.clock,
            most_bytes=self.most_bytes,
            tell_owner=self.tell,
        )

    def most_bytes(self) -> int:
        """What the database may take, told in the middle of a look."""
        self.clock.advance(self.takes_s)
        return self.most

    async def tell(self, text: str) -> bool:
        """Hear it."""
        self.notices.append(text)
        return True

    async def looks(self, times: int = 1) -> None:
        """Let the time pass, and look as often as that."""
        for _ in range(times):
            self.clock.advance(LOOK_EVERY_S)
            await self.caretaker.look()

    async def events(self) -> int:
        """How many are left."""
        [(number,)] = await self.shop.peek("select count(*) from event")
        assert isinstance(number, int)
        return number

    async def sends(self) -> None:
        """Accept an event that is old by now, and a new one."""
        for at in (NOW, self.clock.now_ms()):
            await self.shop.store.inbox.accept(self.shop.entry(at=at))


@pytest.fixture
def care(shop: Shop) -> Care:
    return Care(shop)


async def test_an_hour_after_the_start_and_every_hour_what_is_old_goes(care: Care) -> None:
    await care.sends()
    await care.looks(LOOKS_AN_HOUR - 1)
    assert await care.events() == 2
    await care.looks()
    assert await care.events() == 1


@pytest.mark.parametrize(
    ("stepped_s", "rest_s"), [(HOUR, HOUR), (-HOUR, HOUR), (3 * 86_400, 86_400)]
)
async def test_after_a_clock_was_set_nothing_goes_for_a_while(
    care: Care, stepped_s: int, rest_s: int
) -> None:
    await care.sends()
    await care.looks(LOOKS_AN_HOUR // 2)
    care.clock.step(stepped_s)
    looks = round(rest_s / LOOK_EVERY_S)
    await care.looks(looks)
    assert await care.events() == 2
    await care.looks()
    assert await care.events() == 1


async def test_a_look_that_takes_long_is_no_clock_that_was_set(
    care: Care, caplog: pytest.LogCaptureFixture
) -> None:
    await care.sends()
    care.takes_s = 400
    await care.looks(LOOKS_AN_HOUR)
    assert "the clock was set" not in caplog.text
    assert await care.events() == 1


async def test_a_start_long_after_the_last_event_waits_for_a_day(care: Care) -> None:
    await care.shop.store.inbox.accept(care.shop.entry(at=NOW))
    await care.looks(24 * LOOKS_AN_HOUR)
    assert await care.events() == 1
    await care.looks()
    assert await care.events() == 0


async def test_a_database_that_grows_too_large_is_told_of_once(care: Care) -> None:
    used = (await care.shop.store.retention.space()).used
    care.most = round(used / retention.WARN_AT) + 4_096
    await care.looks()
    assert care.notices == []
    care.most = round(used / retention.WARN_AT) - 4_096
    await care.looks(3)
    assert len(care.notices) == 1
    assert "MB that it may" in care.notices[0]
    care.most = 10**12
    await care.looks()
    care.most = round(used / retention.WARN_AT) - 4_096
    await care.looks()
    assert len(care.notices) == 2


async def test_a_database_that_is_too_large_loses_its_oldest_events_at_once(
    care: Care, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(20):
        entry = care.shop.entry(count=100, description="x" * 2_000)
        await care.shop.store.inbox.accept(entry)
    full = (await care.shop.store.retention.space()).used
    care.most = full * 3 // 4
    with caplog.at_level(logging.WARNING):
        await care.looks(2)
    left = await care.shop.store.retention.space()
    assert left.used <= care.most
    assert 0 < await care.events() < 2_000
    assert left.spare < 100_000
    assert "the database is too large" in caplog.text


async def test_figures_by_the_hour_are_forgotten_after_a_year_and_a_month(care: Care) -> None:
    care.clock.step(401 * 86_400)
    await care.sends()
    while await care.shop.store.journal.count_on():
        pass
    await care.looks(25 * LOOKS_AN_HOUR)
    left = await care.shop.peek("select span, count(*) from event_rollup group by 1 order by 1")
    assert [count for _, count in left] == [1, 1, 2, 1]


async def test_where_all_that_is_left_waits_room_is_looked_for_once_an_hour(
    care: Care, caplog: pytest.LogCaptureFixture
) -> None:
    await care.shop.deliver()
    care.most = 4_096
    await care.looks(LOOKS_AN_HOUR)
    assert await care.events() == 1
    assert caplog.text.count("the database is too large") == 1
    await care.looks()
    assert caplog.text.count("the database is too large") == 2


async def test_a_disk_of_unknown_size_has_no_share(care: Care) -> None:
    care.most = 0
    await care.looks()
    assert care.notices == []


async def test_the_log_is_emptied_once_nothing_was_written_for_a_while(care: Care) -> None:
    await care.sends()
    await care.looks()
    assert (await care.shop.store.retention.space()).log > 0
    await care.looks()
    assert (await care.shop.store.retention.space()).log == 0


async def test_a_long_log_is_emptied_though_there_is_no_rest(
    care: Care, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caretaker, "LOG_BYTES", 0)
    await care.sends()
    await care.looks()
    assert (await care.shop.store.retention.space()).log == 0


async def test_what_goes_wrong_does_not_end_it(
    care: Care, caplog: pytest.LogCaptureFixture
) -> None:
    keeping_house = asyncio.create_task(care.caretaker.keep_house())
    await care.clock.is_waited_on()
    care.most = "much"  # type: ignore[assignment]  # whatever nobody has thought of
    for _ in range(2):
        care.clock.advance(LOOK_EVERY_S)
        await care.clock.is_waited_on()
    assert caplog.text.count("cannot look after the database") == 1
    keeping_house.cancel()

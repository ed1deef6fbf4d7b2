import asyncio
import datetime as dt

from slowping.client.batch import Pace
from slowping.client.sender import Sender
from tests.conftest import RunningHouse

QUICK = Pace(batch_wait_s=0.01, first_retry_s=0.01, longest_retry_s=0.02, exit_s=5.0)


async def test_an_event_arrives_as_it_was_told(house: RunningHouse) -> None:
    sender = Sender(house.base_url, house.ingest_key, source="shop", pace=QUICK)
    sender.send("sale", "New sale!", fields={"amount": 49.99}, color=0x2ECC71, notify=False)
    assert await asyncio.to_thread(sender.flush)
    [event] = await house.events("default")
    assert (event.category, event.description, event.fields) == (
        "sale",
        "New sale!",
        {"amount": 49.99},
    )
    assert (event.source, event.color, event.notify) == ("shop", 0x2ECC71, False)
    assert event.occurred_at is not None
    assert abs(event.occurred_at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    assert sender.lost == 0
    await asyncio.to_thread(sender.close)

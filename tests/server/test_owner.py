from slowping.core.event import Event
from tests.acceptance.eventually import eventually
from tests.conftest import RunningHouse


async def test_a_notice_says_what_to_do_in_sentences_that_end_once(house: RunningHouse) -> None:
    await house.project("shop", channels=["webhook", "console"], paused=False)
    key = {"authorization": f"Bearer {await house.key('shop')}"}

    async def told() -> list[Event]:
        return [event for event in await house.events("shop") if event.source == "slowping"]

    await house.client.post("/slowping/v1/events", json={"category": "bug"}, headers=key)
    [notice] = await eventually(told)
    description = str(notice.description)
    assert "webhook-0 was paused: its settings cannot be used" in description
    assert ". Its deliveries wait. Mend it, then resume it: slowping channel resume" in description
    assert ".." not in description

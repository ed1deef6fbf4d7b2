"""The overview against a real server on a real socket."""

from slowping.client.client import Client
from slowping.core.event import NewEvent
from tests.acceptance.person import sitting
from tests.conftest import RunningHouse


async def test_figures_move_with_what_comes_in_and_goes_out(house: RunningHouse) -> None:
    async with (
        Client(house.base_url, house.admin_key) as client,
        sitting(house.base_url, house.admin_key) as person,
    ):
        await person.sees("● live", "0 waiting")
        await person.press("5")
        await person.sees("No events yet.", "sale default", "console")
        for amount in (1_200.0, 40.5):
            await client.send_event(NewEvent(category="sale", fields={"amount": amount}))
        await person.sees("2/h", "0 of 2", "0 waiting", "amount", "1,240.50")
        await person.sees_no_more("No events yet.")

        await client.pause_channel((await client.list_channels()).items[0].id)
        await client.send_event(NewEvent(category="sale", fields={"amount": 1.0}))
        await person.sees("1 waiting", "⏸ paused    console", "1,241.50")
        await person.press("g", "enter")
        await person.sees("category:=sale", "amount 1", "1/1", "0/1 ⟳")

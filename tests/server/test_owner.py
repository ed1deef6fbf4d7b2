from slowping.core.channel import StoredChannel
from slowping.core.event import Event, EventDraft
from slowping.server.ingest import Submission
from slowping.server.owner import Owner
from tests.acceptance.eventually import eventually
from tests.conftest import RunningHouse

TEAM = StoredChannel(
    id=1, project_id=2, name="team", kind="email", settings={}, learned={}, ad_hoc=False,
    target=None, paused_at=None, paused_reason=None, created_at=0,
)  # fmt: skip


class Ear:
    """Hears what goes in."""

    def __init__(self) -> None:
        self.heard: list[EventDraft] = []

    async def accept(self, submission: Submission) -> None:
        """Take it in."""
        self.heard += submission.drafts


async def test_a_reason_with_a_full_stop_ends_once() -> None:
    owner, ear = Owner(), Ear()
    owner.speaks_through(ear)  # type: ignore[arg-type]  # as far as it is asked
    await owner.tell(TEAM, "550 No such user.")
    [notice] = ear.heard
    assert "The channel team was paused: 550 No such user. Its deliveries" in str(
        notice.description
    )


async def test_settings_that_cannot_be_used_are_told_with_the_remedy(house: RunningHouse) -> None:
    await house.project("shop", channels=["webhook", "console"], paused=False)
    key = {"authorization": f"Bearer {await house.key('shop')}"}

    async def told() -> list[Event]:
        return [event for event in await house.events("shop") if event.source == "slowping"]

    await house.client.post("/slowping/v1/events", json={"category": "bug"}, headers=key)
    [notice] = await eventually(told)
    description = str(notice.description)
    assert "webhook-0 was paused: its settings cannot be used" in description
    assert "resume it: slowping channel resume webhook-0" in description

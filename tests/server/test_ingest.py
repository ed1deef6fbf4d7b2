import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from slowping.core import errors, ids
from slowping.core.api_key import Principal
from slowping.core.audit import ITSELF, Author
from slowping.core.category import Category, CategoryChange, NewCategory
from slowping.core.channel import Channel, ChannelFilter
from slowping.core.delivery import Delivered, DeliveryState, Unusable
from slowping.core.event import AdHocTarget, Event, EventDraft, EventFilter, Receipt
from slowping.core.project import ProjectChange
from slowping.server.ingest import Ingest, Submission
from slowping.store.port import ChannelRecord
from slowping.store.sqlite.directory import Directory
from slowping.testing import START_MS
from tests.server.engine import Engine, bodies
from tests.store import samples


def draft(description: str = "49 €", category: str = "sale", **rest: Any) -> EventDraft:
    return EventDraft(category=category, description=description, **rest)


def target(number: str = "1", ending: str = "aaaa", **words: Any) -> AdHocTarget:
    """A destination of the kind that these tests know, as SlowStats names one."""
    return AdHocTarget(
        kind="named", target=number, settings={"url": f"https://far/{number}/{ending}"}, **words
    )


async def accept(engine: Engine, *drafts: EventDraft, **rest: Any) -> Receipt:
    given: dict[str, Any] = {
        "principal": None,
        "project_id": engine.project_id,
        "dialect": "slowstats",
        "create_categories": True,
    }
    return await engine.ingest.accept(Submission(drafts=drafts, **{**given, **rest}))


async def events(engine: Engine) -> Sequence[Event]:
    listed = await engine.store.journal.list_events(EventFilter(), before=None, limit=1_000)
    return list(reversed(listed))


async def told(engine: Engine) -> dict[str, int]:
    """How many deliveries each channel has got."""
    counts: dict[str, int] = {}
    for delivery in await engine.deliveries():
        counts[delivery.channel] = counts.get(delivery.channel, 0) + 1
    return counts


async def category(engine: Engine, name: str, *channels: str) -> int:
    """Make a category that goes to these channels."""
    made = await engine.store.directory.create_category(
        engine.project_id, NewCategory(name=name, channels=channels), now=START_MS
    )
    await engine.roster.renew_project(engine.project_id)
    return ids.decode(ids.CATEGORY, made.id)


# Events and their deliveries -----------------------------------------------------------------


async def test_an_event_is_stored_as_it_was_asked_for(engine: Engine) -> None:
    receipt = await accept(
        engine,
        draft(fields={"amount": 49.5}, source="till", color=0xFF0000, occurred_at=START_MS - 1),
    )
    assert (receipt.count, receipt.received_at, receipt.deduplicated) == (1, START_MS, False)
    [event] = await events(engine)
    assert event.id == ids.encode(ids.EVENT, receipt.first_event_id)
    assert (event.project, event.category, event.dialect) == ("shop", "sale", "slowstats")
    assert (event.description, event.fields) == ("49 €", {"amount": 49.5})
    assert (event.source, event.color) == ("till", 0xFF0000)


async def test_an_event_goes_to_every_channel_of_its_project(engine: Engine) -> None:
    await engine.channel("one")
    await engine.channel("two")
    await accept(engine, draft())
    assert await told(engine) == {"one": 1, "two": 1}


async def test_a_paused_channel_gets_its_deliveries_too(engine: Engine) -> None:
    await engine.pause(await engine.channel())
    await accept(engine, draft())
    assert (await engine.delivery()).state is DeliveryState.PENDING


async def test_a_removed_channel_gets_none(engine: Engine) -> None:
    await engine.remove(await engine.channel())
    await accept(engine, draft())
    assert await told(engine) == {}


async def test_a_category_with_routes_goes_to_those_alone(engine: Engine) -> None:
    for name in ("one", "two", "three"):
        await engine.channel(name)
    await category(engine, "bug", "three", "one")
    await accept(engine, draft(category="bug"))
    assert await told(engine) == {"one": 1, "three": 1}


async def test_a_category_without_routes_any_more_goes_everywhere(engine: Engine) -> None:
    await engine.channel("one")
    await engine.channel("two")
    number = await category(engine, "bug", "one")
    change = CategoryChange(channels=())
    await engine.store.directory.change_category(number, change, now=START_MS)
    await engine.roster.renew_project(engine.project_id)
    await accept(engine, draft(category="bug"))
    assert await told(engine) == {"one": 1, "two": 1}


async def test_an_event_may_be_stored_without_telling_anyone(engine: Engine) -> None:
    await engine.channel()
    await accept(engine, draft(notify=False))
    assert await told(engine) == {}
    assert len(await events(engine)) == 1


async def test_channels_can_be_left_out(engine: Engine) -> None:
    one = await engine.channel("one")
    await engine.channel("two")
    await accept(engine, draft(), skip_channels=(one,))
    assert await told(engine) == {"two": 1}


async def test_a_delivery_may_end_by_itself(engine: Engine) -> None:
    await engine.pause(await engine.channel(expire_after_s=60))
    await accept(engine, draft())
    assert await engine.store.outbox.expire(now=START_MS + 59_999) == 0
    assert await engine.store.outbox.expire(now=START_MS + 60_000) == 1


async def test_events_are_counted_by_dialect(engine: Engine) -> None:
    await accept(engine, draft(), draft())
    await accept(engine, draft(), dialect="adwize")
    assert engine.tally.events == {"slowstats": 2, "adwize": 1}


async def test_a_project_that_is_gone_takes_nothing(engine: Engine) -> None:
    with pytest.raises(errors.ForeignProject):
        await accept(engine, draft(), project_id=99)


# Arrays --------------------------------------------------------------------------------------


async def test_an_array_has_consecutive_ids_in_its_order(engine: Engine) -> None:
    receipt = await accept(engine, draft("a"), draft("b"), draft("c"))
    stored = await events(engine)
    assert [event.description for event in stored] == ["a", "b", "c"]
    assert [event.id for event in stored] == [
        ids.encode(ids.EVENT, number) for number in receipt.event_ids
    ]


async def test_an_empty_array_stores_nothing(engine: Engine) -> None:
    receipt = await accept(engine)
    assert (receipt.count, list(receipt.event_ids)) == (0, [])
    assert await events(engine) == []


async def test_one_unknown_category_refuses_the_whole_array(engine: Engine) -> None:
    with pytest.raises(errors.UnknownCategory) as refusal:
        await accept(engine, draft(), draft(category="bug"), create_categories=False)
    assert refusal.value.name == "bug"
    assert await events(engine) == []


async def test_one_impossible_name_refuses_the_whole_array_and_opens_nothing(
    engine: Engine,
) -> None:
    with pytest.raises(errors.InvalidInput):
        await accept(engine, draft(category="new"), draft(category=" "))
    assert await events(engine) == []
    assert "new" not in drawers(engine)


# Categories on first sight -------------------------------------------------------------------


def drawers(engine: Engine) -> Collection[str]:
    tenant = engine.roster.tenant(engine.project_id)
    assert tenant is not None
    return tenant.drawers.keys()


async def test_more_new_categories_than_there_is_room_for_are_none(engine: Engine) -> None:
    before = set(drawers(engine))
    drafts = [draft(category=f"type-{number}") for number in range(1_000)]
    with pytest.raises(errors.InvalidInput, match="at most 1000 categories"):
        await accept(engine, *drafts)
    assert set(drawers(engine)) == before


async def test_a_category_is_opened_on_first_sight(engine: Engine) -> None:
    await accept(engine, draft(category="signup"), draft(category="signup"))
    assert {event.category for event in await events(engine)} == {"signup"}
    assert "signup" in drawers(engine)


async def test_twenty_first_sights_at_once_open_one_category(engine: Engine) -> None:
    await asyncio.gather(*(accept(engine, draft(category="signup")) for _ in range(20)))
    assert [event.category for event in await events(engine)] == ["signup"] * 20
    listed = await engine.store.directory.list_categories(None, "signup", before=None, limit=10)
    assert len(listed) == 1


# Idempotency ---------------------------------------------------------------------------------


async def test_the_same_request_again_gets_its_first_receipt(engine: Engine) -> None:
    await engine.channel()
    first = await accept(engine, draft(), draft(), idempotency_key="k")
    engine.clock.advance(60)
    again = await accept(engine, draft(), draft(), idempotency_key="k")
    assert again == msgspec.structs.replace(first, deduplicated=True)
    assert len(await events(engine)) == 2
    assert await told(engine) == {"team": 2}
    assert engine.tally.events == {"slowstats": 2}


async def test_twenty_times_the_same_request_at_once_is_one_event(engine: Engine) -> None:
    receipts = await asyncio.gather(
        *(accept(engine, draft(category="new"), idempotency_key="k") for _ in range(20))
    )
    assert len({receipt.first_event_id for receipt in receipts}) == 1
    assert sum(not receipt.deduplicated for receipt in receipts) == 1
    assert len(await events(engine)) == 1


async def test_fields_in_another_order_are_the_same_request(engine: Engine) -> None:
    await accept(engine, draft(fields={"a": 1, "b": {"c": 2, "d": 3}}), idempotency_key="k")
    again = await accept(engine, draft(fields={"b": {"d": 3, "c": 2}, "a": 1}), idempotency_key="k")
    assert again.deduplicated


@pytest.mark.parametrize(("given", "rest"), [(draft("50 €"), {}), (draft(), {"dialect": "adwize"})])
async def test_a_key_with_another_request_is_refused(
    engine: Engine, given: EventDraft, rest: Mapping[str, Any]
) -> None:
    await accept(engine, draft(), idempotency_key="k")
    with pytest.raises(errors.IdempotencyKeyReused):
        await accept(engine, given, idempotency_key="k", **rest)
    assert len(await events(engine)) == 1


async def test_where_the_key_alone_decides_another_request_is_a_repeat(engine: Engine) -> None:
    first = await accept(engine, draft(), idempotency_key="k", strict_key=False)
    again = await accept(engine, draft("50 €"), idempotency_key="k", strict_key=False)
    assert again.first_event_id == first.first_event_id
    assert again.deduplicated


@pytest.mark.parametrize("strict", [True, False])
async def test_a_key_that_decides_alone_is_no_other_dialects_key(
    engine: Engine, strict: bool
) -> None:
    await accept(engine, draft(), idempotency_key="k", strict_key=strict)
    other = await accept(
        engine, draft("50 €"), idempotency_key="k", strict_key=not strict, dialect="adwize"
    )
    assert not other.deduplicated
    assert len(await events(engine)) == 2


async def test_projects_do_not_share_keys(engine: Engine) -> None:
    await accept(engine, draft(), idempotency_key="k")
    await engine.project("club")
    assert not (await accept(engine, draft(), idempotency_key="k")).deduplicated


async def test_a_receipt_can_be_recalled_without_storing_anything(engine: Engine) -> None:
    first = await accept(engine, draft(), idempotency_key="k")
    submission = Submission(
        drafts=(draft(),),
        principal=None,
        project_id=engine.project_id,
        dialect="slowstats",
        create_categories=False,
        idempotency_key="k",
    )
    recalled = await engine.ingest.recall(submission)
    assert recalled == msgspec.structs.replace(first, deduplicated=True)
    for unseen in ("other", None):
        asked = msgspec.structs.replace(submission, idempotency_key=unseen)
        assert await engine.ingest.recall(asked) is None
    assert len(await events(engine)) == 1


async def test_a_repeat_does_not_open_a_category_that_was_removed(engine: Engine) -> None:
    await accept(engine, draft(category="signup"), idempotency_key="k")
    [listed] = await engine.store.directory.list_categories(None, "signup", before=None, limit=1)
    number = ids.decode(ids.CATEGORY, listed.id)
    await engine.store.directory.remove_category(number, now=START_MS)
    await engine.roster.renew_project(engine.project_id)
    assert (await accept(engine, draft(category="signup"), idempotency_key="k")).deduplicated
    assert "signup" not in drawers(engine)


async def test_a_repeat_does_not_bring_an_old_address_back(engine: Engine) -> None:
    old = draft(ad_hoc=target(ending="old"))
    await accept(engine, old, idempotency_key="k")
    await accept(engine, draft(ad_hoc=target(ending="new")))
    assert (await accept(engine, old, idempotency_key="k")).deduplicated
    assert await addresses(engine) == {"named-1": "https://far/1/new"}


# Destinations that a request names -----------------------------------------------------------


async def addresses(engine: Engine) -> dict[str, str]:
    """Where each channel of the kind `named` leads."""
    [snapshot] = await engine.store.directory.snapshots(engine.project_id)
    return {
        channel.name: channel.settings["url"]
        for channel in snapshot.channels
        if channel.kind == "named"
    }


async def channel_id(engine: Engine, name: str = "named-1") -> int:
    [found] = await engine.store.directory.list_channels(
        ChannelFilter(name=name), before=None, limit=2
    )
    return ids.decode(ids.CHANNEL, found.id)


async def configured(engine: Engine, name: str, target_: str | None, url: str) -> int:
    record = ChannelRecord(
        name=name, kind="named", settings={}, secrets={"url": url}, target=target_
    )
    now = engine.clock.now_ms()
    await engine.store.directory.create_channel(engine.project_id, record, now=now)
    await engine.roster.renew_project(engine.project_id)
    return await channel_id(engine, name)


async def test_a_named_destination_becomes_a_channel_that_gets_this_event(engine: Engine) -> None:
    await engine.channel()
    await accept(engine, draft(ad_hoc=target()))
    assert await told(engine) == {"team": 1, "named-1": 1}
    assert (await engine.stored(await channel_id(engine))).ad_hoc


async def test_it_gets_only_what_names_it_again(engine: Engine) -> None:
    await accept(engine, draft(ad_hoc=target()))
    await accept(engine, draft())
    await accept(engine, draft(ad_hoc=target()))
    assert await told(engine) == {"named-1": 2}


async def test_twenty_requests_that_name_it_first_make_one_channel(engine: Engine) -> None:
    await asyncio.gather(*(accept(engine, draft(ad_hoc=target())) for _ in range(20)))
    assert await told(engine) == {"named-1": 20}


async def test_the_words_of_the_request_travel_with_the_delivery(engine: Engine) -> None:
    await accept(
        engine,
        draft(
            fields={"amount": 49},
            ad_hoc=target(title="Sold!", description="A chair", color=0x00FF00),
        ),
    )
    await engine.run_until_quiet()
    [sent] = engine.notifier("named").notifications
    assert (sent.title, sent.body, sent.color, sent.fields) == (
        "Sold!",
        "A chair",
        0x00FF00,
        (),
    )


async def test_the_words_are_for_that_destination_alone(engine: Engine) -> None:
    await engine.channel()
    await accept(engine, draft(ad_hoc=target(title="Sold!")))
    await engine.run_until_quiet()
    assert engine.notifier().notifications[0].title == "💰 Sale"


async def test_a_new_token_takes_the_place_of_the_old_one(engine: Engine) -> None:
    await accept(engine, draft(ad_hoc=target(ending="old")))
    await engine.run_until_quiet()
    await accept(engine, draft(ad_hoc=target(ending="new")))
    await engine.quiet()
    urls = [settings.url for settings in engine.notifier("named").told]
    assert urls == ["https://far/1/old", "https://far/1/new"]
    assert await addresses(engine) == {"named-1": "https://far/1/new"}


async def test_a_new_token_resumes_the_channel_and_sends_what_has_waited(engine: Engine) -> None:
    notifier = engine.notifier("named")
    notifier.script = [Unusable(reason="the webhook was deleted")]
    await accept(engine, draft("a", ad_hoc=target(ending="old")))
    await engine.run_until_quiet()
    await accept(engine, draft("b", ad_hoc=target(ending="old")))
    await engine.quiet()
    assert len(notifier.batches) == 1
    await accept(engine, draft("c", ad_hoc=target(ending="new")))
    await engine.quiet()
    assert [text for batch in bodies(notifier)[1:] for text in batch] == ["a", "b", "c"]


async def test_the_same_token_does_not_resume_the_channel(engine: Engine) -> None:
    await accept(engine, draft(ad_hoc=target()))
    await engine.pause(await channel_id(engine))
    await accept(engine, draft(ad_hoc=target()))
    assert (await engine.stored(await channel_id(engine))).paused_at is not None


async def test_a_token_that_is_renewed_while_sending_is_not_paused_for_the_old_one(
    engine: Engine,
) -> None:
    notifier = engine.notifier("named")
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    notifier.script = [answer, Delivered()]
    await accept(engine, draft("a", ad_hoc=target(ending="old")))
    engine.start()
    await notifier.has_sent(1)
    await accept(engine, draft("b", ad_hoc=target(ending="new")))
    answer.set_result(Unusable(reason="the token is not valid"))
    await engine.quiet()
    assert engine.told == []
    assert [settings.url for settings in notifier.told] == [
        "https://far/1/old",
        "https://far/1/new",
    ]


async def test_a_configured_channel_of_that_destination_is_told_once(engine: Engine) -> None:
    await configured(engine, "sales", "1", "https://far/1/configured")
    await accept(engine, draft(ad_hoc=target(ending="other", title="Sold!")))
    assert await told(engine) == {"sales": 1}
    assert await addresses(engine) == {"sales": "https://far/1/configured"}
    await engine.run_until_quiet()
    assert engine.notifier("named").notifications[0].title == "Sold!"


async def test_a_configured_channel_takes_over_from_an_ad_hoc_one(engine: Engine) -> None:
    await accept(engine, draft(ad_hoc=target()))
    await configured(engine, "sales", "1", "https://far/1/configured")
    await accept(engine, draft(ad_hoc=target()))
    assert await told(engine) == {"named-1": 1, "sales": 1}


async def test_a_route_elsewhere_does_not_keep_a_named_destination_out(engine: Engine) -> None:
    await engine.channel("team")
    await configured(engine, "sales", "1", "https://far/1/configured")
    await category(engine, "bug", "team")
    await accept(engine, draft(category="bug", ad_hoc=target()))
    assert await told(engine) == {"team": 1, "sales": 1}


async def test_a_channel_of_that_name_that_leads_elsewhere_is_in_nobodys_way(
    engine: Engine,
) -> None:
    await configured(engine, "named-1", "2", "https://far/2/bbbb")
    await accept(engine, draft(ad_hoc=target("1")))
    assert await addresses(engine) == {
        "named-1": "https://far/2/bbbb",
        "named-1-ad-hoc": "https://far/1/aaaa",
    }


async def test_another_spelling_of_the_address_is_no_new_token(engine: Engine) -> None:
    webhook = "https://{}/webhooks/1/{}"
    await accept(engine, draft(ad_hoc=target()))
    spelled = ChannelRecord(
        name="named-1",
        kind="named",
        settings={},
        secrets={"url": webhook.format("discordapp.com/api/v10", "aaaa")},
        target="1",
        ad_hoc=True,
    )
    made = await channel_id(engine)
    await engine.store.directory.change_channel(made, spelled, now=START_MS)
    await engine.roster.renew_project(engine.project_id)
    before = await engine.stored(made)
    named = AdHocTarget(
        kind="named", target="1", settings={"url": webhook.format("discord.com/api", "aaaa")}
    )
    await accept(engine, draft(ad_hoc=named))
    assert await engine.stored(made) == before


async def test_a_thread_has_a_channel_of_its_own(engine: Engine) -> None:
    await accept(engine, draft("a", ad_hoc=target("1/7")), draft("b", ad_hoc=target("1/8")))
    assert await told(engine) == {"named-1-7": 1, "named-1-8": 1}


async def test_a_new_token_does_not_resume_what_a_person_has_paused(engine: Engine) -> None:
    await accept(engine, draft(ad_hoc=target(ending="old")))
    await engine.pause(await channel_id(engine))
    await accept(engine, draft(ad_hoc=target(ending="new")))
    assert (await engine.stored(await channel_id(engine))).paused_reason == "by hand"


async def test_two_tokens_in_one_array_make_one_channel(engine: Engine) -> None:
    await accept(
        engine,
        draft("a", ad_hoc=target(ending="old")),
        draft("b", ad_hoc=target(ending="new")),
    )
    assert await told(engine) == {"named-1": 2}
    assert await addresses(engine) == {"named-1": "https://far/1/new"}


async def test_nobody_is_told_where_the_request_says_so(engine: Engine) -> None:
    await accept(engine, draft(notify=False, ad_hoc=target()))
    assert await told(engine) == {}


# What others do meanwhile --------------------------------------------------------------------


class Beside(Directory):
    """A directory in which somebody else does something right after each creation, at first."""

    def __init__(self, engine: Engine, *deeds: "Deed") -> None:
        assert isinstance(engine.store.directory, Directory)
        self.__dict__.update(engine.store.directory.__dict__)
        self._deeds = list(deeds)

    async def create_category(
        self, project_id: int, new: NewCategory, *, now: int, by: Author | None = ITSELF
    ) -> Category:
        """As it is; then the next deed."""
        created = await super().create_category(project_id, new, now=now, by=by)
        await self._go_on(ids.decode(ids.CATEGORY, created.id))
        return created

    async def create_channel(
        self, project_id: int, record: ChannelRecord, *, now: int, by: Author | None = ITSELF
    ) -> Channel:
        """As it is; then the next deed."""
        created = await super().create_channel(project_id, record, now=now, by=by)
        await self._go_on(ids.decode(ids.CHANNEL, created.id))
        return created

    async def _go_on(self, created: int) -> None:
        if self._deeds:
            await self._deeds.pop(0)(self, created)


Deed = Callable[[Beside, int], Awaitable[None]]


def beside(engine: Engine, *deeds: Deed) -> None:
    """Have the engine's ingest work on such a directory."""
    engine.ingest = Ingest(
        engine.store.inbox,
        Beside(engine, *deeds),
        engine.roster,
        engine.store.ids,
        now_ms=engine.clock.now_ms,
        wake=engine.wake,
        forget=engine.forget,
        tally=engine.tally,
    )


async def remove_category(directory: Beside, number: int) -> None:
    await directory.remove_category(number, now=START_MS)


async def nothing(directory: Beside, number: int) -> None:
    del directory, number


async def test_a_category_that_is_removed_meanwhile_is_made_anew(engine: Engine) -> None:
    beside(engine, remove_category)
    await accept(engine, draft(category="signup"))
    assert [event.category for event in await events(engine)] == ["signup"]
    assert "signup" in drawers(engine)


async def test_a_named_destination_that_is_removed_meanwhile_is_made_anew(engine: Engine) -> None:
    async def remove_the_first(directory: Beside, number: int) -> None:
        del number
        await directory.remove_channel(await channel_id(engine, "named-1"), now=START_MS)

    beside(engine, nothing, remove_the_first)
    await accept(engine, draft(ad_hoc=target("1")), draft(ad_hoc=target("2")))
    assert await told(engine) == {"named-1": 1, "named-2": 1}


async def test_a_project_that_is_removed_meanwhile_takes_nothing(engine: Engine) -> None:
    async def remove_project(directory: Beside, number: int) -> None:
        del number
        await directory.remove_project(engine.project_id, now=START_MS)

    beside(engine, remove_project)
    with pytest.raises(errors.ForeignProject):
        await accept(engine, draft(category="signup"), draft(category="signoff"))


async def test_where_all_names_for_a_destination_are_taken_it_is_refused(engine: Engine) -> None:
    await configured(engine, "named-1", "2", "https://far/2/bbbb")
    await configured(engine, "named-1-ad-hoc", "3", "https://far/3/cccc")
    with pytest.raises(errors.InvalidInput, match="'named-1-ad-hoc'"):
        await accept(engine, draft(ad_hoc=target("1")))


# Quota ---------------------------------------------------------------------------------------


async def set_quota(engine: Engine, quota: int) -> None:
    change = ProjectChange(monthly_quota=quota)
    await engine.store.directory.change_project(engine.project_id, change, now=START_MS)
    await engine.roster.renew_project(engine.project_id)


@pytest.fixture
async def sender(engine: Engine) -> Principal:
    """Somebody whose events count."""
    record = samples.api_key(engine.project_id)
    await engine.store.directory.create_api_key(record, now=START_MS)
    [principal] = (await engine.store.directory.live_api_keys()).values()
    return principal


async def test_every_event_of_the_month_counts(engine: Engine, sender: Principal) -> None:
    await accept(engine, draft(), draft(), principal=sender)
    await accept(engine, draft(notify=False), principal=sender)
    assert await engine.ingest.usage(engine.project_id) == 3


async def test_a_repeat_does_not_count(engine: Engine, sender: Principal) -> None:
    for _ in range(3):
        await accept(engine, draft(), principal=sender, idempotency_key="k")
    assert await engine.ingest.usage(engine.project_id) == 1


async def test_what_slowping_says_itself_does_not_count(engine: Engine) -> None:
    await accept(engine, draft(), principal=None)
    assert await engine.ingest.usage(engine.project_id) == 0


async def test_counting_while_events_come_in_misses_none(engine: Engine, sender: Principal) -> None:
    await asyncio.gather(
        *(accept(engine, draft(), principal=sender) for _ in range(20)),
        *(engine.ingest.usage(engine.project_id) for _ in range(20)),
    )
    assert await engine.ingest.usage(engine.project_id) == 20


async def test_a_quota_that_is_used_up_is_refused(engine: Engine, sender: Principal) -> None:
    await set_quota(engine, 2)
    await engine.ingest.check_quota(engine.project_id)
    await accept(engine, draft(), draft(), principal=sender)
    with pytest.raises(errors.QuotaReached) as refusal:
        await engine.ingest.check_quota(engine.project_id)
    assert refusal.value.limit == 2


async def test_a_quota_with_too_little_left_is_refused(engine: Engine, sender: Principal) -> None:
    await set_quota(engine, 3)
    await accept(engine, draft(), draft(), principal=sender)
    await engine.ingest.check_quota(engine.project_id, 1)
    with pytest.raises(errors.QuotaReached):
        await engine.ingest.check_quota(engine.project_id, 2)


async def test_however_many_come_at_once_the_quota_is_kept(
    engine: Engine, sender: Principal
) -> None:
    await set_quota(engine, 5)
    answers = await asyncio.gather(
        *(accept(engine, draft(), principal=sender, has_quota=True) for _ in range(64)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, errors.QuotaReached) for answer in answers) == 59
    assert len(await events(engine)) == 5


async def test_a_quota_binds_nobody_to_whom_it_does_not_apply(
    engine: Engine, sender: Principal
) -> None:
    await set_quota(engine, 1)
    await accept(engine, draft(), draft(), principal=sender)
    assert await engine.ingest.usage(engine.project_id) == 2


async def test_a_new_month_has_a_new_quota(engine: Engine, sender: Principal) -> None:
    await set_quota(engine, 1)
    await accept(engine, draft(), principal=sender, has_quota=True)
    engine.clock.advance(31 * 86_400)
    await engine.ingest.check_quota(engine.project_id)
    await accept(engine, draft(), principal=sender, has_quota=True)


async def test_a_project_without_quota_has_no_end(engine: Engine, sender: Principal) -> None:
    await accept(engine, *[draft()] * 10, principal=sender, has_quota=True)
    await engine.ingest.check_quota(engine.project_id)

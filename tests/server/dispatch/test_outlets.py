from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from slowping.core import errors, ids, notification
from slowping.core.channel import StoredChannel
from slowping.core.delivery import (
    Answer,
    Delivered,
    Outcome,
    Rejected,
    Retry,
    Throttled,
    Unusable,
)
from slowping.notifiers.port import Notifier, Settings
from slowping.server.dispatch.outlets import Outlet, Outlets
from slowping.store.port import ChannelRecord, Store
from slowping.store.sqlite.directory import Directory
from tests.server.engine import Engine


class LateDirectory(Directory):
    """Hands over a channel only after something else has happened."""

    def __init__(self, store: Store) -> None:
        assert isinstance(store.directory, Directory)
        self.__dict__.update(store.directory.__dict__)
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.readings = 0

    async def stored_channel(self, channel_id: int) -> StoredChannel:
        """The channel as it was when it was asked for."""
        self.readings += 1
        found = await super().stored_channel(channel_id)
        if self.meanwhile is not None:
            happening, self.meanwhile = self.meanwhile, None
            await happening()
        return found


@pytest.fixture
def directory(engine: Engine) -> LateDirectory:
    return LateDirectory(engine.store)


@pytest.fixture
def outlets(engine: Engine, directory: LateDirectory) -> Outlets:
    return Outlets(directory, engine.registry, engine.clock.now_ms, engine.tell_owner)


async def test_a_channel_is_read_once(
    engine: Engine, outlets: Outlets, directory: LateDirectory
) -> None:
    team = await engine.channel()
    first = await outlets.outlet(team)
    assert await outlets.outlet(team) is first
    assert directory.readings == 1


@pytest.mark.parametrize("forget", ["forget", "forget_all"])
async def test_a_channel_that_was_changed_is_read_again(
    engine: Engine, outlets: Outlets, forget: str
) -> None:
    team = await engine.channel()
    await outlets.outlet(team)
    await engine.pause(team)
    if forget == "forget":
        outlets.forget(team)
    else:
        outlets.forget_all()
    assert await outlets.outlet(team) is None


async def test_what_was_read_before_a_change_does_not_outlive_it(
    engine: Engine, outlets: Outlets, directory: LateDirectory
) -> None:
    team = await engine.channel()

    async def change() -> None:
        await engine.pause(team)
        outlets.forget(team)

    directory.meanwhile = change
    assert await outlets.outlet(team) is None


async def test_a_channel_is_shut_once_it_is_known_to_be(engine: Engine, outlets: Outlets) -> None:
    paused, open_ = await engine.channel("paused"), await engine.channel("open")
    await engine.pause(paused)
    assert not outlets.is_shut(paused)  # nobody has looked yet
    for channel_id in (paused, open_, 99):
        await outlets.outlet(channel_id)
    assert [outlets.is_shut(channel_id) for channel_id in (paused, open_, 99)] == [
        True,
        False,
        True,
    ]
    outlets.forget(paused)
    assert not outlets.is_shut(paused)


async def test_a_channel_that_is_removed_while_it_is_shut_is_nobodys_news(
    engine: Engine, outlets: Outlets, directory: LateDirectory
) -> None:
    team = await engine.channel()
    outlet = await outlets.outlet(team)
    assert outlet is not None

    async def remove() -> None:
        await engine.remove(team)

    directory.meanwhile = remove
    await outlets.shut(outlet, None, "the webhook was deleted", quiet=False)
    assert engine.told == []


async def test_a_channel_that_somebody_has_paused_keeps_his_reason(
    engine: Engine, outlets: Outlets
) -> None:
    team = await engine.channel()
    outlet = await outlets.outlet(team)
    assert outlet is not None
    await engine.pause(team)
    await outlets.shut(outlet, None, "the webhook was deleted", quiet=False)
    assert (await engine.stored(team)).paused_reason == "by hand"
    assert engine.told == []


async def test_a_scope_is_one_kinds_own(engine: Engine, outlets: Outlets) -> None:
    team = await engine.channel()
    await engine.channel("other", kind="single", label="team")
    outlet = await outlets.outlet(team)
    assert outlet is not None
    await outlets.shut(outlet, "recording", "revoked", quiet=False)
    assert engine.told == [("team", "revoked")]


async def test_a_channel_with_broken_settings_is_no_part_of_a_scope(
    engine: Engine, outlets: Outlets
) -> None:
    team = await engine.channel()
    broken = await engine.channel("broken", colour="blue")
    outlet = await outlets.outlet(team)
    assert outlet is not None
    await outlets.shut(outlet, "recording", "revoked", quiet=True)
    assert (await engine.stored(team)).paused_at is not None
    assert (await engine.stored(broken)).paused_at is None


async def test_a_paused_channel_can_be_prepared_for_a_test(
    engine: Engine, outlets: Outlets
) -> None:
    team = await engine.channel(retry_delays=[1, 2])
    await engine.pause(team)
    outlet = outlets.prepared(await engine.stored(team))
    assert outlet.scopes == ("recording", "recording:team")
    assert outlet.policy.delays == (1.0, 2.0)


async def test_settings_that_cannot_be_used_are_refused(engine: Engine, outlets: Outlets) -> None:
    broken = await engine.channel(colour="blue")
    with pytest.raises(errors.InvalidInput):
        outlets.prepared(await engine.stored(broken))


# What far sides repeat -----------------------------------------------------------------------

TOKEN = "4f3a9c215e8b7d60"
TEST = notification.trial("team", "shop", 0)


async def told_to(engine: Engine, **secrets: str) -> Outlet:
    """A channel with secrets, ready to be sent to."""
    record = ChannelRecord(name="team", kind="named", settings={}, secrets=secrets)
    directory = engine.store.directory
    made = await directory.create_channel(engine.project_id, record, now=engine.clock.now_ms())
    stored = await engine.stored(ids.decode(ids.CHANNEL, made.id))
    return Outlets(directory, engine.registry, engine.clock.now_ms, engine.tell_owner).prepared(
        stored
    )


@pytest.mark.parametrize(
    "outcome",
    [
        Delivered(answer=Answer(200, f"to {TOKEN}"), reference=TOKEN),
        Retry(answer=Answer(500, f"POST /{TOKEN}"), reason=f"cannot reach {TOKEN}"),
        Throttled(answer=Answer(429, TOKEN), reason=TOKEN, after=1.0, scope="named:team"),
        Rejected(answer=Answer(400, TOKEN), reason=TOKEN),
        Unusable(answer=Answer(404, TOKEN), reason=TOKEN, scope="named:team"),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
async def test_what_a_far_side_repeats_of_a_secret_is_not_kept(
    engine: Engine, outcome: Outcome
) -> None:
    outlet = await told_to(engine, url=f"https://far.example/{TOKEN}")
    engine.notifier("named").script = [outcome]
    kept = await outlet.deliver([TEST])
    assert TOKEN not in str(kept)
    assert "[secret]" in str(kept)
    scope = getattr(outcome, "scope", None)
    assert (type(kept), getattr(kept, "scope", None)) == (type(outcome), scope)


async def test_a_channel_does_not_pause_with_a_secret_as_the_reason(engine: Engine) -> None:
    class Loud:
        """Kinds whose notifier says aloud what it does not like."""

        def check(self, kind: str, settings: Mapping[str, Any]) -> Settings:
            raise errors.InvalidInput(f"{settings['url']} is not what I want")

        def require_usable(self, kind: str, settings: Mapping[str, Any]) -> None:
            raise AssertionError(kind, settings)

        def notifier(self, kind: str) -> Notifier:
            raise AssertionError(kind)

    outlet = await told_to(engine, url=f"https://far.example/{TOKEN}")
    outlets = Outlets(engine.store.directory, Loud(), engine.clock.now_ms, engine.tell_owner)
    assert await outlets.outlet(outlet.channel.id) is None
    reason = (await engine.stored(outlet.channel.id)).paused_reason
    assert reason == "its settings cannot be used: [secret] is not what I want"
    assert engine.told == [("team", reason)]

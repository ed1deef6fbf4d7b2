"""Send a thousand events at once to one Discord webhook, whose limits are enforced."""

import asyncio
import collections
import itertools
import time
from collections.abc import Sequence
from typing import Final

from slowping.core.channel import NewChannel
from slowping.core.event import NewEvent
from tests.acceptance.program import Machine, Server
from tests.laboratory import discord
from tests.laboratory.discord import Discord
from tests.notifiers.far_side import FarSide
from tests.torture.bar import Bar, Figure, Run, never

EVENTS: Final = 1_000
IN_ONE_REQUEST: Final = 100

FASTER: Final = 7
"""Than one message for each event, at least."""

MOST_REFUSED: Final = 0.01
MOST_INVALID: Final = 100

DEADLINE_S: Final = 900.0
_LOOK_S: Final = 0.1


async def run(run: Run) -> Sequence[Figure]:
    """Send, and wait until the last has arrived."""
    told = [f"event {no}" for no in range(run.times(EVENTS))]
    far_side, taking = FarSide(), Discord(time.monotonic)
    far_side.script = [taking.behaviour(far_side)]
    async with far_side.running():
        environ = {"SLOWPING_NOTIFIERS__DISCORD__API_BASE": far_side.url}
        machine = Machine(run.folder / "home")
        async with machine.serving(run.folder / "data", **environ) as server:
            await _send(server, told)
            await _arrive(taking, run)
    return _figures(taking, told)


def alone_s(messages: int) -> float:
    """Seconds that so many messages take at least, from the first to the last."""
    minutes, rest = divmod(messages - 1, discord.HIDDEN)
    return minutes * discord.HIDDEN_S + rest // discord.BUCKET * discord.BUCKET_S


async def _send(server: Server, told: Sequence[str]) -> None:
    [url] = discord.webhooks(1)
    async with server.client() as client:
        await client.create_channel(NewChannel(kind="discord", name="far", settings={"url": url}))
        for start in range(0, len(told), IN_ONE_REQUEST):
            batch = told[start : start + IN_ONE_REQUEST]
            await client.send_events([NewEvent(category="bug", description=one) for one in batch])


async def _arrive(taking: Discord, run: Run) -> None:
    """Wait until all have come, or until it has become too late."""
    loop = asyncio.get_running_loop()
    deadline, wanted, said = loop.time() + DEADLINE_S, run.times(EVENTS), 0
    while (came := len(taking.taken)) < wanted and loop.time() < deadline:
        if came - said >= wanted // 5:
            run.say(f"{came:,} events in {len(taking.seen)} requests")
            said = came
        await asyncio.sleep(_LOOK_S)


def _figures(taking: Discord, told: Sequence[str]) -> Sequence[Figure]:
    counted = collections.Counter(taking.taken)
    places = {text: place for place, text in enumerate(told)}
    came = [places[text] for text in taking.taken]
    took_s = taking.seen[-1].at_s - taking.seen[0].at_s
    refused = taking.refused()
    return [
        never("events lost", len(told) - len(counted)),
        never("events twice", counted.total() - len(counted)),
        never(
            "events before an older one",
            sum(after < before for before, after in itertools.pairwise(came)),
        ),
        Figure(
            what="requests answered by 429",
            measured=round(100 * refused / len(taking.seen), 2),
            bar=100 * MOST_REFUSED,
            unit="%",
        ),
        Figure(what="invalid requests", measured=refused, bar=MOST_INVALID),
        Figure(
            what="times as fast as a message for each event",
            measured=round(alone_s(len(told)) / max(took_s, 0.001), 1),
            bar=FASTER,
            at_least=True,
            is_timing=True,
        ),
        Figure(
            what="from the first to the last request",
            measured=round(took_s, 1),
            bar=round(alone_s(len(told)) / FASTER, 1),
            unit="s",
            is_timing=True,
        ),
    ]


BAR = Bar(
    name="discord_burst",
    promise="A burst to a Discord webhook goes out in batches, in order, within learned limits.",
    run=run,
)

"""Lead webhooks to every address that is not public, in every way, and count the connections."""

import asyncio
import functools
import ipaddress
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from slowping.client.client import Client
from slowping.core.channel import Channel, NewChannel
from slowping.core.delivery import Delivery
from slowping.core.errors import Refused
from slowping.core.event import NewEvent
from slowping.core.project import NewProject
from tests.acceptance.eventually import eventually
from tests.acceptance.program import Machine
from tests.laboratory import watched
from tests.laboratory.watched import Play
from tests.notifiers.far_side import Behaviour, FarSide, reply
from tests.torture.bar import Bar, Figure, Run, enough, never
from tests.vectors import vectors

OURS: Final = "127.0.0.2"
"""Where the far side of this run stands: the one address that its server is allowed."""

PUBLIC: Final = "9.9.9.9"
"""Stands beside forbidden ones, and must not be connected to either."""

WAYS: Final = 310
"""As many as there are, or a few less."""


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook that leads to an address, in one way."""

    name: str
    """Of its project, which has nothing but this channel."""
    url: str
    address: str
    answers: list[list[str]] = []
    """What its host leads to, one answer after the other."""
    is_forbidden: bool = True
    pauses: bool = True
    """Whether it is known to lead there: not what is not followed, or has no such address here."""
    is_ours_at_first: bool = False
    turns: bool = False
    """Whether it leads elsewhere when it is asked again."""


def leads(scale: float, port: int) -> list[Lead]:
    """Every way to every address, or to every so many of them; `port` is our far side's."""
    step = max(1, round(1 / scale))
    forbidden = vectors("ssrf", "must_block_after_resolution")[::step]
    spellings = vectors("ssrf", "host_spellings_that_resolve_to_loopback_or_any")[::step]
    allowed = vectors("ssrf", "must_allow")[::step]
    return [
        *(
            lead
            for no, address in enumerate(forbidden)
            for lead in _to_forbidden(no, address, port)
        ),
        *(
            Lead(name=f"spelt-{no}", url=f"https://{host}/in", address=host, pauses=False)
            for no, host in enumerate(spellings)
        ),
        *(lead for no, address in enumerate(allowed) for lead in _to_allowed(no, address)),
    ]


def _to_forbidden(no: int, address: str, port: int) -> Iterator[Lead]:
    yield Lead(name=f"literal-{no}", url=f"https://{_host(address)}/in", address=address)
    for way, answer in {
        "alone": [address],
        "last": [PUBLIC, address],
        "first": [address, PUBLIC],
        **({} if ":" in address else {"mapped": [f"::ffff:{address}"]}),
    }.items():
        name = f"{way}-{no}"
        yield Lead(name=name, url=f"https://{name}.example/in", address=address, answers=[answer])
    name = f"changed-{no}"
    yield Lead(
        name=name,
        url=f"http://{name}.example:{port}/in",
        address=address,
        answers=[[OURS], [address]],
        is_ours_at_first=True,
        turns=True,
    )
    name = f"redirected-{no}"
    yield Lead(
        name=name,
        url=f"http://{name}.example:{port}/to/{_host(address)}",
        address=address,
        answers=[[OURS]],
        is_ours_at_first=True,
        pauses=False,
    )


def _to_allowed(no: int, address: str) -> Iterator[Lead]:
    yield Lead(
        name=f"open-literal-{no}",
        url=f"https://{_host(address)}/in",
        address=address,
        is_forbidden=False,
    )
    name = f"open-{no}"
    yield Lead(
        name=name,
        url=f"https://{name}.example/in",
        address=address,
        answers=[[address]],
        is_forbidden=False,
    )


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


# The run -------------------------------------------------------------------------------------


async def run(run: Run) -> Sequence[Figure]:
    """Lead there, and count."""
    far_side = FarSide()
    far_side.script = [_sends_on(far_side)]
    async with far_side.running(host=OURS):
        given, asked = leads(run.scale, far_side.port), run.folder / "asked"
        play = Play(
            asked=str(asked),
            names={f"{lead.name}.example": lead.answers for lead in given if lead.answers},
            open=[OURS],
        )
        channels = await _led(run.folder, play, given)
    return _figures(run, given, channels, list(watched.asked(asked)))


def _sends_on(far_side: FarSide) -> Behaviour:
    """Takes what comes, and hangs up, so that the name is looked up anew; or sends it on."""

    async def behave(writer: asyncio.StreamWriter) -> bool:
        _, _, target = far_side.requests[-1].path.partition("/to/")
        location = {"location": f"http://{target}/"} if target else {}
        await reply(302 if target else 200, b"", location)(writer)
        return False

    return behave


async def _led(folder: Path, play: Play, given: Sequence[Lead]) -> dict[str, Channel | None]:
    """What became of each channel; None where no such channel can be made."""
    script = folder / "play.json"
    script.write_bytes(msgspec.json.encode(play))
    machine = Machine(folder / "home")
    environment = {
        watched.VARIABLE: str(script),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_NETWORKS": f"{OURS}/32",
        "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_HTTP": "true",
    }
    program = (sys.executable, "-m", "tests.laboratory.watched")
    async with (
        machine.serving(folder / "data", program=program, **environment) as server,
        server.client() as client,
    ):
        made = [lead for lead in given if await _made(client, lead)]
        await _send_to_all(client, [lead for lead in made if lead.turns])
        await _send_to_all(client, made)
        found = {lead.name: await _channel(client, lead) for lead in made}
    return {lead.name: found.get(lead.name) for lead in given}


async def _made(client: Client, lead: Lead) -> bool:
    await client.create_project(NewProject(name=lead.name))
    channel = NewChannel(kind="webhook", name="far", project=lead.name, settings={"url": lead.url})
    try:
        await client.create_channel(channel)
    except Refused:  # as good as never connected to
        return False
    return True


async def _send_to_all(client: Client, given: Sequence[Lead]) -> None:
    """Send an event to each, and wait until it has been tried."""
    for lead in given:
        event = await client.send_event(
            NewEvent(category="bug", description="It broke", project=lead.name)
        )
        await eventually(functools.partial(_tried, client, event.id))


async def _tried(client: Client, event_id: str) -> list[Delivery]:
    listed = await client.list_deliveries(event=event_id)
    return [each for each in listed.items if each.last_error or each.state == "delivered"]


async def _channel(client: Client, lead: Lead) -> Channel:
    [channel] = (await client.list_channels(project=lead.name)).items
    return channel


# What it adds up to --------------------------------------------------------------------------


def _figures(
    run: Run,
    given: Sequence[Lead],
    channels: dict[str, Channel | None],
    connections: Sequence[tuple[str, int]],
) -> Sequence[Figure]:
    allowed = {_plain(lead.address) for lead in given if not lead.is_forbidden}
    asked = [_plain(address) for address, _ in connections]
    forbidden = [lead for lead in given if lead.is_forbidden]
    not_paused = [lead for lead in forbidden if lead.pauses and not _is_paused(channels[lead.name])]
    return (
        enough("ways to a forbidden address", len(forbidden), run.times(WAYS)),
        never("connections to one", sum(address not in {*allowed, OURS} for address in asked)),
        never("channels to one that were not paused", len(not_paused)),
        enough(
            "connections to our own far side",
            asked.count(OURS),
            sum(lead.is_ours_at_first for lead in forbidden),
        ),
        never("allowed addresses that were not connected to", len(allowed - set(asked))),
    )


def _is_paused(channel: Channel | None) -> bool:
    return channel is None or "allow_networks" in (channel.paused_reason or "")


def _plain(address: str) -> str:
    return str(ipaddress.ip_address(address))


BAR = Bar(
    name="forbidden_addresses",
    promise="No webhook leads the server to an address that is not public.",
    run=run,
)

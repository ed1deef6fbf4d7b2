"""Plant a secret wherever one can be, have all far sides repeat it, and look for it everywhere."""

import asyncio
import contextlib
import itertools
import re
import stat
from collections.abc import AsyncIterator, Sequence
from typing import Final

import httpx

from tests.acceptance.eventually import eventually
from tests.acceptance.program import Server
from tests.laboratory.parrot import MANNERS, HttpParrot, MailParrot, Manner
from tests.torture import planted
from tests.torture.bar import Bar, Figure, Run, enough, never
from tests.torture.lookout import canary
from tests.torture.planted import API, Plot

REFUSALS: Final = (("AUTH", 535), ("MAIL", 550), ("RCPT", 550), ("DATA", 554), ("", 451))
EXPORTS: Final = (
    ("channel", "list", "--json"), ("delivery", "groups", "--json"), ("event", "export"),
    ("delivery", "list", "--json"), ("event", "list", "--json"), ("key", "list", "--json"),
    ("audit", "list", "--json"), ("overview", "--json"),
)  # fmt: skip
KEYS: Final = ("admin", "reader", "ingest", "imported")
FIRST: Final = Manner(status=400)
"""About one message alone: every channel goes on to try others."""

FORMS: Final = ("text", "json")
"""Of the log."""


async def run(run: Run) -> Sequence[Figure]:
    """All of it, with both forms of the log."""
    manners = [MANNERS[number % len(MANNERS)] for number in range(run.times(2 * len(MANNERS)))]
    open_files = 0
    async with HttpParrot().running() as web, MailParrot().running() as mail:
        assert isinstance(web, HttpParrot)
        plot = Plot(run, web, mail)
        for form in FORMS[: run.times(len(FORMS))]:
            async with plot.serving(form) as (server, client):
                if form == FORMS[0]:
                    await planted.plant(plot, client)
                await _have_repeated(plot, client, [FIRST, *manners])
                run.say(f"{plot.answers} answers, log as {form}")
                await _count_repeated(plot, client)
                await _ask_everything(plot, client)
                await _export_all(plot, server)
                open_files += _look_at_files(plot)
            open_files += _look_at_files(plot)
    return _figures(plot, open_files)


def _figures(plot: Plot, open_files: int) -> Sequence[Figure]:
    told = "".join(f"{one.path}{one.headers}" for one in plot.web.requests)
    logins = "".join(plot.mail.heard)
    for place, names in plot.lookout.seen.items():
        for name in sorted(set(names)):
            plot.run.say(f"HIT in {place}: {name}")
    places = ("standard output", "standard error", "answers", "feed", "exports", "copies",
              "database", "other files")  # fmt: skip
    return (
        enough("canaries planted", plot.lookout.count, 20),
        enough(
            "of them sent to far sides",
            plot.lookout.reached(told) + plot.lookout.reached(logins),
            8,
        ),
        never("secret settings without one", len(plot.bare)),
        enough("times repeated to us and taken out", plot.repeated, 8),
        enough("answers looked at", plot.answers, plot.run.times(2_000)),
        enough("items of the feed looked at", plot.told, 20),
        *(never(f"found in {place}", len(set(plot.lookout.seen[place]))) for place in places),
        never("files open to others under umask 000", open_files),
    )


BAR: Final = Bar(
    name="canaries",
    promise="No secret is told to anybody, whatever far sides repeat.",
    run=run,
)


# What far sides repeat ---------------------------------------------------------------------


async def _have_repeated(plot: Plot, client: httpx.AsyncClient, manners: Sequence[Manner]) -> None:
    """Send by every channel, while the far sides repeat what they get in each of these manners."""
    listed = (await plot.ask(client, "GET", f"{API}/channels?limit=1000")).json()["items"]
    for manner, (command, code) in zip(manners, itertools.cycle(REFUSALS), strict=False):
        plot.web.manner = manner
        plot.mail.refuses, plot.mail.code = command, code
        for channel in listed:
            await plot.ask(client, "POST", f"{API}/channels/{channel['id']}/resume")
        await _send(plot, client, manner.name)
        if manner is FIRST:
            await eventually(lambda: _are_tried(plot, client))
        tests = [f"{API}/channels/{channel['id']}/test" for channel in listed]
        await asyncio.gather(*(plot.ask(client, "POST", place) for place in tests))


async def _send(plot: Plot, client: httpx.AsyncClient, text: str) -> None:
    """An event to all channels, and one that names a webhook of its own."""
    event = {"category": "bug", "description": text}
    for key in ("ingest", "imported"):
        sent = await plot.ask(client, "POST", "/api/v1/events", key, json=event)
        assert sent.status_code == 200, sent.text
    token = plot.lookout.plant("named in a request", canary("named in a request"))
    webhook = {"url": f"https://discord.com/api/webhooks/4712/{token}", "title": text}
    named = {"projectId": "default", "eventType": "bug", "discordWebhook": webhook}
    sent = await plot.ask(client, "POST", "/api/slowstats/ingest-events", "ingest", json=named)
    assert sent.status_code == 200, sent.text


async def _are_tried(plot: Plot, client: httpx.AsyncClient) -> bool:
    """Whether every channel that has secrets has tried something."""
    for one in planted.channels(plot.web, plot.mail):
        which = {"channel": one.name, "limit": 1000}
        listed = await plot.ask(client, "GET", f"{API}/deliveries", params=which)
        if not any(delivery["attempts"] for delivery in listed.json()["items"]):
            return False
    return True


async def _count_repeated(plot: Plot, client: httpx.AsyncClient) -> None:
    """Count the attempts that had a secret to be taken out."""
    listed = (await plot.ask(client, "GET", f"{API}/deliveries?limit=1000")).json()["items"]
    for one in listed:
        detail = await plot.ask(client, "GET", f"{API}/deliveries/{one['id']}")
        plot.repeated += detail.text.count("[secret]")


# Every route ---------------------------------------------------------------------------------


async def _ask_everything(plot: Plot, client: httpx.AsyncClient) -> None:
    """Every operation that the reference names, with each key; what is changed, badly."""
    document = (await plot.ask(client, "GET", f"{API}/openapi.json")).json()
    for path, operations in document["paths"].items():
        places = [place async for place in _places(plot, client, path)]
        for method in operations.keys() & {"get", "post", "patch", "delete", "put"}:
            for key in KEYS[: max(2, plot.run.times(len(KEYS)))]:
                for place in places if method == "get" else places[-1:]:
                    await _ask_one(plot, client, method.upper(), place, key)


async def _places(plot: Plot, client: httpx.AsyncClient, path: str) -> AsyncIterator[str]:
    """A path for each of the first things that are there, and one for something that is not."""
    if path.endswith("}") and path.startswith(API):
        limit = {"limit": plot.run.times(10)}
        listed = await plot.ask(client, "GET", path.rpartition("/")[0], params=limit)
        for item in listed.json().get("items", ()):
            yield re.sub(r"\{\w+\}", str(item["id"]), path)
    yield re.sub(r"\{\w+\}", plot.keys["reader"], path)


async def _ask_one(
    plot: Plot, client: httpx.AsyncClient, method: str, place: str, key: str
) -> None:
    if place.endswith("/feed"):
        await _follow(plot, client, key)
    elif method == "GET":
        await plot.ask(client, method, f"{place}?projectId=default", key)
        await plot.ask(client, method, place, key)
    else:
        await plot.ask(client, method, place, key, json={"unknown": 1}, params={"q": "1"})


async def _follow(plot: Plot, client: httpx.AsyncClient, key: str) -> None:
    """Read the feed from its beginning, for as long as something comes at once."""
    headers = {"authorization": f"Bearer {plot.keys[key]}", "last-event-id": plot.beginning}
    said = bytearray()
    with contextlib.suppress(httpx.TimeoutException):
        async with client.stream(
            "GET", f"{API}/feed", headers=headers, timeout=httpx.Timeout(10, read=1)
        ) as answer:
            async for chunk in answer.aiter_bytes():
                said += chunk
    plot.told += said.count(b"event: ")
    plot.lookout.look("feed", bytes(said))


# What is left --------------------------------------------------------------------------------


async def _export_all(plot: Plot, server: Server) -> None:
    """What commands print, and a copy of the database."""
    environ = {"SLOWPING_SERVER": server.url, "SLOWPING_API_KEY": server.admin_key}
    for command in EXPORTS[: plot.run.times(len(EXPORTS)) + 1]:
        ran = await plot.machine.slowping(*command, **environ)
        assert ran.code == 0, (command, ran.stderr)
        plot.lookout.look("exports", f"{ran.stdout}\n{ran.stderr}")
    copy = plot.run.folder / "copy.db"
    ran = await plot.machine.slowping("backup", copy, "--replace", **environ)
    assert ran.code == 0, ran.stderr
    plot.lookout.look("copies", copy.read_bytes())


def _look_at_files(plot: Plot) -> int:
    """Look into the data folder; how many files in it are open to others."""
    own = {"admin": "admin.key", "ingest": "ingest.key"}
    for file in sorted(plot.data.iterdir()):
        place = "database" if file.name.startswith("slowping.db") else "other files"
        but_for = [name for name, home in own.items() if home == file.name]
        plot.lookout.look(place, file.read_bytes(), but_for=but_for)
    modes = [stat.S_IMODE(file.stat().st_mode) for file in (plot.data, *plot.data.iterdir())]
    return sum(bool(mode & 0o077) for mode in modes)

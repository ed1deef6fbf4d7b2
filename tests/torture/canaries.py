"""Plant a secret wherever one can be, have all far sides repeat it, and look for it everywhere."""

import asyncio
import base64
import contextlib
import hashlib
import itertools
import os
import re
import signal
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from tests.acceptance.eventually import eventually
from tests.acceptance.program import Machine, Server
from tests.laboratory import loud
from tests.laboratory.parrot import MANNERS, HttpParrot, MailParrot, Manner
from tests.torture.bar import Bar, Figure, Run, enough, never

API: Final = "/slowping/v1"
ROOT: Final = Path(__file__).parents[2]
SOON: Final = [0.1]
"""Retry delays: a second try, and no more."""

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


def canary(name: str) -> str:
    """A secret by which it is known where it was planted; also 24 bytes in base64."""
    return f"Cnry{hashlib.sha256(name.encode()).hexdigest()[:28]}"


class Planted(msgspec.Struct, frozen=True, kw_only=True):
    """A channel with canaries in its settings."""

    name: str
    kind: str
    settings: dict[str, Any]


def channels(web: HttpParrot, mail: MailParrot) -> tuple[Planted, ...]:
    """One at least of every kind that has secrets, with one in each of these."""
    path, query = canary("path of a webhook"), canary("query of a webhook")
    signing, discord = canary("signing secret"), canary("discord webhook")
    password, token, within = canary("mail"), canary("plug-in"), canary("within a plug-in")
    own = {"host": "127.0.0.1", "port": mail.port, "tls": "plain", "username": "me"}
    login = {"user": "me", "password": within}
    return (
        Planted(
            name="hook",
            kind="webhook",
            settings={"url": f"{web.url}/in/{path}?key={query}", "secret": f"whsec_{signing}"},
        ),
        Planted(
            name="team",
            kind="discord",
            settings={"url": f"https://discord.com/api/webhooks/4711/{discord}"},
        ),
        Planted(
            name="direct",
            kind="discord",
            settings={"bot_token": canary("discord bot"), "user_id": "4711"},
        ),
        Planted(
            name="chat",
            kind="telegram",
            settings={"bot_token": f"4711:{canary('telegram bot')}", "chat_id": 4711},
        ),
        Planted(
            name="mail", kind="email", settings={"to": "me@x.test", **own, "password": password}
        ),
        Planted(name="operator", kind="email", settings={"to": "me@x.test"}),
        *(
            Planted(name=mood, kind="loud", settings={"token": token, "login": login, "mood": mood})
            for mood in ("raises", "says")
        ),
    )


REFUSED: Final = tuple(
    {"kind": "loud", "name": mood, "settings": {"token": canary(mood), "mood": mood}}
    for mood in ("refuses", "breaks")
)
"""Channels that are never made; what is wrong is said aloud."""


# Looking -------------------------------------------------------------------------------------


class Lookout:
    """Knows every canary, and finds it in whatever spelling."""

    def __init__(self) -> None:
        self._spelt: dict[str, tuple[bytes, ...]] = {}
        self.seen: dict[str, list[str]] = {}
        """Which canaries were found, by place."""

    def plant(self, name: str, value: str) -> str:
        """Look for this from now on."""
        self._spelt[name] = tuple(_spellings(value))
        return value

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._spelt)

    def look(self, place: str, said: bytes | str, *, but_for: Sequence[str] = ()) -> None:
        """Note the canaries in what was said there."""
        lower = (said.encode() if isinstance(said, str) else said).lower()
        self.seen.setdefault(place, []).extend(self._found(lower, but_for))

    def reached(self, said: str) -> int:
        """How many canaries are in this."""
        return len(list(self._found(said.lower().encode(), ())))

    def _found(self, lower: bytes, but_for: Sequence[str]) -> Iterator[str]:
        for name, spelt in self._spelt.items():
            if name not in but_for and any(spelling in lower for spelling in spelt):
                yield name


def _spellings(value: str) -> Iterator[bytes]:
    """In lower case: as it is, as hexadecimal digits, and in base64 with anything around it."""
    plain = value.encode()
    yield plain.lower()
    yield plain.hex().encode()
    for before in range(3):
        coded = base64.b64encode(b"?" * before + plain)
        yield coded[4 * (before > 0) : -4].lower()


# The run -------------------------------------------------------------------------------------


class Plot:
    """A server, its far sides, and whoever listens to all that it says."""

    def __init__(self, run: Run, web: HttpParrot, mail: MailParrot) -> None:
        self.run = run
        self.web = web
        self.mail = mail
        self.lookout = Lookout()
        self.machine = Machine(run.folder / "home")
        self.data = run.folder / "data"
        self.answers = 0
        self.beginning = ""
        """The place of the feed before anything was planted."""
        self.told = 0
        """Items of the feed."""
        self.repeated = 0
        """Attempts in which a far side has repeated a secret, and it was taken out."""
        self.bare: set[tuple[str, str]] = set()
        """Secret settings without a canary, with their kinds."""
        self.keys: dict[str, str] = {}
        self._place_plug_in(run.folder / "plug-in")
        password = run.folder / "password"
        password.touch(mode=0o600)
        password.write_text(self._planted("mail of the operator"))
        self._environ = {
            "PYTHONPATH": os.pathsep.join((str(run.folder / "plug-in"), str(ROOT))),
            "SLOWPING_LOG__LEVEL": "debug",
            "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_NETWORKS": "127.0.0.0/8",
            "SLOWPING_NOTIFIERS__WEBHOOK__ALLOW_HTTP": "true",
            "SLOWPING_NOTIFIERS__DISCORD__API_BASE": f"{web.url}/discord",
            "SLOWPING_NOTIFIERS__TELEGRAM__API_BASE": f"{web.url}/telegram",
            "SLOWPING_NOTIFIERS__EMAIL__HOST": "127.0.0.1",
            "SLOWPING_NOTIFIERS__EMAIL__PORT": str(mail.port),
            "SLOWPING_NOTIFIERS__EMAIL__TLS": "plain",
            "SLOWPING_NOTIFIERS__EMAIL__USERNAME": "operator",
            "SLOWPING_NOTIFIERS__EMAIL__PASSWORD_FILE": str(password),
        }

    @contextlib.asynccontextmanager
    async def serving(self, form: str) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
        """A server that logs in this form, made by somebody with the most generous umask."""
        before = os.umask(0)
        try:
            environ = {**self._environ, "SLOWPING_LOG__FORMAT": form}
            async with self.machine.serving(self.data, **environ) as server:
                os.umask(before)
                self.keys |= {"admin": server.admin_key, "ingest": server.ingest_key}
                for name in ("admin", "ingest"):
                    self.lookout.plant(name, self.keys[name])
                async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
                    yield server, client
                server.terminate(signal.SIGTERM)
                await server.ended()
                self.lookout.look("standard output", server.stdout, but_for=("admin", "ingest"))
                self.lookout.look("standard error", server.stderr)
        finally:
            os.umask(before)

    async def ask(
        self, client: httpx.AsyncClient, method: str, path: str, key: str = "admin",
        *, reveals: bool = False, **said: Any,
    ) -> httpx.Response:  # fmt: skip
        """Ask the server, and look at what it answers unless it is to reveal something."""
        headers = {"authorization": f"Bearer {self.keys[key]}", "x-api-key": self.keys[key]}
        answer = await client.request(method, path, headers=headers, timeout=60, **said)
        self.answers += 1
        if not reveals:
            self.lookout.look("answers", f"{answer.headers}\n{answer.text}")
        return answer

    def _planted(self, name: str) -> str:
        return self.lookout.plant(name, canary(name))

    def _place_plug_in(self, folder: Path) -> None:
        place = folder / "loud-1.0.dist-info"
        place.mkdir(parents=True)
        for name, content in loud.entry_point().items():
            (place / name).write_text(content)


async def set_up(plot: Plot, client: httpx.AsyncClient) -> None:
    """Make channels and keys with canaries in them."""
    headers = {"authorization": f"Bearer {plot.keys['admin']}"}
    async with client.stream("GET", f"{API}/feed", headers=headers) as feed:
        async for line in feed.aiter_lines():
            if line.startswith("id: "):
                plot.beginning = line.removeprefix("id: ")
                break
    planted = channels(plot.web, plot.mail)
    for one in planted:
        for value in re.findall(r"Cnry[0-9a-f]{28}", msgspec.json.encode(one).decode()):
            plot.lookout.plant(f"{one.name}: {value}", value)
        new = {"name": one.name, "kind": one.kind}
        settings = {**one.settings, "retry_delays": SOON}
        made = await plot.ask(client, "POST", f"{API}/channels", json={**new, "settings": settings})
        assert made.status_code == 201, made.text
    for refused in REFUSED:
        plot.lookout.plant(str(refused["name"]), canary(str(refused["name"])))
        said = await plot.ask(client, "POST", f"{API}/channels", json=refused)
        assert said.status_code == 422, said.text
    await replace_signing_secret(plot, client)
    await issue_keys(plot, client)
    kinds = (await plot.ask(client, "GET", f"{API}/channel-kinds")).json()["items"]
    plot.bare = {
        (kind["kind"], name)
        for kind in kinds
        for name, field in kind["settings"]["properties"].items()
        if "writeOnly" in str(field)
    } - {(one.kind, name) for one in planted for name in one.settings}


async def replace_signing_secret(plot: Plot, client: httpx.AsyncClient) -> None:
    """The old one goes on signing, so it is kept as well."""
    secret = {"secret": f"whsec_{plot.lookout.plant('new secret', canary('new secret'))}"}
    [hook] = (await plot.ask(client, "GET", f"{API}/channels?name=hook")).json()["items"]
    place = f"{API}/channels/{hook['id']}"
    assert (await plot.ask(client, "PATCH", place, json={"settings": secret})).status_code == 200


async def issue_keys(plot: Plot, client: httpx.AsyncClient) -> None:
    """A key that was imported, and one of our own that may read."""
    imported = plot.lookout.plant("imported key", canary("imported key"))
    for new in (
        {"name": "imported", "import_value": imported},
        {"name": "reader", "scopes": ["read"]},
    ):
        issued = await plot.ask(client, "POST", f"{API}/keys", json=new, reveals=True)
        value = plot.lookout.plant(str(new["name"]), issued.json()["value"])
        plot.keys[str(new["name"])] = value


async def have_repeated(plot: Plot, client: httpx.AsyncClient, manners: Sequence[Manner]) -> None:
    """Send by every channel, while the far sides repeat what they get in each of these manners."""
    listed = (await plot.ask(client, "GET", f"{API}/channels?limit=1000")).json()["items"]
    for manner, (command, code) in zip(manners, itertools.cycle(REFUSALS), strict=False):
        plot.web.manner = manner
        plot.mail.refuses, plot.mail.code = command, code
        for channel in listed:
            await plot.ask(client, "POST", f"{API}/channels/{channel['id']}/resume")
        await send(plot, client, manner.name)
        if manner is FIRST:
            await eventually(lambda: are_tried(plot, client))
        tests = [f"{API}/channels/{channel['id']}/test" for channel in listed]
        await asyncio.gather(*(plot.ask(client, "POST", place) for place in tests))


async def send(plot: Plot, client: httpx.AsyncClient, text: str) -> None:
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


async def are_tried(plot: Plot, client: httpx.AsyncClient) -> bool:
    """Whether every channel that has secrets has tried something."""
    for one in channels(plot.web, plot.mail):
        which = {"channel": one.name, "limit": 1000}
        listed = await plot.ask(client, "GET", f"{API}/deliveries", params=which)
        if not any(delivery["attempts"] for delivery in listed.json()["items"]):
            return False
    return True


async def count_repeated(plot: Plot, client: httpx.AsyncClient) -> None:
    """Count the attempts that had a secret to be taken out."""
    listed = (await plot.ask(client, "GET", f"{API}/deliveries?limit=1000")).json()["items"]
    for one in listed:
        detail = await plot.ask(client, "GET", f"{API}/deliveries/{one['id']}")
        plot.repeated += detail.text.count("[secret]")


# Every route ---------------------------------------------------------------------------------


async def ask_everything(plot: Plot, client: httpx.AsyncClient) -> None:
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


async def export_all(plot: Plot, server: Server) -> None:
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


def look_at_files(plot: Plot) -> int:
    """Look into the data folder; how many files in it are open to others."""
    own = {"admin": "admin.key", "ingest": "ingest.key"}
    for file in sorted(plot.data.iterdir()):
        place = "database" if file.name.startswith("slowping.db") else "other files"
        but_for = [name for name, home in own.items() if home == file.name]
        plot.lookout.look(place, file.read_bytes(), but_for=but_for)
    modes = [stat.S_IMODE(file.stat().st_mode) for file in (plot.data, *plot.data.iterdir())]
    return sum(bool(mode & 0o077) for mode in modes)


async def look_for_canaries(run: Run) -> Sequence[Figure]:
    """All of it, with both forms of the log."""
    manners = [MANNERS[number % len(MANNERS)] for number in range(run.times(2 * len(MANNERS)))]
    open_files = 0
    async with HttpParrot().running() as web, MailParrot().running() as mail:
        assert isinstance(web, HttpParrot)
        plot = Plot(run, web, mail)
        for form in FORMS[: run.times(len(FORMS))]:
            async with plot.serving(form) as (server, client):
                if form == FORMS[0]:
                    await set_up(plot, client)
                await have_repeated(plot, client, [FIRST, *manners])
                run.say(f"{plot.answers} answers, log as {form}")
                await count_repeated(plot, client)
                await ask_everything(plot, client)
                await export_all(plot, server)
                open_files += look_at_files(plot)
            look_at_files(plot)
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
        never("secret settings without one", len(plot.bare)),
        enough(
            "of them sent to far sides",
            plot.lookout.reached(told) + plot.lookout.reached(logins),
            8,
        ),
        enough("times repeated to us and taken out", plot.repeated, 8),
        enough("answers looked at", plot.answers, plot.run.times(2_000)),
        enough("items of the feed looked at", plot.told, 20),
        *(never(f"found in {place}", len(set(plot.lookout.seen[place]))) for place in places),
        never("files open to others under umask 000", open_files),
    )


BAR: Final = Bar(
    name="canaries",
    promise="No secret is told to anybody, whatever far sides repeat.",
    run=look_for_canaries,
)

"""A server with a secret planted wherever one can be, and far sides that repeat them."""

import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from tests.acceptance.program import Machine, Server
from tests.laboratory import loud
from tests.laboratory.parrot import HttpParrot, MailParrot
from tests.torture.bar import Run
from tests.torture.lookout import Lookout, canary

API: Final = "/slowping/v1"
ROOT: Final = Path(__file__).parents[2]
SOON: Final = [0.1]
"""Retry delays: a second try, and no more."""


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


async def plant(plot: Plot, client: httpx.AsyncClient) -> None:
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
    await _replace_signing_secret(plot, client)
    await _issue_keys(plot, client)
    kinds = (await plot.ask(client, "GET", f"{API}/channel-kinds")).json()["items"]
    plot.bare = {
        (kind["kind"], name)
        for kind in kinds
        for name, field in kind["settings"]["properties"].items()
        if "writeOnly" in str(field)
    } - {(one.kind, name) for one in planted for name in one.settings}


async def _replace_signing_secret(plot: Plot, client: httpx.AsyncClient) -> None:
    """The old one goes on signing, so it is kept as well."""
    secret = {"secret": f"whsec_{plot.lookout.plant('new secret', canary('new secret'))}"}
    [hook] = (await plot.ask(client, "GET", f"{API}/channels?name=hook")).json()["items"]
    place = f"{API}/channels/{hook['id']}"
    assert (await plot.ask(client, "PATCH", place, json={"settings": secret})).status_code == 200


async def _issue_keys(plot: Plot, client: httpx.AsyncClient) -> None:
    """A key that was imported, and one of our own that may read."""
    imported = plot.lookout.plant("imported key", canary("imported key"))
    for new in (
        {"name": "imported", "import_value": imported},
        {"name": "reader", "scopes": ["read"]},
    ):
        issued = await plot.ask(client, "POST", f"{API}/keys", json=new, reveals=True)
        value = plot.lookout.plant(str(new["name"]), issued.json()["value"])
        plot.keys[str(new["name"])] = value

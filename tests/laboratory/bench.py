"""The engine with the real notifiers, over a network where the laboratory names the hosts."""

import contextlib
import io
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from slowping.config import DiscordSection, EmailSection, TelegramSection, WebhookSection
from slowping.core import ids
from slowping.notifiers.dialling import Resolve
from slowping.notifiers.email import Email
from slowping.notifiers.http import open_guarded_http, open_http
from slowping.notifiers.port import Http, HttpAnswer, Tools
from slowping.notifiers.registry import Registry
from slowping.store import open_store
from slowping.store.port import ChannelRecord, Store
from slowping.store.vault import Vault, new_key
from slowping.testing import FrozenClock
from tests.laboratory import names
from tests.laboratory.tls import NAME
from tests.server.engine import Engine

CHANNEL: Final = "far"
SECRET: Final = "not-to-be-told"
"""Stands in the secrets of every channel."""

PATIENT_S: Final = 20.0
IMPATIENT_S: Final = 2.0
"""With a far side that does not answer; that is the usual limit, made short."""

OPEN: Final = ("127.0.0.0/8", "::1/128")
"""What webhooks may go to here."""


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """Where the far side of a bench is."""

    port: int
    resolve: Resolve | None = None
    """Says what its name leads to; to this machine where it is None."""
    tls: ssl.SSLContext | None = None
    """Whom a client believes, where it is encrypted."""


class Patience:
    """How long the notifiers of a bench wait for their far side."""

    def __init__(self) -> None:
        self.seconds = PATIENT_S


class PatientHttp:
    """Waits no longer than its patience lasts."""

    def __init__(self, inner: Http, patience: Patience) -> None:
        self._inner = inner
        self._patience = patience

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout_s: float = 15.0
    ) -> HttpAnswer:
        """Post, in less time than is asked for."""
        timeout_s = min(timeout_s, self._patience.seconds)
        return await self._inner.post(url, content, headers, timeout_s=timeout_s)


class PatientEmail(Email):
    """The same for mails."""

    def __init__(self, tools: Tools, resolve: Resolve, patience: Patience) -> None:
        super().__init__(tools)
        self._resolve = resolve
        self._patience = patience

    @property
    def command_timeout_s(self) -> float:  # type: ignore[override] # a constant of the class
        """As long as it is patient."""
        return self._patience.seconds

    @property
    def data_timeout_s(self) -> float:  # type: ignore[override] # as above
        """The same."""
        return self._patience.seconds


class Bench(Engine):
    """One project with one channel, whose far side stands on a port of this machine."""

    def __init__(
        self, store: Store, clock: FrozenClock, tools: Mapping[str, Tools], email: Email
    ) -> None:
        super().__init__(store, clock)
        self.registry = Registry(tools.__getitem__)
        self.registry._built["email"] = email
        self.new_dispatcher()

    async def channel_to(self, kind: str, settings: Mapping[str, Any]) -> int:
        """Make the channel, its secrets apart from its other settings."""
        shown, secrets = self.registry.split(kind, settings)
        record = ChannelRecord(name=CHANNEL, kind=kind, settings=shown, secrets=secrets)
        made = await self.store.directory.create_channel(
            self.project_id, record, now=self.clock.now_ms()
        )
        await self.roster.renew_project(self.project_id)
        return ids.decode(ids.CHANNEL, made.id)


@contextlib.asynccontextmanager
async def bench(
    folder: Path, clock: FrozenClock, patience: Patience, network: Network
) -> AsyncIterator[Bench]:
    """A bench whose far sides all stand on one port of this machine."""
    resolve, tls = network.resolve or names.finding("127.0.0.1"), network.tls
    clients = (
        open_http(resolve=resolve, tls=tls),
        open_guarded_http(OPEN, True, resolve=resolve, tls=tls),
    )
    http, guarded = (PatientHttp(client, patience) for client in clients)
    base = f"{'https' if tls else 'http'}://{NAME}:{network.port}"
    sections = {
        "discord": DiscordSection(api_base=base),
        "telegram": TelegramSection(api_base=base),
        "webhook": WebhookSection(timeout_s=PATIENT_S),
        "email": EmailSection(),
    }
    tools = {
        kind: Tools(
            http=http,
            guarded_http=guarded,
            now_ms=clock.now_ms,
            terminal=io.StringIO(),
            section=section,
        )
        for kind, section in sections.items()
    }
    store = await open_store(f"sqlite:{folder / 'slowping.db'}", Vault([new_key()]))
    made = Bench(store, clock, tools, PatientEmail(tools["email"], resolve, patience))
    try:
        await made.project()
        yield made
    finally:
        await made.close()
        await store.close()
        for client in clients:
            await client.close()


def settings_for(kind: str, port: int, *, encrypted: bool) -> dict[str, Any]:
    """What a channel to the far side on this port is made of."""
    settings: dict[str, dict[str, Any]] = {
        "webhook": {"url": f"{'https' if encrypted else 'http'}://{NAME}:{port}/in"},
        "discord": {"url": f"https://discord.com/api/webhooks/123/{SECRET}"},
        "discord bot": {"bot_token": SECRET, "user_id": "456"},
        "telegram": {"bot_token": f"123:{SECRET}", "chat_id": "4711"},
        "email": {"to": "me@far.example", "host": NAME, "port": port, "tls": "plain"},
    }
    return settings[kind]

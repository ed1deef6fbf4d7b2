"""The options that an operator has, each with its default."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from slowping.core.api_key import DEFAULT_RATE_LIMIT
from slowping.core.retention import Keeping

_SECRET_NAME: Final = re.compile("pass|secret|token|key|credential", re.IGNORECASE)

#
# A description completes the sentence "server.port must be ..."; `extra["parse"]` is called with
# a value that has the right type, returns the one to keep or raises ValueError with a reason.


def _networks(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_network(network)) for network in given)


def _hosts(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        host if _HOST_NAME.fullmatch(host) else str(ipaddress.ip_network(host)) for host in given
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# The last part of a name is no number: 10.0.0.256 is a mistake, not a host.
_HOST_NAME: Final = re.compile(r"(?:[A-Za-z0-9_-]+\.)*(?!\d+\.?\Z)[A-Za-z0-9_-]+\.?")

NEARBY: Final = (
    "127.0.0.0/8", "::1/128",
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
    "fc00::/7", "fe80::/10",
)  # fmt: skip
"""This machine and private networks, those of containers and overlays such as Tailscale too."""


Port = Annotated[int, msgspec.Meta(ge=1, le=65_535, description="a port number, 1 to 65535")]
Seconds = Annotated[
    float,
    msgspec.Meta(gt=0, le=3_600, description="a number of seconds, more than 0, at most 3600"),
]
Mebibytes = Annotated[
    int, msgspec.Meta(ge=0, le=1_000_000, description="a number of MiB, 0 to 1000000")
]
Switch = Annotated[bool, msgspec.Meta(description="true or false")]
Text = Annotated[str, msgspec.Meta(description="a text")]
FilePath = Annotated[Path | None, msgspec.Meta(description="the path of a file")]
Host = Annotated[str, msgspec.Meta(min_length=1, description="a host name or an address")]
Networks = Annotated[
    tuple[str, ...],
    msgspec.Meta(description='a list of networks such as "10.0.0.0/8"', extra={"parse": _networks}),
]
Hosts = Annotated[
    tuple[str, ...],
    msgspec.Meta(
        description='a list of networks and host names such as "10.0.0.0/8" and "proxy"',
        extra={"parse": _hosts},
    ),
]
BaseAddress = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://[^/\s?#]+[^\s?#]*\Z",
        description="an address that starts with http:// or https://",
        # Paths are put behind it, and begin with a slash.
        extra={"parse": lambda address: address.rstrip("/")},
    ),
]


class ServerSection(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server listens and what it takes in."""

    host: Host = "127.0.0.1"
    port: Port = 7464
    max_body_bytes: Annotated[
        int,
        msgspec.Meta(ge=1_024, le=67_108_864, description="a number of bytes, 1024 to 67108864"),
    ] = 1_048_576
    tls_certificate: FilePath = None
    """With the certificates of its authorities after it; without it, there is no TLS."""
    tls_key: FilePath = None
    """None where the key lies in the file of the certificate."""
    trusted_proxies: Hosts = ()
    """Networks and hosts whose X-Forwarded-For is believed."""
    admin_from: Networks = NEARBY
    """Networks from which admin keys may be used."""
    body_timeout_s: Seconds = 10
    shutdown_timeout_s: Seconds = 10

    @property
    def is_in_clear(self) -> bool:
        """Whether others are let in without TLS, so that keys can be read on the way."""
        return not (self.tls_certificate or self.trusted_proxies or _is_this_machine(self.host))


class LimitsSection(msgspec.Struct, frozen=True, kw_only=True):
    """How much a key may ask for."""

    rate_limit: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=1_000_000, description="a number of requests a minute, 0 (no limit) to 1000000"
        ),
    ] = DEFAULT_RATE_LIMIT
    """For keys that were issued without a limit of their own."""
    wrong_keys: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=1_000_000, description="a number of wrong keys a minute, 0 (all) to 1000000"
        ),
    ] = 20
    """From one address; of IPv6, from one /64."""


class LogSection(msgspec.Struct, frozen=True, kw_only=True):
    """What is logged, and how."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        msgspec.Meta(description="one of debug, info, warning, error"),
    ] = "info"
    format: Annotated[Literal["text", "json"], msgspec.Meta(description="one of text, json")] = (
        "text"
    )


class RetentionSection(Keeping, frozen=True, kw_only=True):
    """For how long things are kept."""

    max_disk_percent: Annotated[
        int, msgspec.Meta(ge=1, le=100, description="a number of percent, 1 to 100")
    ] = 50
    """Of the disk: a database that takes more loses its oldest events."""


class DiskSection(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the disk that the data folder lies on."""

    min_free_mb: Mebibytes = 500
    """With less no events are accepted; on a small disk it is a twentieth of it."""
    ballast_mb: Mebibytes = 64
    """Kept in a file that is let go of when the disk is full, so that the rest can go on."""
    allow_network: Switch = False
    """Whether the data folder may lie on a network file system."""


class DiscordSection(msgspec.Struct, frozen=True, kw_only=True):
    """Where Discord is."""

    api_base: BaseAddress = "https://discord.com/api/v10"


class TelegramSection(msgspec.Struct, frozen=True, kw_only=True):
    """Where Telegram is."""

    api_base: BaseAddress = "https://api.telegram.org"


class WebhookSection(msgspec.Struct, frozen=True, kw_only=True):
    """Where webhooks may go."""

    allow_networks: Networks = ()
    """Networks allowed on top of the public ones."""
    allow_http: Switch = False
    timeout_s: Seconds = 15


class EmailSection(msgspec.Struct, frozen=True, kw_only=True):
    """How e-mail is sent by channels that say nothing else."""

    host: Host = "localhost"
    port: Annotated[Port | None, msgspec.Meta(description="a port number, 1 to 65535")] = None
    """The usual one of the TLS mode where it is None: 587, 465 or 25."""
    tls: Annotated[
        Literal["starttls", "tls", "plain"],
        msgspec.Meta(description="one of starttls, tls, plain"),
    ] = "starttls"
    sender: Annotated[
        str, msgspec.Meta(pattern="^[^\r\n]+@[^\r\n]+$", description="an e-mail address")
    ] = "slowping@localhost"
    username: Text = ""
    password: Text = ""
    message_id_domain: Text = ""
    """The part after the @ of Message-IDs; the sender's domain where it is empty."""


class NotifiersSection(msgspec.Struct, frozen=True, kw_only=True):
    """What the notifiers need to know beside the settings of each channel."""

    discord: DiscordSection = DiscordSection()
    telegram: TelegramSection = TelegramSection()
    webhook: WebhookSection = WebhookSection()
    email: EmailSection = EmailSection()
    plugins: Annotated[
        dict[str, dict[str, Any]], msgspec.Meta(description="sections, one for each kind")
    ] = {}
    """By kind, for notifiers that do not come with slowping: handed on as it is."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an operator can decide."""

    data: Annotated[Path | None, msgspec.Meta(description="the path of a folder")] = None
    """The data folder; the platform's usual place where it is None."""
    server: ServerSection = ServerSection()
    limits: LimitsSection = LimitsSection()
    log: LogSection = LogSection()
    retention: RetentionSection = RetentionSection()
    disk: DiskSection = DiskSection()
    notifiers: NotifiersSection = NotifiersSection()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts in it that no log may tell: of plug-ins, those whose name says so."""
        options = [option for kind in self.notifiers.plugins.values() for option in kind.items()]
        told = [value for name, value in options if _SECRET_NAME.search(name)]
        given = (self.notifiers.email.password, *told)
        return tuple(text for text in given if text and isinstance(text, str))

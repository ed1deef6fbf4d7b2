"""Settle which server takes a channel's mail, by which login, and whose name stands on it."""

import re
from typing import Annotated, Final, Literal

import msgspec

from slowping.config import EmailSection
from slowping.notifiers.email.message import Letterhead
from slowping.notifiers.port import Secret, Settings

DISPLAY_NAME: Final = "slowping"
PORTS: Final = {"plain": 25, "starttls": 587, "tls": 465}

_ADDRESS: Final = (
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*"
)
_MAILBOX: Final = re.compile(
    rf"(?:(?P<name>[\w .'&+-]{{1,64}}?) ?<(?P<named>{_ADDRESS})>|(?P<bare>{_ADDRESS}))"
)
_MAX_ADDRESS: Final = 254  # RFC 5321, less the angle brackets

_NAME_OR_ADDRESS: Final = r"^(?:(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}|[0-9A-Fa-f:.]+)\Z"


class EmailSettings(Settings, frozen=True, kw_only=True):
    """One recipient, and an SMTP server where it is not the operator's."""

    to: Annotated[str, msgspec.Meta(title="To", description="One plain e-mail address.")]
    host: (
        Annotated[
            str,
            msgspec.Meta(
                title="SMTP server",
                description="A host name or an IP address.",
                pattern=_NAME_OR_ADDRESS,
                max_length=253,
            ),
        ]
        | None
    ) = None
    port: (
        Annotated[
            int,
            msgspec.Meta(
                title="Port",
                description="The operator's unless given; with an SMTP server or TLS of its own "
                "587 (starttls), 465 (tls) or 25 (plain).",
                ge=1,
                le=65535,
            ),
        ]
        | None
    ) = None
    tls: (
        Annotated[
            Literal["plain", "starttls", "tls"],
            msgspec.Meta(
                title="TLS", description="starttls and tls insist on it; plain never does."
            ),
        ]
        | None
    ) = None
    username: (
        Annotated[
            str,
            msgspec.Meta(
                title="Username",
                description="To log in with; the operator's server needs none of your own.",
            ),
        ]
        | None
    ) = None
    password: (
        Annotated[Secret, msgspec.Meta(title="Password", description="Goes with the username.")]
        | None
    ) = None
    sender: (
        Annotated[str, msgspec.Meta(title="From", description="An address, or `Name <address>`.")]
        | None
    ) = msgspec.field(name="from", default=None)

    def __post_init__(self) -> None:
        """Refuse what is not exactly one address: a library would take the first of several."""
        if not self.to or _mailbox(self.to)[1] != self.to:
            raise ValueError("The setting 'to' is one plain e-mail address, such as me@example.com")
        if self.sender is not None and not _mailbox(self.sender)[1]:
            raise ValueError(
                "The setting 'from' is one e-mail address, with or without a name:"
                " me@example.com or Me <me@example.com>"
            )


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Where a channel's mail is handed in, and by whom."""

    host: str
    port: int
    tls: str
    username: str
    password: str
    letterhead: Letterhead


def account_of(settings: EmailSettings, section: EmailSection) -> Account:
    """The channel's settings over the operator's.

    The operator's login goes only where the operator sends it: a channel with another server, port
    or TLS mode does not get it.
    """
    tls = settings.tls or section.tls
    usual = None if settings.host or settings.tls else section.port
    server = (settings.host or section.host, settings.port or usual or PORTS[tls], tls)
    operators = server == (section.host, section.port or PORTS[section.tls], section.tls)
    mine = not operators or settings.username is not None or settings.password is not None
    name, sender = _mailbox(settings.sender or section.sender)
    return Account(
        host=server[0],
        port=server[1],
        tls=tls,
        username=(settings.username if mine else section.username) or "",
        password=(settings.password if mine else section.password) or "",
        letterhead=Letterhead(
            sender=sender,
            sender_name=name or DISPLAY_NAME,
            to=settings.to,
            message_id_domain=section.message_id_domain or sender.rpartition("@")[2],
        ),
    )


def _mailbox(given: str) -> tuple[str, str]:
    """The name and the address of a mailbox; two empty texts where it is none."""
    match = _MAILBOX.fullmatch(given)
    if match is None:
        return "", ""
    address = match["named"] or match["bare"]
    if len(address) > _MAX_ADDRESS or len(address.rpartition("@")[0]) > 64:
        return "", ""
    return (match["name"] or "").strip(), address

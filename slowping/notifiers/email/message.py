"""Write notifications as one e-mail: plain text and HTML, headers that nothing can break out of."""

import base64
import email.headerregistry
import email.message
import email.policy
import email.utils
import functools
import hashlib
import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from slowping.core import ids, text, times
from slowping.core.notification import Notification
from slowping.notifiers import render

if TYPE_CHECKING:
    import jinja2

SUBJECT_LIMIT: Final = 150
PINGPILOT_SUBJECT: Final = "PingPilot Alert"
HTML_LIMIT: Final = 60_000
"""Bytes. Gmail clips a message near 102 KB."""

# What the frame, one notification and one of its details take in bytes, their texts not counted.
_FRAME: Final = 2_000
_PER_CARD: Final = 1_700
_PER_DETAIL: Final = 200
_BODY_ROOM: Final = 20_000
_NAME_ROOM: Final = 600
_VALUE_ROOM: Final = 6_000


class Letterhead(msgspec.Struct, frozen=True, kw_only=True):
    """Who writes to whom. All of it comes from settings, never from an event."""

    sender: str
    """An addr-spec."""
    sender_name: str
    to: str
    """An addr-spec."""
    message_id_domain: str


class _Card(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as it stands in the mail: safe to show, cut to size, not yet escaped."""

    title: str
    body: str
    color: str
    timestamp: str
    details: tuple[tuple[str, str], ...]
    left_out: int
    """Details that there was no room for."""
    weight: int
    """Bytes that it takes in HTML, or characters that were read for it: whichever is more."""


def fits(waiting: Sequence[Notification]) -> int:
    """How many of these make one mail that no reader clips; at least 1."""
    total, count = _FRAME, 0
    for notification in waiting:
        total += _card(notification).weight
        if total > HTML_LIMIT:
            break
        count += 1
    return max(count, 1)


def message_id(batch: Sequence[Notification], letterhead: Letterhead) -> str:
    """The same for every attempt at the same deliveries, so that a server can know a repeat."""
    return f"<{_digest(batch, letterhead)}@{letterhead.message_id_domain}>"


def subject(batch: Sequence[Notification]) -> str:
    """One line: the title, or how many notifications and which titles."""
    pingpilot = all(notification.dialect == "pingpilot" for notification in batch)
    titles = [PINGPILOT_SUBJECT] if pingpilot else [each.title for each in batch]
    told = ", ".join(filter(None, dict.fromkeys(map(text.one_line, titles))))
    line = told if len(batch) == 1 else f"{len(batch)} notifications: {told}".removesuffix(": ")
    # Python's header parser decodes what looks like an encoded word, line breaks in it included,
    # and writes them out as they are: that would be a way to add headers.
    return text.clip(line.replace("=?", "= ?"), SUBJECT_LIMIT) or "Notification"


def write(batch: Sequence[Notification], letterhead: Letterhead) -> bytes:
    """The whole mail, ready for SMTP's DATA; the same bytes on every attempt."""
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["Subject"] = line = subject(batch)
    message["From"] = email.headerregistry.Address(
        letterhead.sender_name, addr_spec=letterhead.sender
    )
    message["To"] = email.headerregistry.Address(addr_spec=letterhead.to)
    message["Date"] = email.utils.format_datetime(times.to_datetime(batch[0].received_at))
    message["Message-ID"] = message_id(batch, letterhead)
    message["Auto-Submitted"] = "auto-generated"
    cards = tuple(map(_card, batch))
    page = _template().render(subject=line, cards=cards)
    message.set_content(_plain(cards), cte="quoted-printable")
    message.add_alternative(page, subtype="html", cte="quoted-printable")
    # "=_" cannot stand in quoted-printable text.
    message.set_boundary(f"=_{_digest(batch, letterhead)}")
    return message.as_bytes(policy=_Wire(linesep="\r\n"))


def _digest(batch: Sequence[Notification], letterhead: Letterhead) -> str:
    names = (ids.encode(ids.DELIVERY, notification.delivery_id) for notification in batch)
    return hashlib.sha256(" ".join((letterhead.to, *names)).encode()).hexdigest()[:40]


class _Wire(email.policy.EmailPolicy):
    """Leaves lines as they are, but for the subject.

    Folding at 78 columns turns a long address or id into encoded words, which spoils it.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        """Write one header."""
        return _subject_line(value) if name.lower() == "subject" else _WIDE.fold_binary(name, value)


_WIDE: Final = email.policy.SMTP.clone(max_line_length=998)
_NARROW: Final = 78
_WORD_BYTES: Final = 42
"""Of text: with them, an encoded word and `Subject: ` before it fit into a line."""


def _subject_line(subject: str) -> bytes:
    """The header, its text in encoded words (RFC 2047) where it is not ASCII or does not fit.

    Python's own folding loses spaces between encoded words and others, or adds some.
    """
    line = f"Subject: {subject}"
    if not subject.isascii() or len(line) > _NARROW:
        words = (base64.b64encode(piece).decode() for piece in _pieces(subject))
        line = "Subject: " + "\r\n ".join(f"=?utf-8?b?{word}?=" for word in words)
    return f"{line}\r\n".encode()


def _pieces(subject: str) -> Iterable[bytes]:
    """The text in UTF-8, cut between characters."""
    piece = b""
    for letter in map(str.encode, subject):
        if len(piece) + len(letter) > _WORD_BYTES:
            yield piece
            piece = b""
        piece += letter
    yield piece


# Cut to size ---------------------------------------------------------------------------------


def _card(notification: Notification) -> _Card:
    body = _within(_safe(notification.body, _BODY_ROOM), _BODY_ROOM)
    title = _within(text.one_line(notification.title), _NAME_ROOM)
    total = _PER_CARD + _weight(title) + _weight(body)
    details = []
    read = 0
    for name, value in notification.fields:
        read += len(name) + len(value)
        if read > HTML_LIMIT:
            break
        detail = (
            _within(text.one_line(name), _NAME_ROOM),
            _within(_safe(value, _VALUE_ROOM), _VALUE_ROOM),
        )
        total += _PER_DETAIL + sum(map(_weight, detail))
        if total > HTML_LIMIT - _FRAME:
            break
        details.append(detail)
    return _Card(
        title=title,
        body=body,
        color=f"#{notification.color:06X}",
        timestamp=times.iso_ms(notification.occurred_at),
        details=tuple(details),
        left_out=len(notification.fields) - len(details),
        weight=max(total, render.length(notification)),
    )


def _safe(given: str, room: int) -> str:
    return text.visible(text.shorten(given, room).replace("\r\n", "\n")).strip("\n")


def _within(given: str, room: int) -> str:
    """The text, cut with an ellipsis until it takes no more than so many bytes in HTML."""
    cut = text.clip(given, room)
    while _weight(cut) > room:
        cut = text.clip(cut, len(cut) * 3 // 4)
    return cut


def _weight(given: str) -> int:
    return len(html.escape(given).encode()) + len("<br>") * given.count("\n")


# Plain text ----------------------------------------------------------------------------------


def _plain(cards: Iterable[_Card]) -> str:
    return "\n----\n\n".join("\n".join([*_lines(card), ""]) for card in cards)


def _lines(card: _Card) -> Iterable[str]:
    yield f"Category: {card.title}"
    if card.body:
        yield f"Description: {_indented(card.body)}"
    yield f"Color Code: {card.color}"
    yield f"Timestamp: {card.timestamp}"
    if card.details or card.left_out:
        yield from ("", "Details:")
        yield from (f"  {name}: {_indented(value)}" for name, value in card.details)
    if card.left_out:
        yield f"  {text.ELLIPSIS} and {card.left_out} more"


def _indented(given: str) -> str:
    """The text with its further lines set in, so that none of them passes for one of ours."""
    return given.replace("\n", "\n    ")


# HTML ----------------------------------------------------------------------------------------

# Tables and attributes, because Outlook renders with Word's engine and Gmail drops style blocks.
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{{ subject }}</title></head>
<body style="margin:0;padding:16px;background-color:#ffffff;color:#1f2933;\
font-family:Arial,Helvetica,sans-serif;font-size:15px;line-height:1.4">
{% for card in cards %}
<table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0" \
style="width:100%;max-width:600px;margin:0 0 16px 0;border-collapse:collapse">
<tr>
<td width="6" bgcolor="{{ card.color }}" \
style="width:6px;background-color:{{ card.color }};font-size:1px">&nbsp;</td>
<td bgcolor="#f5f7fa" style="background-color:#f5f7fa;color:#1f2933;padding:12px 16px">
<table role="presentation" cellpadding="4" cellspacing="0" border="0" style="color:#1f2933">
{{ row("Category", card.title) }}
{% if card.body %}{{ row("Description", card.body) }}{% endif %}
{{ row("Color Code", card.color) }}
{{ row("Timestamp", card.timestamp) }}
</table>
{% if card.details or card.left_out %}
<p style="margin:12px 0 4px 4px;color:#1f2933"><b>Details</b></p>
<table cellpadding="4" cellspacing="0" border="0" style="color:#1f2933">
{% for name, value in card.details %}{{ row(name, value) }}{% endfor %}
{% if card.left_out %}{{ row("…", "and %d more" % card.left_out) }}{% endif %}
</table>
{% endif %}
</td>
</tr>
</table>
{% endfor %}
</body>
</html>
"""

_ROW: Final = """\
{% macro row(name, value) %}
<tr><td valign="top" style="color:#52606d;padding:4px 12px 4px 4px;word-break:break-word">\
{{ name }}</td>
<td valign="top" style="color:#1f2933;padding:4px;word-break:break-word">\
{{ value | escape | replace("\\n", br) }}</td></tr>
{% endmacro %}
"""


@functools.cache
def _template() -> "jinja2.Template":
    import jinja2  # here, so that a server that sends no mail never loads it
    import markupsafe

    environment = jinja2.Environment(autoescape=True, trim_blocks=True)
    return environment.from_string(_ROW + _PAGE, globals={"br": markupsafe.Markup("<br>")})

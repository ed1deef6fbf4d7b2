import email.message
import email.parser
import email.policy
import ssl
from pathlib import Path
from typing import Any

import aiosmtplib
import msgspec
import pytest

from slowping.config import EmailSection
from slowping.core.delivery import Delivered, Outcome, Rejected, Retry, Unusable
from slowping.core.notification import Notification
from slowping.notifiers.email import Email
from slowping.notifiers.email import notifier as email_notifier
from slowping.notifiers.email.account import EmailSettings, account_of
from tests.notifiers import smtp_server
from tests.notifiers.samples import bug, tools
from tests.notifiers.smtp_server import Inbox


class Hasty(Email):
    """Loses patience soon."""

    data_timeout_s = 0.2


def plain(port: int, **more: Any) -> EmailSettings:
    return EmailSettings(to="me@example.test", host="127.0.0.1", port=port, tls="plain", **more)


async def sent(
    inbox: Inbox, *batch: Notification, notifier: type[Email] = Email, **settings: Any
) -> Outcome:
    async with smtp_server.running(inbox) as port:
        return await notifier(tools(EmailSection())).deliver(batch, plain(port, **settings))


def arrived(inbox: Inbox) -> email.message.EmailMessage:
    [envelope] = inbox.arrived
    assert isinstance(envelope.content, bytes)
    parser = email.parser.BytesParser(policy=email.policy.default)
    message = parser.parsebytes(envelope.content)
    assert isinstance(message, email.message.EmailMessage)
    return message


async def test_a_notification_arrives_as_text_and_html() -> None:
    inbox = Inbox()
    outcome = await sent(inbox, bug())
    message = arrived(inbox)
    assert isinstance(outcome, Delivered)
    assert outcome.answer.status == 250
    assert outcome.answer.excerpt == "2.0.0 queued as 4711"
    assert f"<{(outcome.reference or '').strip('<>')}>" == message["Message-ID"]
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip


async def test_envelope_and_headers_name_sender_and_recipient() -> None:
    inbox = Inbox()
    await sent(inbox, bug(), sender="Ops <ops@example.test>")
    assert inbox.arrived[0].mail_from == "ops@example.test"
    assert inbox.arrived[0].rcpt_tos == ["me@example.test"]
    message = arrived(inbox)
    assert message["From"] == "Ops <ops@example.test>"
    assert message["To"] == "me@example.test"
    assert message["Auto-Submitted"] == "auto-generated"


async def test_the_sender_of_the_operator_gets_a_display_name() -> None:
    inbox = Inbox()
    await sent(inbox, bug())
    assert arrived(inbox)["From"] == "slowping <slowping@localhost>"


@pytest.mark.parametrize(
    ("replies", "kind", "status", "words"),
    [
        ({"mail": "421 4.3.2 closing"}, Retry, 421, "try again later"),
        ({"mail": "421 5.7.0 closing"}, Retry, 421, "try again later"),
        ({"mail": "451 4.7.1 wait"}, Retry, 451, "try again later"),
        ({"mail": "530 5.7.0 log in first"}, Unusable, 530, "refused the login"),
        ({"mail": "550 5.7.1 not you"}, Unusable, 550, "sender address"),
        ({"mail": "552 5.3.4 too big"}, Rejected, 552, "refuses this mail"),
        ({"rcpt": "450 4.2.0 greylisted"}, Retry, 450, "try again later"),
        ({"rcpt": "550 4.7.1 greylisted"}, Retry, 550, "try again later"),
        ({"rcpt": "452 5.1.1 no such user"}, Unusable, 452, "refuses the recipient"),
        ({"rcpt": "550 5.1.1 no such user"}, Unusable, 550, "refuses the recipient"),
        ({"rcpt": "551 not here"}, Unusable, 551, "refuses the recipient"),
        ({"rcpt": "552 full"}, Retry, 552, "try again later"),
        ({"rcpt": "552 5.2.2 mailbox full"}, Retry, 552, "try again later"),
        ({"rcpt": "554 5.7.1 relay access denied"}, Unusable, 554, "refuses the recipient"),
        ({"data": "451 4.3.0 later"}, Retry, 451, "try again later"),
        ({"data": "452 4.3.1 no space"}, Retry, 452, "try again later"),
        ({"data": "552 5.2.2 mailbox full"}, Retry, 552, "try again later"),
        ({"data": "554 5.6.0 spam"}, Rejected, 554, "refuses this mail"),
    ],
)
async def test_what_an_answer_means(
    replies: dict[str, str], kind: type[Outcome], status: int, words: str
) -> None:
    outcome = await sent(Inbox(**replies), bug())
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Delivered)
    assert words in outcome.reason
    assert outcome.answer.status == status
    [reply] = replies.values()
    assert reply[4:] in outcome.reason
    assert outcome.answer.excerpt == reply[4:]


@pytest.mark.parametrize("ending", ["cut", "silence"])
async def test_no_receipt_after_the_mail_may_have_arrived(ending: str) -> None:
    inbox = Inbox(data=ending)
    outcome = await sent(inbox, bug(), notifier=Hasty)
    assert isinstance(outcome, Retry)
    assert outcome.unknown
    assert len(inbox.arrived) == 1


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    async with smtp_server.running(Inbox()) as port:
        pass
    outcome = await Email(tools(EmailSection())).deliver([bug()], plain(port))
    assert isinstance(outcome, Retry)
    assert not outcome.unknown
    assert f"127.0.0.1:{port}" in outcome.reason


async def test_a_server_that_turns_everyone_away_pauses_the_channel() -> None:
    refusal = aiosmtplib.SMTPConnectResponseError(554, "no SMTP service here")
    outcome = email_notifier.judged(refusal)
    assert isinstance(outcome, Unusable)
    assert outcome.reason == "the SMTP server turns us away: 554 no SMTP service here"


# TLS and login -------------------------------------------------------------------------------


async def test_starttls_is_never_left_out_because_the_server_lacks_it() -> None:
    inbox = Inbox()
    async with smtp_server.running(inbox) as port:
        settings = msgspec.structs.replace(plain(port), tls="starttls")
        outcome = await Email(tools(EmailSection())).deliver([bug()], settings)
    assert isinstance(outcome, Unusable)
    assert "offers no STARTTLS" in outcome.reason
    assert not inbox.arrived


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_both_tls_modes_deliver_to_a_server_that_is_trusted(
    tls: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, context = smtp_server.certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    inbox = Inbox()
    async with _secured(inbox, tls, context) as port:
        settings = msgspec.structs.replace(plain(port), tls=tls)
        outcome = await Email(tools(EmailSection())).deliver([bug()], settings)
    assert isinstance(outcome, Delivered)
    assert len(inbox.arrived) == 1


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for_is_refused(tls: Any, tmp_path: Path) -> None:
    _, context = smtp_server.certificate(tmp_path)
    inbox = Inbox()
    async with _secured(inbox, tls, context) as port:
        settings = msgspec.structs.replace(plain(port), tls=tls)
        outcome = await Email(tools(EmailSection())).deliver([bug()], settings)
    assert isinstance(outcome, Retry)
    assert "certificate verify failed" in outcome.reason
    assert not inbox.arrived


def _secured(inbox: Inbox, tls: str, context: ssl.SSLContext) -> Any:
    if tls == "tls":
        return smtp_server.running(inbox, implicit_tls=context)
    return smtp_server.running(inbox, tls_context=context, require_starttls=True)


@pytest.mark.parametrize(
    ("password", "kind"), [("sésame", Delivered), ("wrong", Unusable)], ids=["right", "wrong"]
)
async def test_a_login_is_made_and_a_refused_one_pauses_the_channel(
    password: str, kind: type[Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, context = smtp_server.certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    inbox = Inbox()
    options = {"authenticator": inbox.authenticate, "auth_required": True, "tls_context": context}
    async with smtp_server.running(inbox, **options) as port:
        settings = plain(port, username="ops", password=password)
        settings = msgspec.structs.replace(settings, tls="starttls")
        outcome = await Email(tools(EmailSection())).deliver([bug()], settings)
    assert isinstance(outcome, kind)
    assert inbox.logins[0] == (b"ops", password.encode())
    if isinstance(outcome, Unusable):
        assert "refused the login" in outcome.reason
        assert password not in repr(outcome)


@pytest.mark.parametrize(
    "repeated",
    [
        "hunter22",
        "aHVudGVyMjI=",  # as AUTH LOGIN sends it
        "AG9wcwBodW50ZXIyMg==",  # with the name, as AUTH PLAIN sends it
    ],
)
@pytest.mark.parametrize("before", [0, 195, 495])
def test_a_server_that_repeats_the_password_is_not_quoted(repeated: str, before: int) -> None:
    said = aiosmtplib.SMTPAuthenticationError(535, "x" * before + repeated)
    account = account_of(plain(25, username="ops", password="hunter22"), OPERATOR)
    outcome = email_notifier.judged(said, email_notifier._secrets_of(account))
    assert isinstance(outcome, Unusable)
    for shown in (outcome.reason, outcome.answer.excerpt or ""):
        assert repeated[:4] not in shown


async def test_a_login_that_the_server_does_not_offer_pauses_the_channel() -> None:
    outcome = await sent(Inbox(), bug(), username="ops", password="sesame")
    assert isinstance(outcome, Unusable)
    assert "offers no login" in outcome.reason


# Settings ------------------------------------------------------------------------------------

OPERATOR = EmailSection(host="mx.test", port=2525, tls="tls", username="op", password="pw")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("mx.test", 2525, "tls", "op", "pw")),
        ({"tls": "tls"}, ("mx.test", 465, "tls", "", "")),
        ({"host": "mx.test", "port": 2525, "tls": "tls"}, ("mx.test", 2525, "tls", "op", "pw")),
        ({"tls": "plain"}, ("mx.test", 25, "plain", "", "")),
        ({"tls": "starttls"}, ("mx.test", 587, "starttls", "", "")),
        ({"host": "other.test"}, ("other.test", 465, "tls", "", "")),
        ({"port": 26}, ("mx.test", 26, "tls", "", "")),
        ({"username": "me"}, ("mx.test", 2525, "tls", "me", "")),
        ({"host": "o.test", "password": "x"}, ("o.test", 465, "tls", "", "x")),
    ],
)
def test_a_channel_inherits_the_server_but_a_login_only_with_it(
    given: dict[str, Any], expected: tuple[object, ...]
) -> None:
    account = account_of(EmailSettings(to="me@x.test", **given), OPERATOR)
    assert expected == (
        account.host, account.port, account.tls, account.username, account.password,
    )  # fmt: skip


def test_the_scope_is_the_server() -> None:
    notifier = Email(tools(OPERATOR))
    assert notifier.scopes(EmailSettings(to="me@x.test")) == ("smtp:mx.test:2525",)


@pytest.mark.parametrize(
    "to",
    [
        "", "me", "@x.test", "me@", "a@x.test,b@x.test", "a@x.test b@x.test", "Me <me@x.test>",
        "me@x.test\r\nRCPT TO:<e@x.test>", "me@x.test\n", "<me@x.test>", "me@x..test", "ü@x.test",
        "me@x.test>", f"{'a' * 65}@x.test", f"me@{'label.' * 50}test",
    ],
)  # fmt: skip
def test_a_recipient_is_exactly_one_address(to: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="'to' is one plain e-mail address"):
        msgspec.convert({"to": to}, EmailSettings)


@pytest.mark.parametrize(
    "sender", ["", "Me", "Me <a@x.test>, b@x.test", 'x"y <a@x.test>', "a\r\nb@c"]
)
def test_a_sender_is_exactly_one_mailbox(sender: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="'from' is one e-mail address"):
        msgspec.convert({"to": "me@x.test", "from": sender}, EmailSettings)


@pytest.mark.parametrize("host", ["a b", "x\r\ny", "http://x.test", "a/b", "", "a" * 64 + ".test"])
def test_a_server_is_a_name_or_an_address(host: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.host"):
        msgspec.convert({"to": "me@x.test", "host": host}, EmailSettings)


def test_the_schedule_ends_after_two_days() -> None:
    assert 47 * 3600 < sum(Email.delays) <= 48 * 3600

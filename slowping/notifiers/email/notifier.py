"""Deliver as an e-mail, one or a digest, over an SMTP server."""

import asyncio
import contextlib
import re
from collections.abc import Sequence
from typing import ClassVar, Final

import aiosmtplib
import msgspec

from slowping.config import EmailSection
from slowping.core import redaction, text
from slowping.core.delivery import Answer, Delivered, Outcome, Rejected, Retry, Unusable
from slowping.core.notification import Notification
from slowping.notifiers import dialling
from slowping.notifiers.dialling import OwnName, Resolve, SystemResolver
from slowping.notifiers.email import message as messages
from slowping.notifiers.email.account import Account, EmailSettings, account_of
from slowping.notifiers.port import Settings, Tools

_GOODBYE_S: Final = 5.0
_EXCERPT: Final = 500
_MAX_QUOTE: Final = 200


class Email:
    """Sends mail, text and HTML, to the one recipient of a channel."""

    kind: ClassVar[str] = "email"
    summary: ClassVar[str] = "An e-mail, over your SMTP server"
    settings: ClassVar[type[Settings]] = EmailSettings
    # Two tries in the first minutes, then ever slower, then every 4 h: 48 h in all.
    delays: ClassVar[tuple[float, ...]] = (30, 120, 600, 1_800, 3_600, 7_200, *[14_400] * 11)
    max_batch: ClassVar[int] = 50

    command_timeout_s: ClassVar[float] = 30.0
    """For everything up to the recipient."""
    data_timeout_s: ClassVar[float] = 120.0
    """For the mail and its receipt: giving up early there makes duplicates (RFC 5321)."""

    def __init__(self, tools: Tools) -> None:
        self._section: EmailSection = tools.section
        self._resolve: Resolve = SystemResolver()
        self._own_name = OwnName()

    def scopes(self, settings: EmailSettings) -> tuple[str, ...]:
        """The server."""
        account = account_of(settings, self._section)
        return (f"smtp:{account.host}:{account.port}",)

    def fits(self, waiting: Sequence[Notification]) -> int:
        """As many as make a mail that no reader clips."""
        return messages.fits(waiting)

    async def deliver(self, batch: Sequence[Notification], settings: EmailSettings) -> Outcome:
        """Send these as one mail, over a connection of its own."""
        account = account_of(settings, self._section)
        if not account.letterhead.sender:
            return Unusable(reason="the sender in [notifiers.email] is not an e-mail address")
        try:
            mail = messages.write(batch, account.letterhead)
        except ValueError as problem:
            return Rejected(reason=f"these notifications cannot be written as a mail: {problem}")
        secrets = _secrets_of(account)
        client = aiosmtplib.SMTP(
            hostname=account.host,
            use_tls=account.tls == "tls",
            start_tls=False,  # we do it ourselves, to know what went wrong; never "if offered"
            timeout=self.command_timeout_s,
        )
        try:
            outcome = await self._introduced(client, account)
            if outcome is None:
                outcome = await self._handed_over(client, mail, secrets)
            if isinstance(outcome, Delivered):
                outcome = msgspec.structs.replace(
                    outcome, reference=messages.message_id(batch, account.letterhead)
                )
                await _say_goodbye(client)
        finally:
            client.close()
        return outcome

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _introduced(self, client: aiosmtplib.SMTP, account: Account) -> Outcome | None:
        """Get as far as an accepted recipient; an outcome if that fails."""
        try:
            async with asyncio.timeout(self.command_timeout_s):
                await self._connect(client, account)
                problem = await _secured_and_logged_in(client, account)
                if problem:
                    return Unusable(reason=problem)
                await client.mail(account.letterhead.sender)
                await client.rcpt(account.letterhead.to)
        except aiosmtplib.SMTPResponseException as refusal:
            return judged(refusal, _secrets_of(account))
        except (aiosmtplib.SMTPException, OSError) as failure:
            return Retry(reason=_failed(account, failure))
        return None

    async def _connect(self, client: aiosmtplib.SMTP, account: Account) -> None:
        # Not by the client itself: it looks names up on the loop's own few threads.
        own_name = await self._own_name()
        opened = await dialling.connected(account.host, account.port, self._resolve)
        try:
            await client.connect(sock=opened, local_hostname=own_name)
        except BaseException:
            opened.close()
            raise

    async def _handed_over(
        self, client: aiosmtplib.SMTP, mail: bytes, secrets: Sequence[str]
    ) -> Outcome:
        try:
            async with asyncio.timeout(self.data_timeout_s):
                response = await client.data(mail, timeout=self.data_timeout_s)
        except aiosmtplib.SMTPResponseException as refusal:
            return judged(refusal, secrets)
        except (aiosmtplib.SMTPException, OSError):
            return Retry(
                reason="the SMTP server did not confirm the mail; it may have arrived",
                unknown=True,
            )
        return Delivered(answer=Answer(response.code, _excerpt(response.message, secrets)))


# What an answer means ------------------------------------------------------------------------

_LOGIN_CODES: Final = {530, 534, 535, 538}
_ENHANCED: Final = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


def _secrets_of(account: Account) -> Sequence[str]:
    """What a server must not be quoted with: the password, alone and as AUTH PLAIN sends it."""
    if not account.password:
        return ()
    return (f"\0{account.username}\0{account.password}", account.password)


def judged(refusal: aiosmtplib.SMTPResponseException, secrets: Sequence[str] = ()) -> Outcome:
    """What follows from a refusal: 4yz passes, 5yz stays (RFC 5321), the enhanced code decides.

    `secrets` are taken out of the server's words.
    """
    code = refusal.code
    answer = Answer(code, _excerpt(refusal.message, secrets))
    said = f"{code} {_quote(refusal.message, secrets)}"
    if _may_pass(refusal):
        return Retry(reason=f"the SMTP server asks to try again later: {said}", answer=answer)
    if code in _LOGIN_CODES or isinstance(refusal, aiosmtplib.SMTPAuthenticationError):
        reason = "the SMTP server refused the login; check username, password and tls"
    elif isinstance(refusal, aiosmtplib.SMTPRecipientRefused):
        reason = "the SMTP server refuses the recipient"
    elif isinstance(refusal, aiosmtplib.SMTPDataError) or code == _TOO_LARGE:
        return Rejected(reason=f"the SMTP server refuses this mail: {said}", answer=answer)
    elif isinstance(refusal, aiosmtplib.SMTPSenderRefused):
        reason = "the SMTP server refuses the sender address; check from"
    else:
        reason = "the SMTP server turns us away"
    return Unusable(reason=f"{reason}: {said}", answer=answer)


_CLOSING: Final = 421
_TOO_LARGE: Final = 552


def _may_pass(refusal: aiosmtplib.SMTPResponseException) -> bool:
    if refusal.code == _CLOSING:
        return True  # it hangs up on everyone, whatever the enhanced code says (RFC 5321, 3.8)
    enhanced = _ENHANCED.match(refusal.message)
    if enhanced and enhanced[1] in "45":
        # 5.2.2 is a full mailbox: permanent by the letter, emptied within a day in life.
        return enhanced[1] == "4" or enhanced[0] == "5.2.2"
    if isinstance(refusal, aiosmtplib.SMTPRecipientRefused) and refusal.code == _TOO_LARGE:
        return True  # there it means too many recipients or a full mailbox (RFC 5321, 4.5.3.1.10)
    return refusal.code < 500


def _failed(account: Account, failure: Exception) -> str:
    told = _quote(str(failure), _secrets_of(account)) or "no answer in time"
    return f"could not talk to the SMTP server {account.host}:{account.port}: {told}"


def _excerpt(message: str, secrets: Sequence[str]) -> str:
    return text.clip(text.visible(redaction.redact(message, secrets)), _EXCERPT)


def _quote(message: str, secrets: Sequence[str]) -> str:
    return text.clip(text.one_line(redaction.redact(message, secrets)), _MAX_QUOTE)


# The conversation ----------------------------------------------------------------------------


async def _secured_and_logged_in(client: aiosmtplib.SMTP, account: Account) -> str | None:
    """Start TLS and log in where that is asked for; a sentence if the server offers neither."""
    await client.ehlo()
    if account.tls == "starttls":
        if not client.supports_extension("starttls"):
            return (
                f"the SMTP server {account.host}:{account.port} offers no STARTTLS;"
                " set tls to 'tls' or 'plain'"
            )
        await client.starttls()
        await client.ehlo()
    if account.username:
        if not client.supported_auth_methods:
            return f"the SMTP server {account.host}:{account.port} offers no login that we know"
        # As bytes, so that what is not ASCII goes as UTF-8.
        await client.login(account.username.encode(), account.password.encode())
    return None


async def _say_goodbye(client: aiosmtplib.SMTP) -> None:
    """Quit; the mail is accepted, whatever comes of it."""
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        async with asyncio.timeout(_GOODBYE_S):
            await client.quit()

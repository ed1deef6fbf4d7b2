"""Send requests to far sides, and decide once for all what their answers mean."""

import asyncio
import datetime as dt
import functools
import logging
import math
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, TypeVar

import httpcore
import httpx
import msgspec

from slowping.core import redaction, text, times
from slowping.core.delivery import Answer, Delivered, Outcome, Retry, Throttled, Unusable
from slowping.notifiers.dialling import Resolve, SystemResolver
from slowping.notifiers.guard import EVERYWHERE, Guard, GuardedBackend
from slowping.notifiers.port import ForbiddenAddress, HttpAnswer, HttpFailure
from slowping.notifiers.sipping import EndlessAnswer

T = TypeVar("T")

MAX_BODY_BYTES: Final = 16 * 1024
MAX_EXCERPT: Final = 500
"""Characters of an answer that are kept with the attempt."""

MAX_RETRY_AFTER_S: Final = 86_400.0

_MAX_QUOTE: Final = 120
_CONNECT_TIMEOUT_S: Final = 10.0
# Connections are let go before most far sides do it: a request on its way then would be lost. Few
# are kept: at each request httpcore compares every one that rests with all the others.
_LIMITS: Final = httpx.Limits(
    max_connections=100, max_keepalive_connections=20, keepalive_expiry=10.0
)

# They write whole URLs, and those of Discord and Telegram hold secrets.
for _logger in map(logging.getLogger, ("httpx", "httpcore")):
    _logger.setLevel(max(_logger.level, logging.WARNING))


def open_http(*, resolve: Resolve | None = None, tls: ssl.SSLContext | None = None) -> "HttpClient":
    """A client for hosts that the operator's configuration names.

    `resolve` stands in for the system's resolver, `tls` for the usual certificate authorities.
    """
    backend = GuardedBackend(
        Guard(EVERYWHERE), resolve or SystemResolver(), httpcore.AnyIOBackend()
    )
    return HttpClient(lambda: _Transport(backend, tls))


def open_guarded_http(
    allow_networks: Sequence[str] = (),
    allow_http: bool = False,
    *,
    resolve: Resolve | None = None,
    network: httpcore.AsyncNetworkBackend | None = None,
    tls: ssl.SSLContext | None = None,
) -> "HttpClient":
    """A client for hosts that others name: https, to public addresses and `allow_networks` only.

    `resolve` stands in for the system's resolver, `network` for its sockets, `tls` for the usual
    certificate authorities.
    """
    guard = Guard(allow_networks, allow_http=allow_http)
    backend = GuardedBackend(guard, resolve or SystemResolver(), network or httpcore.AnyIOBackend())
    return HttpClient(lambda: _GuardedTransport(backend, tls, guard))


# What an answer means -----------------------------------------------------------------------


def outcome_of(
    answer: HttpAnswer, *, scope: str, now_ms: int, secrets: Iterable[str] = ()
) -> Outcome:
    """What an answer means where the notifier knows no better: 2xx yes, 429 wait, else later."""
    seen = record(answer, secrets)
    if 200 <= answer.status < 300:
        return Delivered(answer=seen)
    after = retry_after(answer.headers.get("retry-after"), now_ms)
    if answer.status == 429:
        return Throttled(answer=seen, after=after, scope=scope)
    reason = f"the far side answered with HTTP {answer.status}"
    if 300 <= answer.status < 400:
        reason = f"{reason}; redirects are not followed, enter the final address"
    return Retry(answer=seen, reason=reason, after=after)


def failure(error: HttpFailure) -> Outcome:
    """What it means that no answer came."""
    if isinstance(error, ForbiddenAddress):
        return Unusable(reason=error.reason)
    return Retry(reason=error.reason, unknown=error.unknown)


def told(body: bytes, form: type[T]) -> T:
    """What a body says; what the form says by default where it is not JSON of that form.

    What is too deep and what is not UTF-8 are other errors to msgspec than what is not JSON.
    """
    try:
        return msgspec.json.decode(body, type=form)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return form()


def record(answer: HttpAnswer, secrets: Iterable[str] = ()) -> Answer:
    """An answer as it is kept with the attempt; `secrets` are taken out of it by value."""
    return Answer(answer.status, excerpt(answer.body, secrets))


def excerpt(body: bytes, secrets: Iterable[str] = ()) -> str | None:
    """The start of an answer, safe to show; None where there is nothing in it."""
    said = redaction.redact(body.decode("utf-8", "replace"), secrets)
    return text.clip(text.visible(said.strip()), MAX_EXCERPT) or None


def quote(said: str, secrets: Iterable[str] = ()) -> str:
    """A far side's own words as part of a reason: one short line."""
    return text.clip(text.one_line(redaction.redact(said, secrets)), _MAX_QUOTE)


def retry_after(value: str | None, now_ms: int) -> float | None:
    """Whole seconds to wait by a Retry-After header, 24 hours at most; None if it says nothing.

    Digits, decimals, and the three date forms of RFC 9110 are understood. What Python's `int`
    would take on top of that (`+7`, `-5`, digits of other scripts) is not.
    """
    given = (value or "").strip()
    if not given.isascii():
        return None
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", given):
        return _clamped(float(given))
    for form in _DATE_FORMS:
        try:
            moment = dt.datetime.strptime(given, form).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
        return _clamped((times.to_ms(moment) - now_ms) / 1000)
    return None


_DATE_FORMS: Final = (
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %d %H:%M:%S %Y",
)


def _clamped(seconds: float) -> float:
    return float(math.ceil(min(max(seconds, 0.0), MAX_RETRY_AFTER_S)))


# Sending ------------------------------------------------------------------------------------


class HttpClient:
    """Posts and reads, on connections that it keeps. Implements `Http` of the port."""

    def __init__(self, open_transport: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._open_transport = open_transport
        self._client: httpx.AsyncClient | None = None

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, timeout_s: float = 15.0
    ) -> HttpAnswer:
        """Post and read, within `timeout_s` seconds over all.

        Raises:
            ForbiddenAddress: the guard refused to connect there.
            HttpFailure: no answer came in time, or none at all.
        """
        journey = _Journey()
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._opened().stream(
                    "POST",
                    url,
                    content=content,
                    headers=headers,
                    timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_TIMEOUT_S)),
                    extensions={"trace": journey.follow},
                ) as response,
            ):
                body = await _read(response)
        except TimeoutError as error:
            reason = f"no answer within {timeout_s:g} s"
            raise HttpFailure(reason, unknown=journey.has_begun) from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise HttpFailure(_in_words(error), unknown=journey.has_begun) from error
        return HttpAnswer(response.status_code, dict(response.headers), body)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.aclose()

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:  # only now: the certificate authorities take some memory
            self._client = httpx.AsyncClient(
                transport=self._open_transport(),
                trust_env=False,
                follow_redirects=False,
                headers={"user-agent": "slowping", "accept-encoding": "identity"},
                # Nothing that one far side says is to be told to it, or to another, later.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            )
        return self._client


class _Journey:
    """Follows one request, to know whether the far side may have seen any of it."""

    def __init__(self) -> None:
        self.has_begun = False

    async def follow(self, event: str, details: Mapping[str, object]) -> None:
        """Take note of a step; httpcore has a name for each."""
        del details
        self.has_begun |= event == "http11.send_request_headers.started"


async def _read(response: httpx.Response) -> bytes:
    """The start of the body, never unpacked: a small packed one can fill the memory."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= MAX_BODY_BYTES:
            break
    return bytes(body[:MAX_BODY_BYTES])


class _Transport(httpx.AsyncHTTPTransport):
    """httpx's own transport, but we open its connections."""

    def __init__(self, backend: GuardedBackend, tls: ssl.SSLContext | None) -> None:
        tls = tls or _authorities()
        super().__init__(verify=tls, trust_env=False)
        # httpcore takes a network backend; httpx has no way to hand one on.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=_LIMITS.max_connections,
            max_keepalive_connections=_LIMITS.max_keepalive_connections,
            keepalive_expiry=_LIMITS.keepalive_expiry,
            network_backend=backend,
        )


class _GuardedTransport(_Transport):
    """Refuses some addresses, the others are judged when a connection is opened."""

    def __init__(self, backend: GuardedBackend, tls: ssl.SSLContext | None, guard: Guard) -> None:
        super().__init__(backend, tls)
        self._guard = guard

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Refuse what need not even be looked up, then go on.

        Raises:
            ForbiddenAddress: the address is not one to send to.
        """
        if request.url.userinfo:
            raise ForbiddenAddress("the address holds a user name or a password; take it out")
        self._guard.require_scheme(request.url.scheme)
        return await super().handle_async_request(request)


@functools.cache
def _authorities() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


# In words -----------------------------------------------------------------------------------


def _in_words(error: Exception) -> str:
    """Why no answer came. httpx's own texts may hold the address, and with it a secret."""
    for cause in _causes(error):
        for kind, words in _WORDS.items():
            if isinstance(cause, kind):
                return words
    return "the far side could not be reached"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What lies at the bottom first: it says most."""
    deeper = error.__cause__ or error.__context__
    if deeper is not None:
        yield from _causes(deeper)
    yield error


_CUT: Final = "the connection was cut before the whole answer had come"
_WORDS: Final[Mapping[type[BaseException], str]] = {
    EndlessAnswer: "the far side's answer has no end",
    ssl.SSLCertVerificationError: "the far side's certificate is not accepted",
    ssl.SSLError: "no encrypted connection could be made",
    socket.gaierror: "the host name cannot be resolved",
    ConnectionRefusedError: "the far side refused the connection",
    httpx.ConnectTimeout: "no connection was made in time",
    httpx.TimeoutException: "no answer came in time",
    httpx.RemoteProtocolError: _CUT,
    httpx.ReadError: _CUT,
    httpx.WriteError: _CUT,
    httpx.UnsupportedProtocol: "the address does not start with https://",
    httpx.LocalProtocolError: "the request cannot be written as HTTP",
    httpx.InvalidURL: "the address is not one that can be sent to",
}

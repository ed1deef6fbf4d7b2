"""Carry batches of events to a server, with nothing but the standard library.

With http.client, not with the httpx of the async client: it loads in a third of the time, and
that is spent in the sender's thread, so that a script that sends one event stays fast.
"""

import contextlib
import email.utils
import http.client
import time
import urllib.parse
from collections.abc import Callable
from typing import Final

from slowping.client import headers as wording
from slowping.client import trust
from slowping.client.batch import Batch
from slowping.client.whereabouts import Address
from slowping.core import errors
from slowping.core.errors import SlowpingError

_ACCEPTED: Final = 201
_LATER: Final = frozenset({408, 429})
"""With everything from 500 on, the answers after which the same request may work."""

_MOST_BYTES: Final = 1_048_576
"""Of an answer; 1,000 accepted events are a tenth of it."""


class TryLater(Exception):
    """It did not work, and the same request may, but not before `after_s` seconds."""

    def __init__(self, cause: SlowpingError, after_s: float = 0.0) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.after_s = after_s


class Courier:
    """A way to the server, kept open between batches; for one thread."""

    def __init__(self, find: Callable[[], Address], timeout_s: float) -> None:
        """`find` is asked for the address when a batch is to be carried, and after each failure."""
        self._find = find
        self._timeout_s = timeout_s
        self._line: _Line | None = None
        self.trouble: SlowpingError | None = None
        """Why the last batch was not taken; None where it was."""

    def carry(self, batch: Batch) -> None:
        """Send a batch; it is on the server's disk when this returns.

        Raises:
            TryLater: the server is not there, or busy, or broken.
            ConfigError: what stands for its address is none, or what stands for the key.
            SlowpingError: the condition for which it refuses the batch.
        """
        try:
            self._carry(batch)
        except TryLater as told:
            self.close()  # it may be somewhere else by then
            self.trouble = told.cause
            raise
        self.trouble = None

    def close(self) -> None:
        """Let go of the connection."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _carry(self, batch: Batch) -> None:
        if self._line is None:
            try:
                address = self._find()
            except errors.Unreachable as cause:  # nothing says where a server is, as yet
                raise TryLater(cause) from None
            self._line = _Line(address, self._timeout_s)
        self._line.carry(batch)


class _Line:
    """A connection to one server."""

    def __init__(self, address: Address, timeout_s: float) -> None:
        """The environment's proxies are not used: they would get to see the key."""
        self._server = address.server
        self._headers = {
            **wording.standing(_checked_key(address.api_key)),
            "content-type": "application/json",
        }
        self._http, self._path = _line_to(address, timeout_s)

    def carry(self, batch: Batch) -> None:
        headers = {**self._headers, "idempotency-key": wording.quoted(batch.idempotency_key)}
        try:
            response, content = self._answer(batch.body, headers)
        except (OSError, UnicodeError, http.client.HTTPException) as error:
            cause = errors.Unreachable(f"No server answers at {self._server}: {_reason(error)}.")
            raise TryLater(cause) from None
        if response.status == _ACCEPTED:
            return
        condition = _condition(response, content)
        if response.status in _LATER or response.status >= 500:
            raise TryLater(condition, _retry_after_s(response.getheader("retry-after")))
        raise condition

    def close(self) -> None:
        # In the child of a fork it may be in any state.
        with contextlib.suppress(OSError):
            self._http.close()

    def _answer(
        self, body: bytes, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        was_open = self._http.sock is not None
        try:
            return self._exchange(body, headers)
        except ConnectionError:
            # The other side may close what was idle for long, and that is all that it means. The
            # idempotency key makes both tries one, however far the first one came.
            if not was_open:
                raise
            return self._exchange(body, headers)

    def _exchange(
        self, body: bytes, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        whole = False
        try:
            if self._http.sock is None:
                self._http.connect()
            # Whoever refuses a large body may answer and close before he has read it.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._http.request("POST", self._path, body, headers)
            response = self._http.getresponse()
            content = response.read(_MOST_BYTES)
            whole = response.isclosed()
            return response, content
        finally:
            if not whole:
                self.close()


def _checked_key(value: str | None) -> str | None:
    if value is not None and not all("!" <= letter <= "~" for letter in value):
        raise errors.ConfigError("The API key is no key: it has characters that no key has.")
    return value


def _line_to(where: Address, timeout_s: float) -> tuple[http.client.HTTPConnection, str]:
    """A connection to make, and the path of events there."""
    address = where.server
    flaw = errors.ConfigError(f"'{address}' is no address of a server, such as http://host:7464.")
    if any(letter <= " " or letter in "?#\x7f" for letter in address):
        raise flaw
    try:
        parts = urllib.parse.urlsplit(address)
        host, port = parts.hostname, parts.port
        path = parts.path.rstrip("/").encode("ascii").decode()
    except ValueError:
        raise flaw from None
    if not host or parts.scheme not in {"http", "https"}:
        raise flaw
    place = f"{path}{wording.PREFIX}/events"
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout_s), place
    trusted = trust.Trust(address, where.data).context
    return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=trusted), place


def _condition(response: http.client.HTTPResponse, content: bytes) -> SlowpingError:
    """What an answer other than success means."""
    from slowping.client import errors as answers  # loads msgspec, which success does without

    try:
        answers.refuse(response.status, response.getheader("content-type", ""), content)
    except SlowpingError as condition:
        return condition


def _retry_after_s(given: str | None) -> float:
    """Seconds of a Retry-After: a number, or a date as proxies write it."""
    text = (given or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if told := trust.complaint(error):
        return told
    if isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError):
        return "the connection broke"
    if isinstance(error, http.client.HTTPException):
        return "no HTTP server"
    return "the connection was refused or the name is unknown"

"""Carry requests to a server and answers back: the only module of the client that knows HTTP."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import httpx
import msgspec

from slowping.client import errors as answers
from slowping.client import headers as wording
from slowping.core import errors

T = TypeVar("T")

Transport = httpx.AsyncBaseTransport

_encode: Final = msgspec.json.Encoder().encode


class Connection:
    """A server's address, the key to use there, and the connections that are open."""

    def __init__(
        self, address: str, api_key: str | None, transport: Transport | None, timeout_s: float
    ) -> None:
        """The environment's proxies are not used: they would get to see the key.

        Raises:
            Unreachable: that is no address.
        """
        self._address = address.rstrip("/")
        try:
            self._http = httpx.AsyncClient(
                base_url=self._address + wording.PREFIX,
                headers=wording.standing(api_key),
                transport=transport,
                timeout=timeout_s,
                trust_env=False,
            )
        except (httpx.InvalidURL, UnicodeEncodeError):
            raise errors.Unreachable(
                f"'{self._address}' is no address of a server, or the API key is no key."
            ) from None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def get(self, path: str, answer: type[T], query: Mapping[str, object] | None = None) -> T:
        """Read; what is None in the query is left out."""
        given = {
            name: _written(value) for name, value in (query or {}).items() if value is not None
        }
        return self._read(await self._send("GET", path, params=given), answer)

    async def post(
        self,
        path: str,
        answer: type[T],
        body: msgspec.Struct | Sequence[msgspec.Struct] | None = None,
        *,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> T:
        """Create or act."""
        headers = {}
        if idempotency_key is not None:
            headers["idempotency-key"] = wording.quoted(idempotency_key)
        timeout = httpx.USE_CLIENT_DEFAULT if timeout_s is None else timeout_s
        content = None if body is None else _encode(body)
        sent = await self._send("POST", path, content=content, headers=headers, timeout=timeout)
        return self._read(sent, answer)

    async def patch(self, path: str, answer: type[T], body: msgspec.Struct) -> T:
        """Change."""
        return self._read(await self._send("PATCH", path, content=_encode(body)), answer)

    async def delete(self, path: str) -> None:
        """Remove."""
        await self._send("DELETE", path)

    async def _send(self, method: str, path: str, **how: Any) -> httpx.Response:
        """What the server answers, if that is a success; `how` is as httpx takes it."""
        headers = {"content-type": "application/json"} if how.get("content") else {}
        how["headers"] = {**headers, **how.get("headers", {})}
        try:
            response = await self._http.request(method, path, **how)
        except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError) as error:
            raise errors.Unreachable(
                f"No server answers at {self._address}: {_reason(error)}."
            ) from None
        if not response.is_success:
            media_type = response.headers.get("content-type", "")
            answers.refuse(response.status_code, media_type, response.content)
        return response

    def _read(self, response: httpx.Response, answer: type[T]) -> T:
        try:
            return msgspec.json.decode(response.content, type=answer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise errors.UnexpectedAnswer(
                f"What answers at {self._address} does not answer as slowping does."
            ) from None


def _written(value: object) -> Any:  # what httpx takes: a text, or a list of them
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [str(one) for one in value]
    return str(value)


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it took too long"
    if isinstance(error, httpx.ConnectError):
        return "the connection was refused or the name is unknown"
    return "the connection broke" if isinstance(error, httpx.NetworkError) else "no HTTP server"

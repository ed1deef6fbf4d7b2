"""Carry requests to a server and answers back: the only module of the client that knows HTTP."""

import contextlib
import datetime as dt
import urllib.parse
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import msgspec

from slowping.client import errors as answers
from slowping.client import headers as wording
from slowping.client import trust
from slowping.client.trust import Trust
from slowping.core import errors

T = TypeVar("T")

Transport = httpx.AsyncBaseTransport

_encode: Final = msgspec.json.Encoder().encode


class Connection:
    """A server's address, the key to use there, and the connections that are open."""

    def __init__(
        self,
        address: str,
        api_key: str | None,
        transport: Transport | None,
        timeout_s: float,
        data: Path | None = None,
    ) -> None:
        """The environment's proxies are not used: they would get to see the key.

        Raises:
            Unreachable: that is no address.
        """
        self._address = address.rstrip("/")
        self._timeout_s = timeout_s
        self._trust = Trust(self._address, data)
        try:
            self._http = httpx.AsyncClient(
                base_url=self._address + wording.PREFIX,
                headers=wording.standing(api_key),
                transport=transport,
                timeout=timeout_s,
                trust_env=False,
                verify=self._trust.context,
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
        return self._read(await self._send("GET", path, params=_given(query or {})), answer)

    @contextlib.asynccontextmanager
    async def stream(
        self,
        path: str,
        query: Mapping[str, object],
        headers: Mapping[str, str],
        *,
        silence_s: float,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """An answer without an end, as its bytes come.

        Raises, while it is read as well:
            Unreachable: the connection broke, or nothing came for `silence_s` seconds.
        """
        timeout = httpx.Timeout(self._timeout_s, read=silence_s)
        request = self._http.build_request(
            "GET", path, params=_given(query), headers=headers, timeout=timeout
        )
        async with (
            self._answer(request, "text/event-stream") as response,
            contextlib.aclosing(self._bytes(response, silence_s)) as chunks,
        ):
            yield chunks

    @contextlib.asynccontextmanager
    async def download(
        self, path: str, media_type: str, *, timeout_s: float
    ) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """A file that is made when it is asked for: how many bytes it has, and these.

        Raises, while it is read as well:
            Unreachable: the connection broke, or nothing came for `timeout_s` seconds.
        """
        timeout = httpx.Timeout(self._timeout_s, read=timeout_s)
        request = self._http.build_request("POST", path, timeout=timeout)
        async with (
            self._answer(request, media_type) as response,
            contextlib.aclosing(self._bytes(response, timeout_s)) as chunks,
        ):
            yield int(response.headers["content-length"]), chunks

    @contextlib.asynccontextmanager
    async def _answer(
        self, request: httpx.Request, media_type: str
    ) -> AsyncIterator[httpx.Response]:
        """What the server answers, before its body, if that is a success."""
        with self._explained():
            response = await self._http.send(request, stream=True)
        async with contextlib.aclosing(response):
            given = response.headers.get("content-type", "")
            if not response.is_success:
                with self._explained():
                    await response.aread()
                answers.refuse(response.status_code, given, response.content)
            if given.partition(";")[0] != media_type:
                raise self._strange()
            yield response

    async def post(
        self,
        path: str,
        answer: type[T],
        body: msgspec.Struct | Sequence[msgspec.Struct] | None = None,
        *,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> T:
        """Create or act; `timeout_s` is how long the server may take over it."""
        headers = {}
        if idempotency_key is not None:
            headers["idempotency-key"] = wording.quoted(idempotency_key)
        patience = self._timeout_s if timeout_s is None else timeout_s
        timeout = httpx.Timeout(self._timeout_s, read=patience)
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
        with self._explained():
            response = await self._http.request(method, path, **how)
        if not response.is_success:
            media_type = response.headers.get("content-type", "")
            answers.refuse(response.status_code, media_type, response.content)
        return response

    def _read(self, response: httpx.Response, answer: type[T]) -> T:
        try:
            return msgspec.json.decode(response.content, type=answer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._strange() from None

    async def _bytes(
        self, response: httpx.Response, silence_s: float
    ) -> AsyncGenerator[bytes, None]:
        try:
            async for chunk in response.aiter_bytes():
                yield chunk
        except httpx.ReadTimeout:
            raise errors.Unreachable(
                f"The server at {self._address} has said nothing for {silence_s:g} s."
            ) from None
        except (httpx.TransportError, httpx.DecodingError):
            raise errors.Unreachable(f"The connection to {self._address} broke.") from None

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Say of what keeps an answer from coming that nobody answers, and why."""
        if self._http.is_closed:  # by another task: httpx would raise what is no condition
            raise errors.Unreachable(f"The connection to {self._address} was closed.")
        try:
            yield
        except UnicodeEncodeError:
            raise errors.InvalidInput(
                "What was typed is no text: it holds a part of a character. See to the encoding."
            ) from None
        except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError) as error:
            if trust.is_of_trust(error):
                self._trust.look_again()
            raise errors.Unreachable(
                f"No server answers at {self._address}: {_reason(error)}."
            ) from None

    def _strange(self) -> errors.UnexpectedAnswer:
        return errors.UnexpectedAnswer(
            f"What answers at {self._address} does not answer as slowping does."
        )


def path(*steps: str) -> str:
    """A path of steps, of which an id may hold anything that a person typed."""
    return "".join(f"/{urllib.parse.quote(step, safe='')}" for step in steps)


def _given(query: Mapping[str, object]) -> dict[str, Any]:  # as httpx takes them
    return {name: _written(value) for name, value in query.items() if value is not None}


def _written(value: object) -> Any:  # what httpx takes: a text, or a list of them
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [str(one) for one in value]
    return str(value)


def _reason(error: Exception) -> str:
    if told := trust.complaint(error):
        return told
    if isinstance(error, httpx.TimeoutException):
        return "it took too long"
    if isinstance(error, httpx.ConnectError):
        return "the connection was refused or the name is unknown"
    return "the connection broke" if isinstance(error, httpx.NetworkError) else "no HTTP server"

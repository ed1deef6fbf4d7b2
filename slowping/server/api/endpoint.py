"""What an endpoint is, and how every request to one is walked through: key, limit, scope, body."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse

from slowping.core import errors
from slowping.core.api_key import Principal, Scope
from slowping.core.audit import Author
from slowping.core.errors import SlowpingError
from slowping.server import cors, http
from slowping.server.api import reading
from slowping.server.api.listing import NoQuery
from slowping.server.api.services import Services
from slowping.server.limits import rate_headers

PREFIX: Final = "/slowping/v1"
SCOPE: Final = "scope"
"""The option of a route that says which scope it asks for; None where it asks for no key."""

EVENT_STREAM: Final = "text/event-stream"

HEADERS: Final = "headers"
"""Where a request keeps the headers that every answer to it has."""

Q = TypeVar("Q")
B = TypeVar("B")

_ALWAYS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_OF_PAGES: Final = {
    # Nothing from elsewhere, no script, and in no frame: whatever gets into a page does nothing.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}
_encode: Final = msgspec.json.Encoder().encode
_STRANGER: Final = Principal(
    key_id=0,
    name="",
    scopes=frozenset(),
    home_project_id=0,
    project_ids=frozenset(),
    rate_limit=0,
    origins=frozenset(),
    expires_at=None,
)


class Call(msgspec.Struct, Generic[Q, B], frozen=True, kw_only=True):
    """A request whose key, scope, query and body are checked already."""

    services: Services
    principal: Principal
    """Of an endpoint that asks for no key, somebody without a scope."""
    id: str
    """What stands in the place of `{id}`; empty where the path has none."""
    query: Q
    body: B
    """None where the endpoint takes none."""
    headers: http.Headers
    address: str | None = None
    """Who asks from where."""

    @property
    def by(self) -> Author:
        """Who it is that acts, for the audit."""
        principal = self.principal
        return Author(key_id=principal.key_id, name=principal.name, address=self.address)


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is no JSON, or is encoded already."""

    content: bytes
    media_type: str


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that goes on until the client leaves, or until `stop` is set."""

    chunks: AsyncGenerator[bytes, None]
    stop: asyncio.Event
    headers: Mapping[str, str] = {}
    """Beside those of every answer."""


class Endpoint(msgspec.Struct, Generic[Q, B], frozen=True, kw_only=True):
    """One operation of our own API: the router and the reference are both made from this."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    """Below the prefix, with `{id}` where an id stands."""
    summary: str
    scope: Scope | None
    """None where no key is asked for."""
    handle: Callable[[Call[Q, B]], Awaitable[Any]]
    query: type[Q] = NoQuery  # type: ignore[assignment]  # the default of a generic
    body: Any = None
    """A type as msgspec understands it; None where no body is read."""
    body_required: bool = True
    """False takes an empty body as an empty object."""
    answer: Any = None
    """The type of the answer; None where it has no body, `Text` where it is none of ours, and of
    a stream the type of the data in it."""
    media_type: str = "application/json"
    """Of an answer that is a text or a stream."""
    repeatable: bool = False
    """Whether it honours an Idempotency-Key."""
    for_pages: bool = False
    """Whether web pages may call it; browsers ask it first, with an OPTIONS."""
    status: int = 200
    refusals: tuple[type[SlowpingError], ...] = ()
    """Conditions to expect beside those of the key, the query and the body."""


def route(endpoint: Endpoint[Any, Any], services: Services) -> HTTPRouteHandler:
    """The endpoint as the router takes it."""
    decoder = None if endpoint.body is None else msgspec.json.Decoder(endpoint.body)

    async def answer(request: Request[Any, Any, Any]) -> Response[bytes]:
        headers: http.Headers = dict(request.scope["headers"])
        if endpoint.for_pages:
            _tell(request, cors.answer_headers(services.roster, headers))
        principal = _admit(request, endpoint, services)
        query = reading.query(request.query_params, endpoint.query)
        content = b"" if decoder is None else await _content(request, headers, services)
        try:
            call = Call(
                services=services,
                principal=principal,
                id=request.path_params.get("id", ""),
                query=query,
                body=decoder and _body(content, endpoint, decoder),
                headers=headers,
                address=http.sender(request.scope),
            )
            return _response(endpoint, await endpoint.handle(call), headers_told(request))
        finally:
            services.bodies.let_go(content)

    methods = ["GET", "HEAD"] if endpoint.method == "GET" else [endpoint.method]
    return HTTPRouteHandler(
        endpoint.path.replace("{id}", "{id:str}"),
        http_method=methods,  # type: ignore[arg-type]  # these are methods
        status_code=200,  # the response has its own; here 204 would forbid it
        opt={SCOPE: endpoint.scope},
        name=f"{endpoint.method} {endpoint.path}",
    )(answer)


def options_route(
    path: str, endpoints: Sequence[Endpoint[Any, Any]], services: Services
) -> HTTPRouteHandler:
    """Tell which methods a path answers to; the framework's own answer knows only one of them.

    Browsers hear as well which of them pages may use.
    """
    allow = {"allow": ", ".join(methods_at(path, endpoints))}
    for_pages = ", ".join(one.method for one in endpoints if one.path == path and one.for_pages)

    async def answer(request: Request[Any, Any, Any]) -> Response[bytes]:
        asked: http.Headers = dict(request.scope["headers"]) if for_pages else {}
        told = cors.preflight_headers(services.roster, asked, for_pages)
        return Response(b"", status_code=204, headers={**allow, **as_text(told)})

    return HTTPRouteHandler(
        path.replace("{id}", "{id:str}"),
        http_method="OPTIONS",
        status_code=200,
        name=f"OPTIONS {path}",
    )(answer)


def methods_at(path: str, endpoints: Sequence[Endpoint[Any, Any]]) -> tuple[str, ...]:
    """The methods that a path answers to; `path` is one of a request, or of an endpoint."""
    given = path.removeprefix(PREFIX).strip("/").split("/")
    there = [endpoint for endpoint in endpoints if _leads_to(endpoint.path, given)]
    # As the router has it: a path that is told in so many words is not one with an id.
    named = [endpoint for endpoint in there if endpoint.path.strip("/").split("/") == given]
    methods = {"OPTIONS"}
    for endpoint in named or there:
        methods |= {"GET", "HEAD"} if endpoint.method == "GET" else {endpoint.method}
    return tuple(sorted(methods))


def _leads_to(path: str, given: Sequence[str]) -> bool:
    wanted = path.strip("/").split("/")
    return len(wanted) == len(given) and all(
        step in ("{id}", name) for step, name in zip(wanted, given, strict=True)
    )


def _admit(
    request: Request[Any, Any, Any], endpoint: Endpoint[Any, Any], services: Services
) -> Principal:
    """Who asks; their minute is counted whatever comes of it."""
    if endpoint.scope is None:
        return _STRANGER
    value = reading.credential(request.headers)
    principal = services.gatekeeper.authenticate(value, http.sender(request.scope))
    if Scope.ADMIN in principal.scopes:
        services.gatekeeper.check_place(
            principal,
            http.sender(request.scope),
            behind_stranger=http.is_behind_stranger(request.scope),
        )
    allowance = services.gatekeeper.limit(principal)
    _tell(request, rate_headers(allowance))
    if not principal.may(endpoint.scope):
        raise errors.Forbidden(f"This API key lacks the scope '{endpoint.scope}'.")
    return principal


async def _content(
    request: Request[Any, Any, Any], headers: http.Headers, services: Services
) -> bytes:
    return await services.bodies.read(headers, request.receive)  # type: ignore[arg-type]  # its messages are mappings too


def _body(
    content: bytes, endpoint: Endpoint[Any, Any], decoder: msgspec.json.Decoder[Any]
) -> Any:  # whatever the endpoint's body is
    return reading.body(content if content or endpoint.body_required else b"{}", decoder)


def _response(
    endpoint: Endpoint[Any, Any], result: Any, headers: Mapping[str, str]
) -> Response[bytes]:
    """Any result: a struct is encoded, a text goes as it is, nothing is nothing."""
    if isinstance(result, Stream):
        return _Streamed(result, endpoint.media_type, headers)
    if isinstance(result, Text):
        # The framework adds the charset to every text by itself.
        content, media_type = result.content, result.media_type.removesuffix("; charset=utf-8")
    else:
        content, media_type = (
            b"" if endpoint.answer is None else _encode(result),
            "application/json",
        )
    of_page = _OF_PAGES if media_type == "text/html" else {}
    return Response(
        content,
        status_code=endpoint.status,
        media_type=media_type,
        headers={**_ALWAYS, **of_page, **headers},
    )


class _Streamed(Response[bytes]):
    """A stream as the framework takes it."""

    def __init__(self, stream: Stream, media_type: str, headers: Mapping[str, str]) -> None:
        # Proxies that gather answers before they pass them on are asked not to.
        own = {**_ALWAYS, "x-accel-buffering": "no", **stream.headers, **headers}
        super().__init__(b"", media_type=media_type, headers=own)
        self._stream = stream

    def to_asgi_response(self, app: Any, request: Request[Any, Any, Any], **_: Any) -> ASGIResponse:
        del app
        return _Streaming(
            stream=self._stream,
            request=request,
            headers=self.headers,
            media_type=self.media_type,
            is_head_response=request.method == "HEAD",
        )


class _Streaming(ASGIResponse):
    """Sends the head of the answer, and then chunk by chunk."""

    _should_set_content_length = False

    def __init__(self, *, stream: Stream, request: Request[Any, Any, Any], **head: Any) -> None:
        super().__init__(**head)
        self._stream = stream
        self._scope: Any = request.scope

    # Mappings and callables are called differently there.
    async def send_body(self, send: Any, receive: Any) -> None:
        """Send the chunks."""
        await http.stream(self._scope, receive, send, self._stream.chunks, stop=self._stream.stop)


def headers_told(request: Request[Any, Any, Any]) -> Mapping[str, str]:
    """The headers of every answer to a request: for a page to read it, and of its key's minute."""
    headers: Mapping[str, str] = request.state.get(HEADERS, {})
    return headers


def as_text(headers: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Headers as the framework takes them."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def _tell(request: Request[Any, Any, Any], headers: http.HeaderList) -> None:
    request.state[HEADERS] = {**headers_told(request), **as_text(headers)}

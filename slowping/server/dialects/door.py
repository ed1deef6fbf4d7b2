"""Walk every request of the five dialects through the same steps, in the same order.

Size, whose it is, key, minute limit, origin, destination, quota, JSON, schema, category, accept,
receipt: so "401 comes before anything about the body" is true five times because it is written
once. The door is one ASGI callable: every byte of an answer is the dialect's.
"""

import logging
import urllib.parse
from collections.abc import Callable, Sequence

import msgspec

from slowping.core import api_key, errors
from slowping.core.api_key import Principal
from slowping.core.event import Receipt
from slowping.server import auth, cors, http
from slowping.server.auth import Gatekeeper
from slowping.server.dialects import choice
from slowping.server.dialects.places import Place, Places
from slowping.server.dialects.port import (
    AUTHORIZATION,
    X_API_KEY,
    Call,
    Desk,
    Dialect,
    Extra,
    Reading,
    Reply,
)
from slowping.server.http import Bodies, Gone, HeaderList, Headers, Receive, Scope, Send
from slowping.server.ingest import Ingest, Submission
from slowping.server.limits import Allowance, rate_headers, used_up
from slowping.server.log import Fact
from slowping.server.refusals import Refusal, Refusals
from slowping.server.roster import Roster, Tenant

logger = logging.getLogger("slowping.door")


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request, read and not yet judged."""

    method: str
    path: str
    headers: Headers
    query: bytes
    body: bytes
    scope: Scope
    """Who has sent it, and by which way."""
    name: str
    """What stands in the place of a path's variable end."""


class Terms(msgspec.Struct):
    """What is found out about a request while it is judged, and shows in the answer's headers."""

    allowance: Allowance | None = None


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """What the door works with."""

    roster: Roster
    gatekeeper: Gatekeeper
    ingest: Ingest
    desk: Desk
    refusals: Refusals
    now_ms: Callable[[], int]
    """UTC milliseconds."""
    bodies: Bodies


class Door:
    """The ASGI application for everything outside our own API."""

    def __init__(self, dialects: Sequence[Dialect], services: Services) -> None:
        self._dialects = {dialect.name: dialect for dialect in dialects}
        self._places = Places(dialects)
        self._bodies = services.bodies
        self._roster = services.roster
        self._gatekeeper = services.gatekeeper
        self._ingest = services.ingest
        self._desk = services.desk
        self._refusals = services.refusals
        self._now_ms = services.now_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers: Headers = dict(scope["headers"])
        method, path = scope["method"], scope["path"]
        if path[-1:] == "/":
            path = path.rstrip("/")
        place, name = self._places.at(path)
        if method == "OPTIONS":
            await self._answer_options(place, headers, send)
            return
        terms = Terms()
        # Until the body is there, the headers alone say whose words to use.
        dialect, body = self._nearest(place, path, method, headers, b""), b""
        try:
            body = await self._bodies.read(headers, receive)
            dialect = self._nearest(place, path, method, headers, body)
            request = Request(
                method=method, path=path, headers=headers, query=scope["query_string"],
                body=body, scope=scope, name=name,
            )  # fmt: skip
            reply = await self._judge(dialect, place, request, terms)
        except errors.SlowpingError as error:
            reply = dialect.refusal(error)
            self._note(error, dialect, scope, reply)
            told = self._headers(headers, terms) + _headers_of(error)
            await http.answer(send, reply.status, reply.body, told)
            return
        except Gone:
            return
        except Exception as error:  # whatever it is, the client hears it in its own shape
            logger.exception(Fact("a request failed", secrets=http.keys_in(headers)))
            reply = dialect.refusal(errors.SlowpingError())
            self._note(error, dialect, scope, reply)
        finally:
            self._bodies.let_go(body)
        await http.answer(send, reply.status, reply.body, self._headers(headers, terms))

    # Whose it is -----------------------------------------------------------------------------

    def _nearest(
        self, place: Place | None, path: str, method: str, headers: Headers, body: bytes
    ) -> Dialect:
        """The dialect in whose words the request is answered."""
        if place is None:
            return self._dialects[choice.nearest(path, headers)]
        if len(place.dialects) == 1:
            return place.dialects[0]
        given = headers.get(AUTHORIZATION), headers.get(X_API_KEY)
        if method == "POST":
            return self._dialects[choice.chosen(*given, body)]
        return self._dialects[choice.chosen_to_list(*given)]

    # The steps -------------------------------------------------------------------------------

    async def _judge(
        self, dialect: Dialect, place: Place | None, request: Request, terms: Terms
    ) -> Reply:
        if place is None:
            raise errors.UnknownPath
        method = "GET" if request.method == "HEAD" else request.method
        try:
            extra = place.routes[method, dialect.name]
        except KeyError:
            raise errors.WrongMethod(place.methods_of(dialect)) from None
        principal = self._admit(dialect, request, extra, terms)
        if extra is None:
            return await self._take(dialect, request, principal)
        call = Call(
            principal=principal,
            query=dict(urllib.parse.parse_qsl(request.query.decode("latin-1"))),
            name=request.name,
            body=request.body,
            now_ms=self._now_ms(),
            origin=cors.origin_of(request.headers),
        )
        return await extra.handle(call, self._desk)

    def _admit(
        self, dialect: Dialect, request: Request, extra: Extra | None, terms: Terms
    ) -> Principal:
        """Key, minute limit, origin."""
        value = dialect.credentials(request.headers)
        principal = self._gatekeeper.authenticate(value, http.sender(request.scope))
        scope = api_key.Scope.INGEST if extra is None else extra.scope
        if not principal.may(scope):
            raise errors.UnknownApiKey
        # An admin key is one for all projects, which costs less to see.
        if principal.project_ids is None:
            self._check_place(principal, request.scope)
        terms.allowance = self._gatekeeper.limit(principal)
        home = self._roster.project_by_id(principal.home_project_id)
        auth.check_origin(principal, home, cors.origin_of(request.headers))
        return principal

    def _check_place(self, principal: Principal, scope: Scope) -> None:
        """No dialect has words for a live key in the wrong place."""
        behind_stranger = http.is_behind_stranger(scope)
        try:
            self._gatekeeper.check_place(
                principal, http.sender(scope), behind_stranger=behind_stranger
            )
        except errors.Forbidden:
            raise errors.UnknownApiKey from None

    async def _take(self, dialect: Dialect, request: Request, principal: Principal) -> Reply:
        """Take events in: destination, quota, JSON, schema, project, category, accept."""
        try:
            await self._check_account(dialect, principal)
            reading = dialect.read(request.body)
            project_id = self._project_id(request, principal, reading)
            receipt = await self._ingest.accept(
                _submission(dialect, request, reading, principal, project_id)
            )
        except (errors.NoDestination, errors.QuotaReached, errors.UnknownCategory) as refusal:
            # A request that was accepted before gets its first receipt again, even where a new
            # one would be refused by now.
            receipt = await self._recall(dialect, request, principal, refusal)
        return dialect.receipt(receipt, self._now_ms())

    async def _check_account(self, dialect: Dialect, principal: Principal) -> None:
        """Whether the key's home has the channels that upstream asks for, and events left."""
        if not dialect.destinations and not dialect.has_quota:
            return
        tenant = self._roster.tenant(principal.home_project_id)
        if tenant is None:
            raise errors.UnknownApiKey
        _check_destinations(dialect, tenant)
        if dialect.has_quota and tenant.project.monthly_quota is not None:
            await self._ingest.check_quota(tenant.project.id)

    async def _recall(
        self,
        dialect: Dialect,
        request: Request,
        principal: Principal,
        refusal: errors.Refused,
    ) -> Receipt:
        if http.IDEMPOTENCY_KEY not in request.headers:
            raise refusal
        try:
            reading = dialect.read(request.body)
        except (errors.InvalidJson, errors.InvalidInput):
            raise refusal from None
        project_id = self._project_id(request, principal, reading)
        submission = _submission(dialect, request, reading, principal, project_id)
        receipt = await self._ingest.recall(submission)
        if receipt is None:
            raise refusal
        return receipt

    def _project_id(self, request: Request, principal: Principal, reading: Reading) -> int:
        if reading.project is None:
            return principal.home_project_id
        origin = cors.origin_of(request.headers)
        return self._desk.project_of(principal, reading.project, origin).id

    # Answers ---------------------------------------------------------------------------------

    def _headers(self, asked: Headers, terms: Terms) -> HeaderList:
        headers = cors.answer_headers(self._roster, asked)
        return headers if terms.allowance is None else headers + rate_headers(terms.allowance)

    def _note(self, error: Exception, dialect: Dialect, scope: Scope, reply: Reply) -> None:
        """Remember who was refused, and why."""
        self._refusals.add(
            Refusal(
                at=self._now_ms(),
                dialect=dialect.name,
                path=scope["path"][:200],
                condition=type(error).__name__,
                status=reply.status,
                address=http.sender(scope),
            )
        )

    async def _answer_options(self, place: Place | None, asked: Headers, send: Send) -> None:
        """Preflights, and the plain question which methods there are."""
        methods = ", ".join(place.methods if place else ("OPTIONS",))
        headers: HeaderList = [(b"allow", methods.encode())]
        if place:
            headers += cors.preflight_headers(self._roster, asked, methods)
        await http.answer(send, 204, b"", headers)


def _submission(
    dialect: Dialect,
    request: Request,
    reading: Reading,
    principal: Principal,
    project_id: int,
) -> Submission:
    own_key = reading.idempotency_key
    repeat_key = http.idempotency_key(request.headers) if own_key is None else own_key
    return Submission(
        drafts=reading.drafts,
        principal=principal,
        project_id=project_id,
        dialect=dialect.name,
        create_categories=dialect.creates_categories,
        idempotency_key=repeat_key,
        strict_key=own_key is None,
        has_quota=dialect.has_quota,
    )


def _check_destinations(dialect: Dialect, tenant: Tenant) -> None:
    """Any channel will do, unless the project asks for exactly what upstream asks for."""
    if not dialect.destinations:
        return
    if tenant.project.strict_destinations:
        for kind in dialect.destinations:
            if kind not in tenant.kinds:
                raise errors.NoDestination(kind)
    elif not tenant.kinds:
        raise errors.NoDestination(dialect.destinations[0])


def _headers_of(error: errors.SlowpingError) -> HeaderList:
    """What a refusal says in its headers, in every dialect."""
    match error:
        case errors.RateLimited():
            return rate_headers(used_up(error))
        case errors.Unavailable():
            return [(b"retry-after", b"%d" % error.retry_after_s)]
        case errors.WrongMethod():
            return [(b"allow", ", ".join(error.allow).encode())]
        case errors.SlowBody():
            return [(b"connection", b"close")]
    return []

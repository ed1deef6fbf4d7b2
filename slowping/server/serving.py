"""Listen, serve until a signal comes, and stop without losing what is on its way."""

import asyncio
import contextlib
import errno
import functools
import gc
import pathlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec
import uvicorn

from slowping import __version__
from slowping.config import Config
from slowping.core import errors
from slowping.server.app import House, World, running
from slowping.server.clock import Clock
from slowping.server.dispatch.dispatcher import Dispatcher
from slowping.server.process import data_folder, disk, private_file
from slowping.server.process.stopping import Stop
from slowping.server.wire import gate
from slowping.server.wire.gate import Gate
from slowping.server.wire.listening import Listening
from slowping.server.wire.protocol import GatedProtocol

if TYPE_CHECKING:
    from slowping.server.wire.certificate import Certificate

SERVER_FILE: Final = "server.json"

_BACKLOG: Final = 2_048

_LOOK_EVERY_S: Final = 0.02

_GARBAGE_AFTER: Final = 10_000
"""So many objects more than before make Python look for garbage in circles, of which requests leave
next to none: looking as often as it does by itself takes a tenth of the time of each request."""

_HEARING_OUT_S: Final = 0.5
"""How long those who have asked for nothing are listened to, when the server stops."""


class Server(uvicorn.Server):
    """Leaves signals to us, so that a stop that was asked for is a success."""

    def __init__(
        self, config: uvicorn.Config, the_gate: Gate, end_streams: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._gate = the_gate
        self._end_streams = end_streams
        self.ready = asyncio.Event()
        """Set once requests are answered."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup([])
        self._listening = Listening(self._protocol, self._gate, self.config.ssl)
        self._listening.begin(sockets or [])
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what would never end by itself, hear everybody out, then wait for the rest."""
        self._end_streams()
        self._gate.is_closing = True
        await self._listening.end()
        await self._hear_out()
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        """What the server program makes for each connection."""
        make: Any = self.config.http_protocol_class
        made: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    async def _hear_out(self) -> None:
        """Give those who are silent a moment: what they have asked may be on its way."""
        until = asyncio.get_running_loop().time() + _HEARING_OUT_S
        while self._gate.is_silent() and not self.force_exit:
            if asyncio.get_running_loop().time() > until:
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve(
    config: Config,
    folder: pathlib.Path,
    *,
    ready: Callable[[str, House], None],
    world: World | None = None,
) -> None:
    """Serve the data in `folder` until SIGTERM or SIGINT; `ready` is told the address once.

    Raises:
        ConfigError: the folder cannot be used or another server uses it, or the address is
            taken or not this machine's.
        StoreUnusable: the database cannot be used.
    """
    server, stop, world = config.server, Stop(), world or World()
    if not config.disk.allow_network:
        disk.refuse_network(folder)
    with (
        stop.by_signals(),
        data_folder.owned(folder),
        contextlib.closing(listen(server.host, server.port)) as listener,
    ):
        certificate = certificate_of(config, world.clock)
        if certificate is not None:
            certificate.tell()
        url = address_of(listener, secure=certificate is not None)
        async with running(config, folder, world) as house:
            if stop.asked.is_set():
                return
            stop.is_starting = False
            async with _left_in(folder, url, certificate):
                program = server_for(house, config, certificate)
                await _serve_on(listener, program, house, config, stop, lambda: ready(url, house))


def certificate_of(config: Config, clock: Clock) -> "Certificate | None":
    """The certificate that the configuration names.

    Raises:
        ConfigError: it cannot be used.
    """
    section = config.server
    if section.tls_certificate is None:
        if section.tls_key is not None:
            raise errors.ConfigError(
                "server.tls_key: name the certificate too, in server.tls_certificate."
            )
        return None
    from slowping.server.wire.certificate import Certificate  # most servers have none

    return Certificate(section.tls_certificate, section.tls_key, clock)


def server_for(house: House, config: Config, certificate: "Certificate | None" = None) -> "Server":
    """The server program around a house."""
    the_gate = Gate(most=gate.open_wide())
    return Server(
        uvicorn.Config(
            house.asgi,
            http=functools.partial(GatedProtocol, gate=the_gate),  # type: ignore[arg-type] # it is only called
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=round(config.server.shutdown_timeout_s),
            ssl_context_factory=None if certificate is None else lambda *_: certificate.context,
        ),
        the_gate,
        house.feed.close,
    )


async def _serve_on(
    listener: socket.socket,
    server: Server,
    house: House,
    config: Config,
    stop: Stop,
    ready: Callable[[], None],
) -> None:
    async with asyncio.TaskGroup() as group:
        answering = group.create_task(server.serve(sockets=[listener]))
        answering.add_done_callback(lambda _: stop.asked.set())
        await server.ready.wait()
        ready()
        _spare_the_collector()
        await stop.asked.wait()
        server.should_exit = True
        hurrying = group.create_task(_hurry_when_urged(server, house.dispatcher, stop))
        # Requests and deliveries on their way are finished at the same time.
        await house.dispatcher.stop(config.server.shutdown_timeout_s)
        await answering
        hurrying.cancel()


def _spare_the_collector() -> None:
    """Have garbage looked for less often, and never in what was there at the start."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_AFTER)


async def _hurry_when_urged(server: Server, dispatcher: Dispatcher, stop: Stop) -> None:
    """Cut off what is on its way where somebody does not want to wait for it."""
    await stop.urged.wait()
    server.force_exit = True
    await dispatcher.stop(0)


@contextlib.asynccontextmanager
async def _left_in(
    folder: pathlib.Path, url: str, certificate: "Certificate | None"
) -> AsyncIterator[None]:
    """Leave word in the data folder of where the server is, and how to know it, while it is."""
    file = folder / SERVER_FILE

    def write() -> None:
        own = {} if certificate is None else {"certificate": certificate.own}
        told = {"url": url, "version": __version__, **own}
        private_file.write(file, msgspec.json.encode(told).decode())

    write()
    looking = []
    if certificate is not None:
        looking.append(asyncio.create_task(certificate.keep_true(write)))
    try:
        yield
    finally:
        for each in looking:
            each.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
        file.unlink(missing_ok=True)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes any that is free.

    Raises:
        ConfigError: the address is taken, or not this machine's.
    """
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise errors.ConfigError(
            f"Cannot listen on {host}: {error.strerror}. Choose an address with --host."
        ) from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        # Whether the port is free is only certain once it listens.
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise errors.ConfigError(_why_not(error, host, port)) from error
    listener.setblocking(False)
    return listener


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken. Stop what uses it, or choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than this user has. Choose one above 1023: --port."
    return f"Cannot listen on {host}, port {port}: {error.strerror}."


def address_of(listener: socket.socket, *, secure: bool = False) -> str:
    """The URL at which a local client reaches the listener."""
    host, port = listener.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host)  # noqa: S104 - it is compared
    if reachable is None:
        reachable = f"[{host}]" if ":" in host else host
    return f"{'https' if secure else 'http'}://{reachable}:{port}"

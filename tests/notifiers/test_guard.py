import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from slowping.notifiers import http
from slowping.notifiers.dialling import Resolve, SystemResolver
from slowping.notifiers.guard import Guard
from slowping.notifiers.port import ForbiddenAddress, HttpAnswer, HttpFailure
from tests.notifiers.far_side import FarSide
from tests.vectors import vectors

NAME: Final = "hooks.example"


class Sockets(httpcore.AsyncNetworkBackend):
    """Notes each address that a connection is asked for; none of them answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    async def connect_tcp(self, host: str, port: int, *rest: Any, **named: Any) -> Any:
        """Refuse."""
        self.asked.append((host, port))
        raise httpcore.ConnectError


def finding(*addresses: str) -> Resolve:
    """A resolver that finds these addresses behind every name."""

    async def resolve(host: str, port: int) -> tuple[str, ...]:
        return addresses

    return resolve


async def post(client: http.HttpClient, url: str) -> HttpAnswer:
    try:
        return await client.post(url, b"{}", {}, timeout_s=5)
    finally:
        await client.close()


# The table ----------------------------------------------------------------------------------


@pytest.mark.parametrize("address", vectors("ssrf", "must_block_after_resolution"))
async def test_no_connection_is_tried_to_an_address_that_is_not_public(address: str) -> None:
    sockets = Sockets()
    client = http.open_guarded_http(resolve=finding(address), network=sockets)
    with pytest.raises(ForbiddenAddress, match=r"allow_networks under \[notifiers.webhook\]"):
        await post(client, f"https://{NAME}/")
    assert sockets.asked == []


@pytest.mark.parametrize("address", vectors("ssrf", "must_block_after_resolution"))
async def test_nor_where_only_one_of_several_is_not(address: str) -> None:
    sockets = Sockets()
    client = http.open_guarded_http(resolve=finding("1.1.1.1", address), network=sockets)
    with pytest.raises(ForbiddenAddress):
        await post(client, f"https://{NAME}/")
    assert sockets.asked == []


@pytest.mark.parametrize("address", vectors("ssrf", "must_block_after_resolution"))
async def test_nor_where_the_url_names_the_address_itself(address: str) -> None:
    sockets = Sockets()
    client = http.open_guarded_http(network=sockets)
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(HttpFailure) as caught:
        await post(client, f"https://{host}/")
    assert sockets.asked == []
    assert not caught.value.unknown


@pytest.mark.parametrize("address", vectors("ssrf", "must_allow"))
async def test_a_public_address_is_connected_to_and_no_other(address: str) -> None:
    sockets = Sockets()
    client = http.open_guarded_http(resolve=finding(address), network=sockets)
    with pytest.raises(HttpFailure) as caught:
        await post(client, f"https://{NAME}:8443/")
    assert not isinstance(caught.value, ForbiddenAddress)
    assert sockets.asked == [(address, 8443)]


@pytest.mark.parametrize("host", vectors("ssrf", "host_spellings_that_resolve_to_loopback_or_any"))
async def test_no_spelling_of_loopback_is_let_through(host: str) -> None:
    async with FarSide().running() as far_side:
        client = http.open_guarded_http(allow_http=True)
        with pytest.raises(HttpFailure):
            await post(client, f"http://{host}:{far_side.port}/")
    assert far_side.connections == 0


@pytest.mark.parametrize(
    ("address", "networks", "allowed"),
    [
        ("192.168.7.1", ["192.168.0.0/16"], True),
        ("::ffff:192.168.7.1", ["192.168.0.0/16"], True),
        ("192.168.7.1", ["10.0.0.0/8", "fd00::/8"], False),
        ("fd00::1", ["10.0.0.0/8", "fd00::/8"], True),
        ("fe80::1%1", [], False),
        ("1.1.1.1", ["10.0.0.0/8"], True),
    ],
)
def test_the_operator_may_open_networks(address: str, networks: list[str], allowed: bool) -> None:
    assert Guard(networks).allows(address) is allowed


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "the address starts with http://"),
        ("https://127.0.0.1:9000/hook", "127.0.0.1 is not a public address"),
        ("https://[::1]/", "::1 is not a public address"),
        ("https://[::ffff:10.0.0.1]/", "::ffff:10.0.0.1 is not a public address"),
        ("https://192.168.7.1/", None),
        ("https://1.1.1.1/", None),
        ("https://localhost/", None),
    ],
)
def test_what_is_known_before_a_look_up_is_told(url: str, reason: str | None) -> None:
    problem = Guard(["192.168.0.0/16"]).problem_with(url)
    assert problem is None if reason is None else (problem or "").startswith(reason)


def test_where_http_is_allowed_no_address_is_refused_for_it() -> None:
    assert Guard([], allow_http=True).problem_with("http://example.com/") is None
    closed = Guard([], allow_http=True).problem_with("http://127.0.0.1/")
    assert (closed or "").startswith("127.0.0.1 is not a public address")


# Before any look-up -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"http://{NAME}/", "allow_http"),
        (f"https://user:pw@{NAME}/", "user name or a password"),
        (f"https://user@{NAME}/", "user name or a password"),
    ],
)
async def test_some_addresses_are_not_even_looked_up(url: str, reason: str) -> None:
    asked = []

    async def resolve(host: str, port: int) -> tuple[str, ...]:
        asked.append(host)
        return ()

    with pytest.raises(ForbiddenAddress, match=reason):
        await post(http.open_guarded_http(resolve=resolve), url)
    assert asked == []


# Resolving ----------------------------------------------------------------------------------


async def test_the_next_address_is_tried_where_the_first_does_not_answer() -> None:
    sockets = Sockets()
    client = http.open_guarded_http(resolve=finding("2606:4700::1", "1.1.1.1"), network=sockets)
    with pytest.raises(HttpFailure):
        await post(client, f"https://{NAME}/")
    assert sockets.asked == [("2606:4700::1", 443), ("1.1.1.1", 443)]


async def test_a_name_without_addresses_may_have_one_later() -> None:
    with pytest.raises(HttpFailure, match="has no address") as caught:
        await post(http.open_guarded_http(resolve=finding()), f"https://{NAME}/")
    assert not isinstance(caught.value, ForbiddenAddress)


async def test_a_name_that_is_unknown_may_be_known_later() -> None:
    async def resolve(host: str, port: int) -> tuple[str, ...]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(HttpFailure, match="cannot be resolved") as caught:
        await post(http.open_guarded_http(resolve=resolve), f"https://{NAME}/")
    assert not caught.value.unknown


async def test_a_silent_name_server_holds_nothing_up() -> None:
    async def resolve(host: str, port: int) -> tuple[str, ...]:
        await asyncio.Event().wait()
        return ()

    client = http.open_guarded_http(resolve=resolve)
    with pytest.raises(HttpFailure, match="no answer within") as caught:
        await client.post(f"https://{NAME}/", b"", {}, timeout_s=0.05)
    await client.close()
    assert not caught.value.unknown


async def test_the_systems_resolver_names_each_address_once() -> None:
    found = await SystemResolver()("127.0.0.1", 80)
    assert found == ("127.0.0.1",)


async def test_a_silent_name_server_does_not_hold_up_the_end() -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _ASK_A_SILENT_NAME_SERVER, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(20):
            said, _ = await program.communicate()
    finally:
        if program.returncode is None:
            program.kill()
    assert (program.returncode, said) == (0, b"the host name was not resolved in time\n")


_ASK_A_SILENT_NAME_SERVER = """
import asyncio, socket, time
from slowping.notifiers import dialling, guard
from slowping.notifiers.port import HttpFailure

socket.getaddrinfo = lambda *_, **__: time.sleep(3_600)
dialling.RESOLVE_TIMEOUT_S = 0.1
backend = guard.GuardedBackend(guard.Guard([]), dialling.SystemResolver(), None)
try:
    asyncio.run(backend.connect_tcp("shop.example", 443))
except HttpFailure as failure:
    print(failure.reason)
"""


# The name stays -----------------------------------------------------------------------------


async def test_the_far_side_is_told_the_name_and_not_the_address() -> None:
    async with FarSide().running() as far_side:
        client = http.open_guarded_http(["127.0.0.0/8"], True, resolve=finding("127.0.0.1"))
        await post(client, f"http://{NAME}:{far_side.port}/hook")
    [request] = far_side.requests
    assert request.headers["host"] == f"{NAME}:{far_side.port}"


@contextlib.asynccontextmanager
async def encrypted_far_side(folder: Path) -> AsyncIterator[tuple[FarSide, Path, list[str]]]:
    """A far side with a certificate for NAME, the certificate, and the names it is asked for."""
    certificate = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    names: list[str] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    async with FarSide().running(context) as far_side:
        yield far_side, certificate, names


async def test_certificate_and_server_name_go_by_the_name(tmp_path: Path) -> None:
    async with encrypted_far_side(tmp_path) as (far_side, certificate, names):
        client = http.open_guarded_http(
            ["127.0.0.0/8"],
            resolve=finding("127.0.0.1"),
            tls=ssl.create_default_context(cafile=certificate),
        )
        answer = await post(client, f"https://{NAME}:{far_side.port}/")
    assert (answer.status, names) == (200, [NAME])


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
async def test_a_certificate_for_another_name_is_not_accepted(tmp_path: Path, host: str) -> None:
    async with encrypted_far_side(tmp_path) as (far_side, certificate, _):
        client = http.open_guarded_http(
            ["127.0.0.0/8"],
            resolve=finding("127.0.0.1"),
            tls=ssl.create_default_context(cafile=certificate),
        )
        with pytest.raises(HttpFailure, match="certificate is not accepted") as caught:
            await post(client, f"https://{host}:{far_side.port}/")
    assert not caught.value.unknown
    assert far_side.requests == []


def _certificate(folder: Path) -> Path:
    """A file with a key and a certificate for NAME, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file

import asyncio
import contextlib
import pathlib
import ssl
import warnings
from collections.abc import AsyncIterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from slowping.client.client import Client
from slowping.config import Config, ServerSection
from slowping.core import errors
from slowping.server import serving
from slowping.server.wire.certificate import Certificate
from slowping.testing import FrozenClock
from tests.laboratory.tls import Authority

LOCALHOST = "localhost"


@pytest.fixture
def authority(tmp_path: pathlib.Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def certificate(tmp_path: pathlib.Path, authority: Authority, clock: FrozenClock) -> Certificate:
    return Certificate(*authority.files(tmp_path, LOCALHOST), clock)


def refusal(config: ServerSection, clock: FrozenClock) -> str:
    """What is said of a configuration that cannot be used."""
    with pytest.raises(errors.ConfigError) as refused:
        serving.certificate_of(Config(server=config), clock)
    return str(refused.value)


# What cannot be used -------------------------------------------------------------------------


def test_without_a_certificate_there_is_no_tls(clock: FrozenClock) -> None:
    assert serving.certificate_of(Config(), clock) is None


def test_a_key_alone_is_refused(tmp_path: pathlib.Path, clock: FrozenClock) -> None:
    said = refusal(ServerSection(tls_key=tmp_path / "key.pem"), clock)
    assert said == "server.tls_key: name the certificate too, in server.tls_certificate."


def test_files_that_are_not_there_are_named(
    tmp_path: pathlib.Path, authority: Authority, clock: FrozenClock
) -> None:
    file, key = authority.files(tmp_path)
    gone = tmp_path / "gone.pem"
    said = refusal(ServerSection(tls_certificate=gone, tls_key=key), clock)
    assert said == f"server.tls_certificate: cannot read {gone}: No such file or directory."
    said = refusal(ServerSection(tls_certificate=file, tls_key=gone), clock)
    assert said == f"server.tls_key: cannot read {gone}: No such file or directory."


def test_the_key_of_another_certificate_is_refused(
    tmp_path: pathlib.Path, authority: Authority, clock: FrozenClock
) -> None:
    (tmp_path / "other").mkdir()
    file, _ = authority.files(tmp_path)
    _, key = authority.files(tmp_path / "other")
    said = refusal(ServerSection(tls_certificate=file, tls_key=key), clock)
    assert said == f"server.tls_key: {key} is not the key of the certificate in {file}."


def test_what_is_no_pem_is_refused(
    tmp_path: pathlib.Path, authority: Authority, clock: FrozenClock
) -> None:
    _, key = authority.files(tmp_path)
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    nonsense.chmod(0o600)
    said = refusal(ServerSection(tls_certificate=nonsense, tls_key=key), clock)
    assert said.startswith(f"server.tls_certificate: {nonsense} and {key} have to hold")
    said = refusal(ServerSection(tls_certificate=nonsense), clock)
    assert "Name the key in server.tls_key" in said


def test_an_encrypted_key_is_refused_and_asks_nobody(
    tmp_path: pathlib.Path, authority: Authority, clock: FrozenClock
) -> None:
    file, key = authority.files(tmp_path)
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    sealed = serialization.BestAvailableEncryption(b"passphrase")
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key.write_bytes(loaded.private_bytes(pem, pkcs8, sealed))
    assert "the key is encrypted" in refusal(
        ServerSection(tls_certificate=file, tls_key=key), clock
    )


def test_a_key_that_everybody_can_read_is_refused(
    tmp_path: pathlib.Path, authority: Authority, clock: FrozenClock
) -> None:
    file, key = authority.files(tmp_path)
    key.chmod(0o644)
    said = refusal(ServerSection(tls_certificate=file, tls_key=key), clock)
    assert said.endswith(f"can read {key}. Run: chmod o= {key}")


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_a_certificate_without_its_key_is_refused(
    tmp_path: pathlib.Path, authority: Authority, clock: FrozenClock, mode: int
) -> None:
    file, _ = authority.files(tmp_path)
    file.chmod(mode)
    said = refusal(ServerSection(tls_certificate=file), clock)
    assert said == (
        f"server.tls_key is missing: {file} holds a certificate without its key. "
        "Name the file that holds the key."
    )


def test_both_may_lie_in_one_file(
    tmp_path: pathlib.Path, authority: Authority, clock: FrozenClock
) -> None:
    file, key = authority.files(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes() + file.read_bytes())
    both.chmod(0o600)
    section = ServerSection(tls_certificate=both)
    assert serving.certificate_of(Config(server=section), clock) is not None


# What is shown -------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def listening(certificate: Certificate) -> AsyncIterator[int]:
    """A server that shows the certificate and says nothing; its port."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=certificate.context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def shown(port: int, context: ssl.SSLContext) -> int:
    """The serial number of the certificate that a client sees."""
    _, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=LOCALHOST
    )
    seen = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return x509.load_der_x509_certificate(seen).serial_number


async def test_clients_see_a_certificate_that_they_trust(
    certificate: Certificate, authority: Authority
) -> None:
    own = x509.load_pem_x509_certificate(certificate.own.encode())
    async with listening(certificate) as port:
        assert await shown(port, authority.believers()) == own.serial_number


async def test_nothing_older_than_tls_1_2_is_spoken(
    certificate: Certificate, authority: Authority
) -> None:
    for newest, speaks in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
        client = authority.believers()
        client.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore"):  # it is deprecated, that is the point
            client.minimum_version = client.maximum_version = newest
        refused = (
            contextlib.nullcontext()
            if speaks
            else pytest.raises((ssl.SSLError, ConnectionResetError))
        )
        async with listening(certificate) as port:
            with refused:
                await shown(port, client)


async def test_a_renewed_certificate_is_taken_while_it_listens(
    tmp_path: pathlib.Path, certificate: Certificate, authority: Authority, clock: FrozenClock
) -> None:
    renewed = asyncio.Event()
    looking = asyncio.create_task(certificate.keep_true(renewed.set))
    async with listening(certificate) as port:
        before = await shown(port, authority.believers())
        await clock.is_waited_on()
        authority.files(tmp_path, LOCALHOST)
        clock.advance(10)
        await renewed.wait()
        after = await shown(port, authority.believers())
        assert after != before
        assert after == x509.load_pem_x509_certificate(certificate.own.encode()).serial_number
    looking.cancel()


async def test_half_of_a_renewal_is_not_shown(
    tmp_path: pathlib.Path, certificate: Certificate, authority: Authority
) -> None:
    (tmp_path / "new").mkdir()
    file, key = authority.files(tmp_path / "new", LOCALHOST)
    own = certificate.own
    async with listening(certificate) as port:
        before = await shown(port, authority.believers())
        (tmp_path / "fullchain.pem").write_bytes(file.read_bytes())
        with pytest.raises(errors.ConfigError):
            certificate.renew()
        assert not certificate.renew()
        assert await shown(port, authority.believers()) == before
        assert certificate.own == own
        (tmp_path / "privkey.pem").write_bytes(key.read_bytes())
        assert certificate.renew()
        assert await shown(port, authority.believers()) != before


def test_a_renewal_is_taken_once_its_key_is_closed_to_others(
    tmp_path: pathlib.Path, certificate: Certificate, authority: Authority
) -> None:
    before = certificate.own
    _, key = authority.files(tmp_path, LOCALHOST)
    key.chmod(0o644)
    with pytest.raises(errors.ConfigError, match="chmod o="):
        certificate.renew()
    key.chmod(0o600)
    assert certificate.renew()
    assert certificate.own != before


async def test_a_renewal_that_cannot_be_used_is_told_once(
    tmp_path: pathlib.Path,
    certificate: Certificate,
    clock: FrozenClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    looking = asyncio.create_task(certificate.keep_true(lambda: None))
    (tmp_path / "fullchain.pem").write_text("nonsense")
    for _ in range(3):
        await clock.is_waited_on()
        clock.advance(10)
    await clock.is_waited_on()
    assert [each for each in caplog.messages if each.startswith("cannot take")] != []
    assert len([each for each in caplog.messages if each.startswith("cannot take")]) == 1
    looking.cancel()


def test_a_certificate_that_has_expired_is_told(
    tmp_path: pathlib.Path,
    authority: Authority,
    clock: FrozenClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock.advance(400 * 86_400)
    Certificate(*authority.files(tmp_path), clock).tell()
    [told] = [each for each in caplog.messages if "expired" in each]
    assert f"file={tmp_path / 'fullchain.pem'}" in told


async def test_a_client_is_told_what_is_wrong_with_a_certificate(
    certificate: Certificate,
) -> None:
    async with listening(certificate) as port, Client(f"https://{LOCALHOST}:{port}") as client:
        with pytest.raises(errors.Unreachable, match=r"not trusted .* SSL_CERT_FILE"):
            await client.health()

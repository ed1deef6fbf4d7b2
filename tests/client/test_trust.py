import json
import ssl
from pathlib import Path

import pytest

from slowping.client.trust import Trust
from slowping.server.wire.certificate import Certificate
from slowping.testing import FrozenClock
from tests.laboratory.tls import Authority
from tests.server.test_certificate import LOCALHOST, listening, shown

FAR = "https://events.example"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def certificate(tmp_path: Path, authority: Authority, clock: FrozenClock) -> Certificate:
    # Made out to a name that nobody goes by here.
    return Certificate(*authority.files(tmp_path, "events.example"), clock)


def leave(folder: Path, server: str, certificate: str) -> dict[str, str]:
    """What a server leaves in its data folder, and the environment in which it is found."""
    told = {"url": server, "certificate": certificate}
    (folder / "server.json").write_text(json.dumps(told), encoding="utf-8")
    return {"SLOWPING_DATA": str(folder)}


async def test_a_server_on_this_machine_is_known_by_what_it_has_left(
    tmp_path: Path, certificate: Certificate
) -> None:
    async with listening(certificate) as port:
        server = f"https://127.0.0.1:{port}"
        environ = leave(tmp_path, server, certificate.own)
        assert await shown(port, Trust(server, environ=environ).context)


async def test_no_other_server_is_known_by_it(
    tmp_path: Path, certificate: Certificate, authority: Authority, clock: FrozenClock
) -> None:
    environ = leave(tmp_path, FAR, certificate.own)
    trust = Trust(FAR, environ=environ)
    (tmp_path / "other").mkdir()
    other = Certificate(*authority.files(tmp_path / "other", LOCALHOST), clock)
    async with listening(other) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await shown(port, trust.context)


async def test_a_renewed_certificate_is_trusted_once_it_is_looked_for(
    tmp_path: Path, certificate: Certificate, authority: Authority
) -> None:
    trust = Trust(FAR, environ=leave(tmp_path, FAR, certificate.own))
    authority.files(tmp_path, "events.example")
    certificate.renew()
    leave(tmp_path, FAR, certificate.own)
    async with listening(certificate) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await shown(port, trust.context)
        trust.look_again()
        assert await shown(port, trust.context)


async def test_so_is_one_that_is_left_in_a_folder_of_ones_own(
    tmp_path: Path, certificate: Certificate, authority: Authority
) -> None:
    leave(tmp_path, FAR, certificate.own)
    (tmp_path / "usual").mkdir()
    trust = Trust(FAR, tmp_path, {"SLOWPING_DATA": str(tmp_path / "usual")})
    async with listening(certificate) as port:
        assert await shown(port, trust.context)
        authority.files(tmp_path, "events.example")
        certificate.renew()
        leave(tmp_path, FAR, certificate.own)
        trust.look_again()
        assert await shown(port, trust.context)


async def test_elsewhere_an_authority_has_to_vouch_for_the_name(
    tmp_path: Path, certificate: Certificate, authority: Authority, clock: FrozenClock
) -> None:
    (tmp_path / "other").mkdir()
    local = Certificate(*authority.files(tmp_path / "other", LOCALHOST), clock)
    believer = Trust(FAR, environ={}).context
    believer.load_verify_locations(authority.file)
    async with listening(local) as port:
        assert await shown(port, believer)
        with pytest.raises(ssl.SSLCertVerificationError):
            await shown(port, Trust(FAR, environ={}).context)
    async with listening(certificate) as port:
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await shown(port, believer)


@pytest.mark.parametrize(
    "left",
    [
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nx",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "é",
    ],
)
def test_what_is_left_and_is_no_certificate_counts_for_nothing(tmp_path: Path, left: str) -> None:
    trust = Trust(FAR, environ=leave(tmp_path, FAR, left))
    assert trust.context.check_hostname


def test_authorities_are_those_that_a_variable_names_and_no_others(
    tmp_path: Path, authority: Authority
) -> None:
    usual = Trust(FAR, environ={"SLOWPING_DATA": str(tmp_path)})
    own = Trust(FAR, environ={"SLOWPING_DATA": str(tmp_path), "SSL_CERT_FILE": str(authority.file)})
    assert len(usual.context.get_ca_certs()) > len(own.context.get_ca_certs())


def test_without_tls_nothing_is_trusted_and_nothing_loaded() -> None:
    trust = Trust("http://127.0.0.1:7464", environ={})
    assert trust.context.get_ca_certs() == []
    assert trust.context.verify_mode is ssl.CERT_REQUIRED

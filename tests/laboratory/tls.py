"""Certificates that nobody should accept, and an authority that those who test here believe."""

import datetime as dt
import ssl
import warnings
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME: Final = "far.example"
"""What the far sides of the laboratory are called."""

_DAY: Final = dt.timedelta(days=1)


class _Signed(msgspec.Struct, frozen=True):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """Signs certificates for servers; `believers` is what a client needs to accept them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own = _sign("slowping laboratory", None, valid_for=_DAY, is_authority=True)
        self._file = folder / "authority.pem"
        self._file.write_bytes(_pem(self._own.certificate))

    def believers(self) -> ssl.SSLContext:
        """A client's context that trusts this authority and no other."""
        return ssl.create_default_context(cafile=self._file)

    def well(self) -> ssl.SSLContext:
        """A server's context with a certificate as it should be."""
        return self._context(_sign(NAME, self._own, valid_for=_DAY))

    def wrong_name(self) -> ssl.SSLContext:
        """... that is another server's."""
        return self._context(_sign("other.example", self._own, valid_for=_DAY))

    def expired(self) -> ssl.SSLContext:
        """... that was good until an hour ago."""
        return self._context(_sign(NAME, self._own, valid_for=-dt.timedelta(hours=1)))

    def self_signed(self) -> ssl.SSLContext:
        """... that vouches for itself."""
        return self._context(_sign(NAME, None, valid_for=_DAY))

    def files(self, folder: Path, name: str = NAME) -> tuple[Path, Path]:
        """A certificate as it should be and its key, in the two files that a server is given."""
        signed = _sign(name, self._own, valid_for=_DAY)
        certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
        certificate.write_bytes(_pem(signed.certificate) + _pem(self._own.certificate))
        key.write_bytes(_private_pem(signed.key))
        key.chmod(0o600)
        return certificate, key

    @property
    def file(self) -> Path:
        """Its own certificate, for a client to trust."""
        return self._file

    def outdated(self) -> ssl.SSLContext:
        """A server that speaks nothing newer than TLS 1.0."""
        context = self.well()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore"):  # it is deprecated, that is the point
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1
        return context

    def _context(self, signed: _Signed) -> ssl.SSLContext:
        file = self._folder / f"{signed.certificate.serial_number}.pem"
        file.write_bytes(_private_pem(signed.key) + _pem(signed.certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _sign(
    name: str, issuer: _Signed | None, *, valid_for: dt.timedelta, is_authority: bool = False
) -> _Signed:
    """A certificate that ends so long from now, and its key; by itself where nobody issues it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(name)
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * _DAY)
        .not_valid_after(now + valid_for)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    return _Signed(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

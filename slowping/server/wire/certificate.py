"""Show a certificate of the operator's own, and take a renewed one without a restart."""

import asyncio
import logging
import os
import pathlib
import ssl
import stat
from collections.abc import Callable
from typing import Final, NoReturn

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from slowping.core import errors, times
from slowping.server.clock import Clock
from slowping.server.log import Fact

logger = logging.getLogger("slowping.certificate")

LOOK_EVERY_S: Final = 10.0

_Seen = tuple[tuple[int, ...], ...]


class Certificate:
    """The certificate and the key in two files, or in one."""

    def __init__(self, file: pathlib.Path, key_file: pathlib.Path | None, clock: Clock) -> None:
        """Load them.

        Raises:
            ConfigError: they cannot be used; the text names the option.
        """
        self._file, self._key_file, self._clock = file, key_file, clock
        self.context: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._seen = self._look()
        self._take(self.context)
        self._shown = self._read()

    @property
    def own(self) -> str:
        """The server's own certificate in PEM, without those of its authorities."""
        return self._shown.public_bytes(Encoding.PEM).decode()

    @property
    def until(self) -> int:
        """The last moment at which it is good, in UTC milliseconds."""
        return times.to_ms(self._shown.not_valid_after_utc)

    def tell(self) -> None:
        """Log which one is shown."""
        late = self.until < self._clock.now_ms()
        told = "the certificate has expired" if late else "shows a certificate"
        fact = Fact(told, file=str(self._file), until=times.iso_s(self.until))
        logger.log(logging.WARNING if late else logging.INFO, fact)

    async def keep_true(self, renewed: Callable[[], None]) -> None:
        """Take the files whenever they have changed, for ever; `renewed` hears of it.

        What cannot be used is told once, and the one that is there is shown until it can.
        """
        while True:
            await self._clock.wait(asyncio.Event(), LOOK_EVERY_S)
            try:
                if self.renew():
                    renewed()
            except errors.ConfigError as problem:
                logger.warning(Fact("cannot take the renewed certificate", reason=str(problem)))

    def renew(self) -> bool:
        """Take the files if they have changed since they were looked at; whether they have.

        Raises:
            ConfigError: they cannot be used. That is said once for each change.
        """
        seen = self._look()
        if seen == self._seen:
            return False
        self._seen = seen
        # Key and certificate are not replaced in one moment: nothing is shown that does not fit.
        self._take(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        found = self._read()
        self._take(self.context)
        self._shown = found
        self.tell()
        return True

    def _look(self) -> _Seen:
        # Files that become readable, or are closed to others, change in nothing but their ctime.
        return tuple(
            (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
            for option, file in (("tls_certificate", self._file), ("tls_key", self._key_file))
            if file is not None
            for found in [_found(option, file)]
        )

    def _take(self, context: ssl.SSLContext) -> None:
        if self._key_file is None:
            _require_key(self._file)
        secret = self._key_file or self._file
        if _found("tls_key", secret).st_mode & stat.S_IROTH:
            raise errors.ConfigError(
                f"server.tls_key: everybody on this machine can read {secret}. "
                f"Run: chmod o= {secret}"
            )
        try:
            context.load_cert_chain(self._file, self._key_file, password=_encrypted)
        except ssl.SSLError as error:
            raise errors.ConfigError(self._why_not(error)) from error
        except OSError as error:
            whole = os.access(self._file, os.R_OK)
            option, file = ("tls_key", self._key_file) if whole else ("tls_certificate", self._file)
            raise _unreadable(option, file or self._file, error) from error

    def _why_not(self, error: ssl.SSLError) -> str:
        if error.reason == "KEY_VALUES_MISMATCH":
            return (
                f"server.tls_key: {self._key_file or self._file} is not the key of the certificate "
                f"in {self._file}."
            )
        if self._key_file is None:
            return (
                f"server.tls_certificate: {self._file} has to hold a certificate and its key in "
                "PEM. Name the key in server.tls_key if it lies in another file."
            )
        return (
            f"server.tls_certificate: {self._file} and {self._key_file} have to hold a certificate "
            "and its key in PEM."
        )

    def _read(self) -> x509.Certificate:
        try:
            return x509.load_pem_x509_certificate(self._file.read_bytes())
        except OSError as error:
            raise _unreadable("tls_certificate", self._file, error) from error
        except ValueError as error:
            raise errors.ConfigError(
                f"server.tls_certificate: {self._file} is no certificate in PEM."
            ) from error


def _found(option: str, file: pathlib.Path) -> os.stat_result:
    try:
        return file.stat()
    except OSError as error:
        raise _unreadable(option, file, error) from error


def _require_key(file: pathlib.Path) -> None:
    """See that a file with a certificate, which everybody may read, holds its key as well."""
    try:
        held = file.read_bytes()
    except OSError as error:
        raise _unreadable("tls_certificate", file, error) from error
    if b"CERTIFICATE-----" in held and b"PRIVATE KEY-----" not in held:
        raise errors.ConfigError(
            f"server.tls_key is missing: {file} holds a certificate without its key. "
            "Name the file that holds the key."
        )


def _encrypted() -> NoReturn:
    raise errors.ConfigError(
        "server.tls_key: the key is encrypted, and nobody is there to be asked for its "
        "passphrase. Store it without one, in a file that only the server may read."
    )


def _unreadable(option: str, file: pathlib.Path, error: OSError) -> errors.ConfigError:
    return errors.ConfigError(f"server.{option}: cannot read {file}: {error.strerror}.")

"""Decide which certificate a server may show: its own on this machine, else one that is trusted."""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from slowping.client import whereabouts
from slowping.core import errors

_OTHERS: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables of OpenSSL that name what is trusted instead of what is usual."""


class Trust:
    """What one server is recognised by.

    A server on this machine leaves its certificate in its data folder. Whoever can read that folder
    needs no other proof, and no name: the certificate is made out to a public one, or to nobody.
    """

    def __init__(
        self,
        server: str,
        data: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """`data` is the folder, where it is not the usual one of this machine."""
        self._server = server
        self._data = data
        self._environ = os.environ if environ is None else environ
        self._own = self._left()
        self.context: Final = self._made()

    def look_again(self) -> None:
        """Trust, from the next connection on, what the server shows since it was renewed."""
        if self._own is None:
            return
        renewed = self._left()
        if renewed and renewed != self._own:
            self._own = renewed
            self.context.load_verify_locations(cadata=renewed)

    def _left(self) -> str | None:
        """What the server has left on this machine, if it is one in need of it."""
        if not _is_secure(self._server):
            return None
        try:
            left = whereabouts.certificate_of(self._server, self._data, self._environ)
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=left or "")
        except (errors.ConfigError, ssl.SSLError, TypeError, ValueError):
            return None
        return left

    def _made(self) -> ssl.SSLContext:
        if not _is_secure(self._server):
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; to fill it takes a while
        if self._own is not None:
            context = ssl.create_default_context(cadata=self._own)
            context.check_hostname = False
            # It need not lead to an authority: it is the very one.
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            return context
        context = ssl.create_default_context()
        if not any(map(self._environ.get, _OTHERS)):
            import certifi  # systems without authorities of their own are not rare in containers

            context.load_verify_locations(cafile=certifi.where())
        return context


def complaint(error: BaseException | None) -> str | None:
    """What is wrong with a server's TLS, in words; None where it is something else."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({error.verify_message}). SSL_CERT_FILE can name a "
            "file with that of its authority"
        )
    return None if error is None else "it speaks no TLS as we know it. Is the address right?"


def is_of_trust(error: BaseException | None) -> bool:
    """Whether a certificate was refused."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_secure(server: str) -> bool:
    return server.lower().startswith("https:")

"""Mails are handed to a server that others wrote: Postfix's smtp-sink, where it is installed."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator

import pytest

from slowping.config import EmailSection
from slowping.core.delivery import Delivered, Outcome, Rejected, Retry, Unusable
from slowping.notifiers.email import Email
from slowping.notifiers.email.account import EmailSettings
from tests.acceptance.eventually import eventually
from tests.acceptance.program import signalled
from tests.notifiers.samples import bug, tools

SINK = shutil.which("smtp-sink", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""

pytestmark = pytest.mark.skipif(not SINK, reason="smtp-sink (Debian's postfix) is not installed")


@contextlib.asynccontextmanager
async def sink(*options: str) -> AsyncIterator[int]:
    """A sink with these options; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    # It refuses to stay root.
    user = () if os.geteuid() else ("-u", "nobody")
    process = await asyncio.create_subprocess_exec(SINK, *user, *options, f"127.0.0.1:{port}", "8")

    def listens() -> bool:
        assert process.returncode is None
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        return False

    try:
        await eventually(listens)
        yield port
    finally:
        signalled(process, signal.SIGKILL)
        await process.wait()


@pytest.mark.parametrize(
    ("options", "kind", "unknown"),
    [
        ((), Delivered, False),
        (("-r", "mail"), Retry, False),
        (("-r", "rcpt"), Retry, False),
        (("-r", "data"), Retry, False),
        (("-r", "."), Retry, False),
        (("-f", "mail"), Unusable, False),
        (("-f", "rcpt"), Unusable, False),
        (("-f", "data"), Rejected, False),
        (("-f", "."), Rejected, False),
        (("-Q", "rcpt"), Retry, False),
        (("-q", "rcpt"), Retry, False),
        (("-q", "data"), Retry, True),
        (("-q", "."), Retry, True),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else None,
)
async def test_what_postfix_says_means_what_it_should(
    options: tuple[str, ...], kind: type[Outcome], unknown: bool
) -> None:
    async with sink(*options) as port:
        settings = EmailSettings(to="me@example.test", host="127.0.0.1", port=port, tls="plain")
        outcome = await Email(tools(EmailSection())).deliver([bug()], settings)
    assert isinstance(outcome, kind)
    assert getattr(outcome, "unknown", False) is unknown

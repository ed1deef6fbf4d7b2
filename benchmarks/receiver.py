"""The far side of webhooks: answers at once, and tells when each message has arrived.

Whoever posts to `/full` has had enough: from then on every message is put off for an hour.
"""

import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

_arrivals = os.open(os.environ["BENCH_ARRIVALS"], os.O_WRONLY)
_answer: MutableMapping[str, Any] = {
    "type": "http.response.start",
    "status": 204,
    "headers": [],
}


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Answer whatever comes; of each POST, write the moment when all of it was there."""
    while (await receive()).get("more_body"):
        pass
    if scope.get("method") == "POST":
        os.write(_arrivals, b"%d\n" % time.monotonic_ns())
        if scope["path"] == "/full":
            _answer.update(status=429, headers=[(b"retry-after", b"3600")])
    await send(_answer)
    await send({"type": "http.response.body", "body": b""})

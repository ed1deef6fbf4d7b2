"""A self-hosted event inbox: takes events in over HTTP, keeps them, delivers them everywhere.

`from slowping import send`, then `send("sale", "New sale!", fields={"amount": 49.99})`, sends an
event from any program.
"""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from slowping.client.client import Client
    from slowping.client.logging_handler import SlowpingHandler
    from slowping.client.sender import Sender, flush, send

__version__ = "0.1.0"

__all__ = ["Client", "Sender", "SlowpingHandler", "flush", "send"]

_HOMES: Final = {
    "Client": "slowping.client.client",
    "Sender": "slowping.client.sender",
    "SlowpingHandler": "slowping.client.logging_handler",
    "flush": "slowping.client.sender",
    "send": "slowping.client.sender",
}


def __getattr__(name: str) -> object:
    """Load what is asked for, so that importing one floor never loads another."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

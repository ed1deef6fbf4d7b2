"""The SDK: clients of the server's HTTP API; importing it loads no server.

`client.py` has one async method for each operation, and `stream.py` follows the feed; `sender.py`
sends events from programs that have other things to do, `logging_handler.py` their log records;
`errors.py` turns refusals back into conditions.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slowping.client.client import Client, all_items

__all__ = ["Client", "all_items"]


def __getattr__(name: str) -> object:
    """Load the async client when it is asked for: a sender does without it."""
    if name in __all__:
        return getattr(importlib.import_module("slowping.client.client"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The SDK: an async client of the server's HTTP API; importing it loads no server.

`client.py` has one method for each operation, `errors.py` turns refusals back into conditions.
"""

from slowping.client.client import Client, all_items

__all__ = ["Client", "all_items"]

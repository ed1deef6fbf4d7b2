"""Word what every request to the server's API begins with: its path, its key, its promises."""

from typing import Final

import slowping

PREFIX: Final = "/slowping/v1"


def standing(api_key: str | None) -> dict[str, str]:
    """The headers of every request."""
    headers = {"user-agent": f"slowping/{slowping.__version__}"}
    if api_key is not None:
        headers["authorization"] = f"Bearer {api_key}"
    return headers


def quoted(idempotency_key: str) -> str:
    """The key as a quoted string, so that quotes and spaces at its ends survive."""
    escaped = idempotency_key.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

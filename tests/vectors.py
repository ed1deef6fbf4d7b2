"""Test vectors that several floors share: addresses, headers and texts that bite."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_VECTORS: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "vectors.json").read_text(encoding="utf-8")
)


def vectors(*path: str) -> Any:  # whatever JSON stands there
    """What stands in the file at a path such as `("ssrf", "must_allow")`."""
    found: Any = _VECTORS
    for name in path:
        found = found[name]
    return found


def hostile_body(vector: Mapping[str, Any]) -> bytes:
    """The bytes that a vector of a body stands for."""
    if "bytes_hex" in vector:
        return bytes.fromhex(vector["bytes_hex"])
    if "text" in vector:
        return str(vector["text"]).encode()
    how = vector["generator"]
    if "keys" in how:
        return b"{%s}" % b",".join(b'"k%d":0' % number for number in range(how["keys"]))
    close = how.get("close_once") or how.get("close", "") * how["count"]
    start: str = how.get("prefix", "") + how["repeat"] * how["count"]
    text: str = start + how.get("middle", "") + close
    return text.encode()

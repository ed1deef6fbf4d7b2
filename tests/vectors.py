"""Test vectors that several floors share: addresses, headers and texts that bite."""

import json
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

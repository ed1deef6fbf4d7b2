"""Write an event down as JSON, whatever its fields hold."""

import datetime as dt
import json
from collections.abc import Mapping, Set
from typing import Any

from slowping.core import errors


def written(event: Mapping[str, Any]) -> bytes:
    """The event as JSON; what JSON has no word for becomes text.

    Raises:
        InvalidInput: it contains itself, nests without end, or has a name that is no text.
    """
    try:
        try:
            text = _dumps(event, allow_nan=False)
        except ValueError:
            # What is no number for JSON goes by its name.
            infinite = _dumps(event, allow_nan=True)
            text = _dumps(json.loads(infinite, parse_constant=str), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as flaw:
        raise errors.InvalidInput(f"This event cannot be written as JSON: {flaw}.") from None
    # Half of a surrogate pair, as in the name of a file that is not UTF-8, becomes a mark.
    return text.encode("utf-8", "replace")


def _dumps(event: object, *, allow_nan: bool) -> str:
    return json.dumps(
        event, allow_nan=allow_nan, ensure_ascii=False, separators=(",", ":"), default=_plain
    )


def _plain(value: Any) -> Any:  # JSON, or something that becomes it
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        return list(value)
    return str(value)

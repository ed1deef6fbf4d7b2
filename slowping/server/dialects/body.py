"""Turn a request body into wire structs, and whatever is wrong with it into two conditions.

Whether a body is JSON is judged before whether it is the right JSON: a typed decode stops at the
first thing it dislikes, so a body that it refuses is read once more as a whole.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from slowping.core import errors
from slowping.core.event import MAX_DEPTH, MAX_FIELDS

_Wire = TypeVar("_Wire")

# UnicodeDecodeError is a ValueError, and so are msgspec's errors, among them numbers that no
# float can hold. RecursionError comes at about 1,000 levels, from members that are skipped too.
_MALFORMED = (ValueError, RecursionError)

# Fields stand up to three levels inside a body, and their own depth is checked where they are
# tidied; this is for everything that is not stored.
_ROOM = MAX_DEPTH + 3


def decode(
    body: bytes,
    decoder: msgspec.json.Decoder[_Wire],
    explain: Callable[[Any], errors.InvalidInput],
) -> _Wire:
    """The body as the decoder's type.

    Where it is JSON of another shape, `explain` gets the whole of it and says what is wrong.

    Raises:
        InvalidJson: it is not JSON, or nests too deep.
        InvalidInput: `explain` made it, or there are too many members.
    """
    try:
        # Through text: msgspec does not look at the UTF-8 of members that it skips.
        return decoder.decode(body.decode())
    except msgspec.ValidationError:
        pass
    except _MALFORMED:
        raise errors.InvalidJson from None
    raise explain(whole(body))


def whole(body: bytes) -> Any:  # any JSON value
    """The body as plain JSON values, within the limits.

    Raises:
        InvalidJson: it is not JSON, or nests too deep.
        InvalidInput: it is an object of more than `MAX_FIELDS` members.
    """
    try:
        value = msgspec.json.decode(body.decode())
    except _MALFORMED:
        raise errors.InvalidJson from None
    if isinstance(value, dict) and len(value) > MAX_FIELDS:
        raise errors.InvalidInput(f"The body has at most {MAX_FIELDS} members.")
    _check_depth(value, _ROOM)
    return value


def check_members(body: bytes) -> None:
    """Hold an object to the limits on members, those that its dialect ignores included.

    Raises:
        InvalidJson: it nests too deep.
        InvalidInput: it has more than `MAX_FIELDS` members.
    """
    # Counting bytes is nearly free, and a body without that many braces and colons keeps the
    # limits for sure; only the others are looked at properly.
    if body.count(b"{") + body.count(b"[") > _ROOM or body.count(b":") > MAX_FIELDS:
        whole(body)


def _check_depth(value: Any, room: int) -> None:
    if not isinstance(value, dict | list):
        return
    if room == 0:
        raise errors.InvalidJson
    for inner in value.values() if isinstance(value, dict) else value:
        _check_depth(inner, room - 1)

"""Turn a request body into wire structs, and whatever is wrong with it into two conditions.

Whether a body is JSON is judged before whether it is the right JSON: a typed decode stops at the
first thing it dislikes, so a body that it refuses is read once more as a whole.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from slowping.core import errors
from slowping.core.event import MAX_DEPTH, MAX_FIELDS
from slowping.server import http

_Wire = TypeVar("_Wire")

# UnicodeDecodeError is a ValueError, and so are msgspec's errors, among them numbers that no
# float can hold. RecursionError comes at about 1,000 levels, from members that are skipped too.
_MALFORMED = (ValueError, RecursionError)

# Fields stand up to three levels inside a body, and their own depth is checked where they are
# tidied; this is for everything that is not stored.
_ROOM = MAX_DEPTH + 3

_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode(
    body: bytes,
    decoder: msgspec.json.Decoder[_Wire],
    explain: Callable[[Any], errors.InvalidInput],
) -> _Wire:
    """The body as the decoder's type.

    Where it is JSON of another shape, `explain` gets the whole of it and says what is wrong.

    Raises:
        InvalidJson: it is not JSON, nests too deep, or has too many arrays and objects.
        InvalidInput: `explain` made it, or there are too many members.
    """
    if http.is_crowded(body):
        raise errors.InvalidJson
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
        InvalidJson: it is not JSON, nests too deep, or has too many arrays and objects.
        InvalidInput: it is an object of more than `MAX_FIELDS` members.
    """
    if http.is_crowded(body):
        raise errors.InvalidJson
    try:
        value = msgspec.json.decode(body.decode())
    except _MALFORMED:
        raise errors.InvalidJson from None
    if isinstance(value, dict) and len(value) > MAX_FIELDS:
        raise errors.InvalidInput(f"An object has at most {MAX_FIELDS} members.")
    _check_depth(value, _ROOM)
    return value


def check_members(body: bytes) -> None:
    """Hold an object to the limits on members, those that its dialect ignores included.

    Raises:
        InvalidJson: it nests too deep.
        InvalidInput: it has more than `MAX_FIELDS` members.
    """
    if not _is_modest(body):
        whole(body)


def check_items(body: bytes) -> None:
    """Hold each item of an array to the limits on members, as `check_members` does an object.

    Raises:
        InvalidJson: one nests too deep.
        InvalidInput: one has more than `MAX_FIELDS` members.
    """
    if _is_modest(body):
        return
    # Thousands of them may be in order, so each is looked at only if it needs to be.
    for item in _ITEMS.decode(body):
        check_members(bytes(item))


def check_envelope(body: bytes, name: str) -> None:
    """Hold an object to the limits on members, and each item of the array `name` in it by itself.

    Raises:
        InvalidJson: something nests too deep.
        InvalidInput: the object, or an item, has more than `MAX_FIELDS` members.
    """
    if _is_modest(body):
        return
    members = _MEMBERS.decode(body)
    check_items(bytes(members[name]))
    check_members(msgspec.json.encode({**members, name: None}))


def _is_modest(body: bytes) -> bool:
    """Whether the body keeps the limits for sure: it has not even that many braces and colons.

    Counting bytes is nearly free; only what may be beyond the limits is looked at properly.
    """
    return body.count(b"{") + body.count(b"[") <= _ROOM and body.count(b":") <= MAX_FIELDS


def _check_depth(value: Any, room: int) -> None:
    if not isinstance(value, dict | list):
        return
    if room == 0:
        raise errors.InvalidJson
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            _check_depth(inner, room - 1)

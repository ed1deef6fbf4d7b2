"""What msgspec itself says is put into words: a new release of it must not undo that."""

import datetime as dt
from typing import Annotated, Any

import msgspec
import pytest

from slowping.core import channel, project, wording


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """What a body might be."""

    need: int
    name: project.Name = "a"
    origin: project.Origin = "https://example.org"
    outlet: channel.Name = "a"
    short: Annotated[str, msgspec.Meta(min_length=1, max_length=5)] = "a"
    some: Annotated[list[Any], msgspec.Meta(max_length=1)] = []
    at: dt.datetime | None = None
    quota: Annotated[int, msgspec.Meta(ge=1)] | None = None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "a b"}, "takes letters, digits, - and _, at most 64"),
        ({"outlet": "a b"}, "takes letters, digits, - _ . and @, at most 100"),
        ({"origin": "example.org"}, "takes a web origin such as https://example.org,"),
        ({"name": 1}, "takes text, not a whole number"),
        ({"short": ""}, "takes text of at least 1 character"),
        ({"short": "abcdef"}, "takes text of at most 5 characters"),
        ({"some": [1, 2]}, "takes a list of at most 1 item"),
        ({"at": "tomorrow"}, "takes a date with its offset, such as 2026-03-06T10:30:00Z"),
        ({"at": []}, "takes a date, not a list"),
        ({"quota": 0}, "takes a whole number of at least 1"),
        ({"need": None}, "takes a whole number, not nothing"),
        ({"nmae": "a"}, "there is no field 'nmae'"),
    ],
)
def test_a_flaw_is_put_into_words(given: dict[str, Any], words: str) -> None:
    assert flaw({"need": 1} | given).startswith(words)


def test_a_missing_member_is_named() -> None:
    assert flaw({}) == "the field 'need' is missing"


def flaw(given: dict[str, Any]) -> str:
    with pytest.raises(msgspec.ValidationError) as found:
        msgspec.json.decode(msgspec.json.encode(given), type=Wanted)
    return wording.reworded(str(found.value).partition(" - at ")[0])

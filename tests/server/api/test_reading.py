import msgspec
import pytest

from slowping.core import errors
from slowping.core.event import NewEvent
from slowping.server import http
from slowping.server.api import reading


class Tolerant(msgspec.Struct):
    """A body that may have members which nobody reads."""


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer  abc "}, "abc"),
        ({"x-api-key": " abc "}, "abc"),
        ({"authorization": "Bearer abc", "x-api-key": "other"}, "abc"),
    ],
)
def test_a_key_is_found_in_either_header(headers: dict[str, str], key: str) -> None:
    assert reading.credential(headers) == key


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{} x",
        b'{"more":"\xff"}',
        b'{"more":"\xed\xa0\x80"}',
        b'{"more":%s%s}' % (b"[" * 5_000, b"]" * 5_000),
    ],
    ids=lambda body: str(body)[:30],
)
def test_a_body_is_json_in_members_too_that_nobody_reads(body: bytes) -> None:
    with pytest.raises(errors.InvalidJson):
        reading.body(body, msgspec.json.Decoder(Tolerant))


def test_a_body_in_no_utf8_is_no_json_whatever_else_is_wrong_with_it() -> None:
    with pytest.raises(errors.InvalidJson):
        reading.body(b'{"desription":"\xff"}', msgspec.json.Decoder(NewEvent))


def test_a_body_of_too_many_arrays_and_objects_is_told_so() -> None:
    body = b'{"more":[%s]}' % b",".join([b"[]"] * http.MAX_CONTAINERS)
    with pytest.raises(errors.InvalidInput, match=r"at most 20,000 arrays and objects\."):
        reading.body(body, msgspec.json.Decoder(Tolerant))


@pytest.mark.parametrize(
    "name", ["x" * 900_000, " - at `$[" + "1" * 5_000 + "]", " - at `$" + ".a" * 400_000]
)
def test_a_flaw_repeats_no_name_at_length_and_takes_none_for_a_place(name: str) -> None:
    body = msgspec.json.encode({"category": "sale", name: 1})
    with pytest.raises(errors.InvalidInput) as refusal:
        reading.body(body, msgspec.json.Decoder(NewEvent))
    assert len(str(refusal.value)) < 2_000
    assert len(str(refusal.value.issues)) < 2_000

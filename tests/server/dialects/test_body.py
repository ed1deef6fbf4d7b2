from typing import Any

import msgspec
import pytest

from slowping.core import errors
from slowping.server import http
from slowping.server.dialects.body import check_members, decode, whole


class Wire(msgspec.Struct):
    """What a dialect would ask for."""

    name: str


DECODER = msgspec.json.Decoder(Wire)


def explain(value: Any) -> errors.InvalidInput:
    return errors.InvalidInput(f"a {type(value).__name__}")


def test_a_good_body_becomes_the_struct() -> None:
    assert decode(b'{"name":"x","more":1}', DECODER, explain) == Wire(name="x")


def test_json_of_another_shape_is_explained_from_the_whole_value() -> None:
    with pytest.raises(errors.InvalidInput, match="a list"):
        decode(b"[1, 2]", DECODER, explain)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"{",
        b'{"name":"x"} x',
        b'{"name":"x",}',
        b'{"name":1,}',  # wrong type first, broken later
        b'{"name":1} x',
        b'{"name":NaN}',
        b'{"name":1e999}',
        b'{"name":"\xff"}',
        b'{"name":"x","more":"\xff"}',
        b'{"name":"\xed\xa0\x80"}',
        b'{"name":"\\ud800"}',
        b'{"name":"\x01"}',
        b"{\x00}\x00",
        b"[" * 2000 + b"]" * 2000,
        b"[" * 100_000,
        b'{"a":' * 3000 + b"1" + b"}" * 3000,
        b'{"name":"x","a":' + b"[" * 3000 + b"]" * 3000 + b"}",
        b'{"name":' + b"9" * 5000 + b"}",
        b'{"name":1,"a":' + b"[" * 40 + b"]" * 40 + b"}",
    ],
)
def test_what_is_no_json_is_told_apart_from_what_is_the_wrong_json(body: bytes) -> None:
    with pytest.raises(errors.InvalidJson):
        decode(body, DECODER, explain)


def test_duplicate_members_count_once_and_the_last_one_wins() -> None:
    assert decode(b'{"name":"x","name":"y"}', DECODER, explain) == Wire(name="y")


def test_an_object_has_a_hundred_members_at_most() -> None:
    members = ",".join(f'"k{number}":0' for number in range(101))
    with pytest.raises(errors.InvalidInput, match="at most 100"):
        whole(f"{{{members}}}".encode())


def test_members_that_nobody_reads_are_counted_too() -> None:
    check_members(b"{%s}" % b",".join(b'"k%d":0' % number for number in range(100)))
    with pytest.raises(errors.InvalidInput):
        check_members(b"{%s}" % b",".join(b'"k%d":0' % number for number in range(101)))


def test_members_that_nobody_reads_may_not_nest_too_deep() -> None:
    check_members(b'{"a":%s%s}' % (b"[" * 32, b"]" * 32))
    with pytest.raises(errors.InvalidJson):
        check_members(b'{"a":%s%s}' % (b"[" * 40, b"]" * 40))


def test_many_braces_side_by_side_are_not_deep() -> None:
    check_members(b'{"a":[%s]}' % b",".join([b"{}"] * 500))


CROWD = b",".join([b"[]"] * http.MAX_CONTAINERS)


@pytest.mark.parametrize("body", [b'{"name":"x","more":[%s]}' % CROWD, b"[%s]" % CROWD])
def test_a_body_of_too_many_arrays_and_objects_is_not_read(body: bytes) -> None:
    with pytest.raises(errors.InvalidJson):
        decode(body, DECODER, explain)
    with pytest.raises(errors.InvalidJson):
        whole(body)

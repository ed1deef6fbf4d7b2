import pytest

from slowping.server.dialects import choice

KEY = b"Bearer k"
LIMIT = 64 * 1024

PANDA_BODY = b'{"category":"sale"}'
ARRAY = b'[{"source":"a","event_type":"b","data":{}}]'
BATCH = b'{"source":"a","events":[{"type":"b","data":{}}]}'


@pytest.mark.parametrize(
    ("authorization", "api_key", "name"),
    [
        (KEY, None, "pingpanda"),
        (KEY, b"", "pingpanda"),
        (KEY, b"  ", "pingpanda"),
        (b"anything", None, "pingpanda"),
        (None, b"k", "adwize"),
        (b"", b"k", "adwize"),
        (b" \t", b"k", "adwize"),
    ],
)
@pytest.mark.parametrize("body", [PANDA_BODY, ARRAY, b""])
def test_one_header_alone_decides_whatever_the_body(
    authorization: bytes | None, api_key: bytes | None, name: str, body: bytes
) -> None:
    assert choice.chosen(authorization, api_key, body) == name


@pytest.mark.parametrize(("authorization", "api_key"), [(KEY, b"k"), (None, None), (b" ", b"")])
@pytest.mark.parametrize(
    ("body", "name"),
    [
        (ARRAY, "adwize"),
        (b"[", "adwize"),
        (b" \r\n\t[]", "adwize"),
        (b" \n" + BATCH, "adwize"),
        (BATCH, "adwize"),
        (b'{"events":[]}', "adwize"),
        (b'{"events":[],"category":"sale"}', "pingpanda"),
        (b'{"events":[],"category":null}', "pingpanda"),
        (b'{"events":{}}', "pingpanda"),
        (b'{"events":null}', "pingpanda"),
        (b'{"events":[}', "pingpanda"),
        (b'{"events":[1,', "pingpanda"),
        (b'{"events":[],"x":"\xff"', "pingpanda"),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "pingpanda"),
        (PANDA_BODY, "pingpanda"),
        (b"{", "pingpanda"),
        (b'"["', "pingpanda"),
        (b"1", "pingpanda"),
        (b"", "pingpanda"),
        (b"   ", "pingpanda"),
    ],
)
def test_the_body_decides_where_both_headers_or_neither_is_there(
    authorization: bytes | None, api_key: bytes | None, body: bytes, name: str
) -> None:
    assert choice.chosen(authorization, api_key, body) == name


@pytest.mark.parametrize(
    ("size", "name"), [(LIMIT, "adwize"), (LIMIT + 1, "pingpanda")], ids=["at", "above"]
)
def test_an_object_is_looked_into_up_to_64_kib(size: int, name: str) -> None:
    body = BATCH.ljust(size)
    assert choice.chosen(None, None, body) == name


def test_a_long_array_is_known_by_its_first_byte() -> None:
    assert choice.chosen(None, None, ARRAY.ljust(2 * LIMIT)) == "adwize"


@pytest.mark.parametrize(
    ("authorization", "api_key", "name"),
    [
        (KEY, None, "pingpanda"),
        (KEY, b" ", "pingpanda"),
        (None, b"k", "adwize"),
        (KEY, b"k", "adwize"),
        (None, None, "adwize"),
    ],
)
def test_other_methods_are_adwizes_unless_only_a_bearer_is_there(
    authorization: bytes | None, api_key: bytes | None, name: str
) -> None:
    assert choice.chosen_to_list(authorization, api_key) == name


@pytest.mark.parametrize(
    ("path", "headers", "name"),
    [
        ("/api/slowstats/nothing", {}, "slowstats"),
        ("/api/slowhooks/send-discord-webhook", {}, "slowstats"),
        ("/v1/nothing", {}, "intake"),
        ("/api/v1/nothing", {b"x-api-key": b"k"}, "adwize"),
        ("/api/v1/nothing", {b"x-api-key": b"k", b"authorization": KEY}, "pingpanda"),
        ("/api/v1/nothing", {b"authorization": KEY}, "pingpanda"),
        ("/api/v1/nothing", {}, "pingpanda"),
        ("/api/nothing", {b"x-api-key": b"k"}, "pingpanda"),
        ("/nothing", {}, "pingpanda"),
        ("", {}, "pingpanda"),
    ],
)
def test_unknown_paths_are_answered_by_the_nearest_dialect(
    path: str, headers: dict[bytes, bytes], name: str
) -> None:
    assert choice.nearest(path, headers) == name

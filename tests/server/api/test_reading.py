import pytest

from slowping.core import errors
from slowping.server.api import reading


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
    ("given", "key"),
    [
        ("order-7", "order-7"),
        ('"order-7"', "order-7"),
        ('" a \\"b\\" \\\\ "', ' a "b" \\ '),
        ('"', '"'),
        ("x" * 255, "x" * 255),
    ],
)
def test_an_idempotency_key_is_bare_or_quoted(given: str, key: str) -> None:
    assert reading.idempotency_key({"idempotency-key": given}) == key


def test_without_the_header_there_is_no_idempotency_key() -> None:
    assert reading.idempotency_key({}) is None


@pytest.mark.parametrize("given", ["", '""', "x" * 256, "a\x7f", "ä"])
def test_what_is_no_idempotency_key_is_refused(given: str) -> None:
    with pytest.raises(errors.InvalidInput):
        reading.idempotency_key({"idempotency-key": given})

import pytest

from slowping.core import errors
from slowping.server import http


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
    assert http.idempotency_key({b"idempotency-key": given.encode("latin-1")}) == key


def test_without_the_header_there_is_no_idempotency_key() -> None:
    assert http.idempotency_key({}) is None


@pytest.mark.parametrize("given", ["", '""', "x" * 256, "a\x7f", "ä"])
def test_what_is_no_idempotency_key_is_refused(given: str) -> None:
    with pytest.raises(errors.InvalidInput):
        http.idempotency_key({b"idempotency-key": given.encode("latin-1")})

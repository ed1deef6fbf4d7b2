import pytest

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

import msgspec

from slowping.core.page import Page


def test_the_last_page_says_so_by_having_no_cursor() -> None:
    assert msgspec.json.encode(Page(items=(1, 2))) == b'{"items":[1,2],"cursor":null}'

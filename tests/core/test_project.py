import msgspec
import pytest

from slowping.core.project import NewProject


@pytest.mark.parametrize("name", ["default", "abc123", "My_Shop-2", "a" * 64])
def test_a_plain_word_can_name_a_project(name: str) -> None:
    assert msgspec.convert({"name": name}, NewProject).name == name


@pytest.mark.parametrize("name", ["", "a b", "a/b", "shop\n", "größe", "a" * 65])
def test_a_name_that_would_not_fit_in_a_path_is_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": name}, NewProject)


@pytest.mark.parametrize("origin", ["https://shop.example", "http://localhost:3000"])
def test_an_origin_is_a_scheme_and_a_host(origin: str) -> None:
    new = msgspec.convert({"name": "a", "allowed_origins": [origin]}, NewProject)
    assert new.allowed_origins == (origin,)


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "shop.example", "https://shop.example/", "https://a@b", "ftp://a", "https://a\n"],
)
def test_what_no_browser_sends_as_an_origin_is_refused(origin: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": "a", "allowed_origins": [origin]}, NewProject)

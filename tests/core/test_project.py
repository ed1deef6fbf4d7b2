import msgspec
import pytest

from slowping.core import project
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


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://shop.example", "https://shop.example"),
        ("HTTPS://Shop.Example", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("https://Müller.example", "https://xn--mller-kva.example"),
        ("http://[2001:DB8::1]:8080", "http://[2001:db8::1]:8080"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("https://shop.example:port", "https://shop.example:port"),
        ("https://.", "https://."),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(written: str, sent: str) -> None:
    assert project.canonical(written) == sent

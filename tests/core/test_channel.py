import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowping.core import channel
from slowping.core.channel import NewChannel


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("", "…"),
        ("abc", "…"),
        ("abcdefghijkl", "…"),
        ("abcdefghijklm", "…jklm"),
    ],
)
def test_a_secret_shows_its_end_at_most(secret: str, shown: str) -> None:
    assert channel.redacted(secret) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://discord.com/api/webhooks/1/token", "https://discord.com/…oken"),
        ("http://[::1]:8080/hooks/4f3a9c", "http://[::1]:8080/…3a9c"),
        ("https://shop.example?token=4f3a9c21", "https://shop.example/…9c21"),
        ("https://shop.example/in", "https://shop.example/…"),
        ("https://shop.example/", "https://shop.example/"),
        ("https://shop.example", "https://shop.example"),
        ("https://me:password@shop.example/", "…ple/"),
    ],
)
def test_an_address_shows_its_host_too(address: str, shown: str) -> None:
    assert channel.redacted(address) == shown


@pytest.mark.parametrize(
    "secret", ["whsec_4f3a9c215e8b", "https://x.test/4f3a9c215e8b", "https://x.test/in"]
)
def test_what_is_shown_of_a_secret_is_recognised(secret: str) -> None:
    assert channel.is_redacted(channel.redacted(secret))
    assert not channel.is_redacted(secret)


@given(st.text(min_size=1))
def test_a_redacted_secret_keeps_most_of_itself(secret: str) -> None:
    assert (len(channel.redacted(secret)) - 1) * 3 < len(secret)


@pytest.mark.parametrize("name", ["team", "discord-123", "a.b@c_d", "a" * 100])
def test_a_plain_word_can_name_a_channel(name: str) -> None:
    assert msgspec.convert({"kind": "console", "name": name}, NewChannel).name == name


@pytest.mark.parametrize("name", ["", "a b", "a/b", "team\n", "ü", "a" * 101])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "console", "name": name}, NewChannel)

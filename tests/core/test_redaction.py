import base64
import html
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowping.core import api_key, redaction
from slowping.core.redaction import MARK, SHORTEST, Redaction

TOKEN = "4f3a9c21 5e8b/+&\"x'"
KEY = api_key.mint(bytes(range(32)))


@pytest.mark.parametrize(
    "spelt",
    [
        TOKEN,
        urllib.parse.quote(TOKEN),
        urllib.parse.quote(TOKEN, safe=""),
        urllib.parse.quote_plus(TOKEN),
        json.dumps(TOKEN),
        repr(TOKEN),
        html.escape(TOKEN),
    ],
)
def test_a_secret_is_taken_out_however_it_is_spelt(spelt: str) -> None:
    for cleaned in (Redaction([TOKEN]).clean(f"no: {spelt}!"), redaction.redact(spelt, [TOKEN])):
        assert "4f3a9c21" not in cleaned
        assert MARK in cleaned


@given(before=st.binary(max_size=5), behind=st.binary(max_size=5), secret=st.text(min_size=8))
def test_a_secret_is_taken_out_of_base64_whatever_stands_around_it(
    before: bytes, behind: bytes, secret: str
) -> None:
    said = base64.b64encode(before + secret.encode("utf-8", "replace") + behind).decode()
    assert MARK in Redaction([secret]).clean(said)


@given(st.text(), st.text(min_size=SHORTEST, max_size=30), st.text())
def test_a_secret_never_gets_through(before: str, secret: str, behind: str) -> None:
    hidden = Redaction([secret]).clean(f"{before}{secret}{behind}")
    assert secret not in hidden.replace(MARK, "")


@given(st.text(alphabet="ab ", max_size=60))
def test_what_holds_no_secret_stays_as_it_is(said: str) -> None:
    assert Redaction(["4f3a9c21"]).clean(said) == said


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("https://hooks.example/T0/4f3a9c21?k=5e8b7d60", "GET /T0/4f3a9c21?k=5e8b7d60 HTTP/1.1"),
        ("https://hooks.example/T0/4f3a9c21?k=5e8b7d60", "Cannot POST /T0/4f3a9c21"),
        ("https://hooks.example/T0/4f3a9c21?k=5e8b7d60", '{"hook": "4f3a9c21"}'),
        ("https://hooks.example/T0/4f3a9c21?k=5e8b7d60", '{"query": {"k": "5e8b7d60"}}'),
        ("123456:AAE4f3a9c215e8b7d60", "/botAAE4f3a9c215e8b7d60/sendMessage"),
        ("whsec_4f3a9c215e8b7d604f3a9c215e8b7d60", "key 4f3a9c215e8b7d604f3a9c215e8b7d60"),
    ],
)
def test_what_is_a_secret_in_a_secret_is_taken_out_too(secret: str, said: str) -> None:
    cleaned = Redaction([secret]).clean(said)
    assert MARK in cleaned
    assert "4f3a9c21" not in cleaned
    assert "5e8b7d60" not in cleaned


def test_hosts_and_words_of_an_address_stay() -> None:
    said = "no answer from shop.example, path=/hooks/slowping"
    assert Redaction(["https://shop.example/hooks/slowping"]).clean(said) == said


def test_what_is_left_of_a_secret_where_a_text_was_cut_is_taken_out() -> None:
    cleaning = Redaction(["4f3a9c215e8b7d60"])
    assert cleaning.clean("it said 4f3a9c215e…") == f"it said {MARK}…"
    assert cleaning.clean("it said 4f3a9c215e") == f"it said {MARK}"
    assert cleaning.clean("it said 4f3a9c215e and more") == "it said 4f3a9c215e and more"


def test_the_longest_of_several_secrets_is_taken_out() -> None:
    cleaned = Redaction(["4f3a9c21", "4f3a9c215e8b7d60"]).clean("4f3a9c215e8b7d60")
    assert cleaned == MARK


def test_a_short_secret_is_looked_for_only_where_it_was_told() -> None:
    assert Redaction(["abc"]).clean("abc") == "abc"
    assert redaction.redact("the abc", ["abc"]) == f"the {MARK}"


@pytest.mark.parametrize("secret", ["", "a", "as"])
def test_a_letter_or_two_are_no_secret(secret: str) -> None:
    assert redaction.redact("as it is", [secret]) == "as it is"


def test_an_api_key_is_recognised_by_its_form_and_shows_its_start() -> None:
    assert Redaction().clean(f"path=/x/{KEY}/y") == f"path=/x/{api_key.shown(KEY)}…/y"
    assert Redaction().clean("slp_ is how they start") == "slp_ is how they start"


def test_a_secret_is_known_until_its_last_owner_lets_go_of_it() -> None:
    cleaning = Redaction()
    cleaning.hold("shop", ["4f3a9c21", "5e8b7d60"])
    cleaning.hold("team", ["4f3a9c21"])
    cleaning.hold("shop", ["5e8b7d60"])
    assert cleaning.clean("4f3a9c21 5e8b7d60") == f"{MARK} {MARK}"
    cleaning.hold("team", [])
    assert cleaning.clean("4f3a9c21 5e8b7d60") == f"4f3a9c21 {MARK}"
    cleaning.hold("shop", [])
    assert cleaning.clean("5e8b7d60") == "5e8b7d60"


def test_a_secret_is_known_for_as_long_as_a_block_lasts() -> None:
    cleaning = Redaction()
    with cleaning.holding("request", ["4f3a9c21"]):
        assert cleaning.clean("4f3a9c21") == MARK
    assert cleaning.clean("4f3a9c21") == "4f3a9c21"


def test_secrets_with_a_spelling_in_common_are_forgotten_one_by_one() -> None:
    cleaning = Redaction(["https://a.example/4f3a9c21"])
    cleaning.hold("other", ["https://b.example/4f3a9c21"])
    cleaning.hold("other", [])
    assert cleaning.clean("/4f3a9c21") == MARK

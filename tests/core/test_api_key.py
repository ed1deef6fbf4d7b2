import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowping.core import api_key, errors
from slowping.core.api_key import ApiKeyKind, NewApiKey, Principal, Scope

SECRETS = st.binary(min_size=32, max_size=32)
MINTED = "slp_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1Yo7hP"


# Making and recognising ----------------------------------------------------------------------


@given(SECRETS)
def test_a_key_is_a_prefix_256_bits_and_a_checksum(secret: bytes) -> None:
    minted = api_key.mint(secret)
    assert re.fullmatch(r"slp_[0-9A-Za-z]{49}", minted)
    assert not api_key.is_mistyped(minted)


@given(SECRETS, SECRETS)
def test_different_secrets_are_different_keys(one: bytes, other: bytes) -> None:
    assert (api_key.mint(one) == api_key.mint(other)) == (one == other)


@given(SECRETS, st.integers(min_value=4, max_value=52), st.sampled_from("0aZ"))
def test_a_wrong_letter_is_noticed(secret: bytes, place: int, letter: str) -> None:
    minted = api_key.mint(secret)
    typed = f"{minted[:place]}{letter}{minted[place + 1 :]}"
    assert api_key.is_mistyped(typed) == (typed != minted)


def test_a_key_never_changes_its_form() -> None:
    assert api_key.mint(bytes(range(32))) == MINTED
    assert not api_key.is_mistyped(MINTED)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_is_made_of_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        api_key.mint(bytes(size))


@pytest.mark.parametrize("value", ["", "sk-live-1234567890", "slp_short", f"{MINTED}x"])
def test_a_foreign_key_is_not_taken_for_a_mistyped_one(value: str) -> None:
    assert not api_key.is_mistyped(value)


def test_a_digest_is_stored_instead_of_a_key() -> None:
    assert api_key.digest(MINTED) == hashlib.sha256(MINTED.encode()).digest()


@pytest.mark.parametrize(
    ("value", "shown"),
    [(MINTED, MINTED[:8]), ("a" * 24, "a" * 8), ("abcdefghijkl", "ab"), ("", "")],
)
def test_only_the_start_of_a_key_is_shown(value: str, shown: str) -> None:
    assert api_key.shown(value) == shown


# Imports -------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["12345678", "sk-live-!~", "a" * 256, MINTED])
def test_a_printable_text_can_be_imported(value: str) -> None:
    assert api_key.checked_import(value) == value


@pytest.mark.parametrize(
    "value", ["", "1234567", "a" * 257, "with space", "größer als", "a\n345678"]
)
def test_other_texts_cannot(value: str) -> None:
    with pytest.raises(errors.InvalidInput, match="8 to 256 printable ASCII"):
        api_key.checked_import(value)


def test_a_mistyped_key_of_our_own_cannot_either() -> None:
    with pytest.raises(errors.InvalidInput, match="mistyped"):
        api_key.checked_import(f"{MINTED[:-1]}{'0' if MINTED[-1] != '0' else '1'}")


# What a key may do ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "scopes"),
    [
        (NewApiKey(name="a"), (Scope.INGEST, Scope.READ)),
        (NewApiKey(name="a", scopes=(Scope.READ, Scope.READ)), (Scope.READ,)),
        (NewApiKey(name="a", scopes=(Scope.ADMIN,)), (Scope.ADMIN,)),
        (
            NewApiKey(name="a", kind=ApiKeyKind.BROWSER, origins=("https://a.example",)),
            (Scope.INGEST,),
        ),
    ],
)
def test_a_new_key_may_send_and_read_unless_told_otherwise(
    asked: NewApiKey, scopes: tuple[Scope, ...]
) -> None:
    assert api_key.checked_new(asked) == scopes


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (NewApiKey(name="a", kind=ApiKeyKind.BROWSER), "at least one origin"),
        (
            NewApiKey(
                name="a",
                kind=ApiKeyKind.BROWSER,
                scopes=(Scope.INGEST, Scope.READ),
                origins=("https://a.example",),
            ),
            "'ingest' alone",
        ),
    ],
)
def test_a_browser_key_can_do_little(asked: NewApiKey, problem: str) -> None:
    with pytest.raises(errors.InvalidInput, match=problem):
        api_key.checked_new(asked)


def principal(*scopes: Scope, projects: frozenset[int] | None = frozenset({1})) -> Principal:
    """A live key with these rights."""
    return Principal(
        key_id=1,
        name="shop",
        scopes=frozenset(scopes),
        home_project_id=1,
        project_ids=projects,
        rate_limit=0,
        origins=frozenset(),
        expires_at=None,
    )


@pytest.mark.parametrize(
    ("has", "asked", "may"),
    [
        (Scope.INGEST, Scope.INGEST, True),
        (Scope.INGEST, Scope.READ, False),
        (Scope.READ, Scope.ADMIN, False),
        (Scope.ADMIN, Scope.INGEST, True),
        (Scope.ADMIN, Scope.READ, True),
    ],
)
def test_a_key_may_do_what_its_scopes_say(has: Scope, asked: Scope, may: bool) -> None:
    assert principal(has).may(asked) is may


def test_a_key_may_use_its_projects() -> None:
    assert principal(Scope.READ).may_use(1)
    assert not principal(Scope.READ).may_use(2)
    assert principal(Scope.READ, projects=None).may_use(2)


def test_a_key_without_a_scope_is_refused() -> None:
    with pytest.raises(errors.InvalidInput, match="at least one scope"):
        api_key.checked_new(NewApiKey(name="shop", scopes=()))

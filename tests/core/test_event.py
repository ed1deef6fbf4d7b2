from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowping.core import errors, event
from slowping.core.event import Receipt

INTEGERS = st.integers(min_value=-(2**80), max_value=2**80)
VALUES = st.recursive(
    st.none() | st.booleans() | st.text() | INTEGERS | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
BIG = 2**63 - 1


def test_a_receipt_names_its_events_in_order() -> None:
    receipt = Receipt(first_event_id=7, count=3, received_at=0)
    assert list(receipt.event_ids) == [7, 8, 9]


@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        ({}, {}),
        ({"a": 1, "b": "x", "c": None, "d": True, "e": 1.5}, None),
        ({"a": BIG, "b": -BIG}, None),
        ({"a": BIG + 1}, {"a": "9223372036854775808"}),
        ({"a": -BIG - 1}, {"a": "-9223372036854775808"}),
        ({"a": "x\0y"}, {"a": "x\ufffdy"}),
        ({"x\0y": 1}, {"x\ufffdy": 1}),
        ({"a": {"b\0": ["\0", BIG + 1, {"c": True}]}},
         {"a": {"b\ufffd": ["\ufffd", "9223372036854775808", {"c": True}]}}),
    ],
)  # fmt: skip
def test_fields_are_stored_without_what_a_database_cannot_hold(
    fields: dict[str, Any], stored: dict[str, Any] | None
) -> None:
    assert event.tidy_fields(fields) == (fields if stored is None else stored)


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_tidy_fields_hold_no_nul_and_no_integer_beyond_64_bits(fields: dict[str, Any]) -> None:
    tidy = event.tidy_fields(fields)
    assert all(map(_fits, _leaves(tidy)))
    assert event.tidy_fields(tidy) == tidy


def test_fields_may_nest_as_deep_as_the_limit() -> None:
    assert event.tidy_fields(_nested(event.MAX_DEPTH)) == _nested(event.MAX_DEPTH)


@pytest.mark.parametrize("within", [list, dict])
def test_fields_that_nest_deeper_are_refused(within: type) -> None:
    deeper = [1] if within is list else {"a": 1}
    with pytest.raises(errors.InvalidJson):
        event.tidy_fields(_nested(event.MAX_DEPTH, deeper))


def test_as_many_fields_as_the_limit_are_taken() -> None:
    fields = {str(number): number for number in range(event.MAX_FIELDS)}
    assert event.tidy_fields(fields) == fields


def test_more_fields_than_the_limit_are_refused() -> None:
    fields = {str(number): number for number in range(event.MAX_FIELDS + 1)}
    with pytest.raises(errors.InvalidInput, match="at most 100 fields"):
        event.tidy_fields(fields)


def _nested(depth: int, core: Any = 1) -> dict[str, Any]:  # any JSON value
    """Objects within objects, so many in all, and `core` in the innermost."""
    fields = {"a": core}
    for _ in range(depth - 1):
        fields = {"a": fields}
    return fields


def _leaves(value: Any) -> list[Any]:  # any JSON value
    if isinstance(value, dict):
        return [leaf for pair in value.items() for part in pair for leaf in _leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in _leaves(part)]
    return [value]


def _fits(leaf: object) -> bool:
    if isinstance(leaf, str):
        return "\0" not in leaf
    return not isinstance(leaf, int) or -BIG <= leaf <= BIG

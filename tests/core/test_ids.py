import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowping.core import errors, ids
from slowping.core.ids import IdSource

NOW = 1_795_000_000_000
NUMBERS = st.integers(min_value=0, max_value=ids.LARGEST)
MOMENTS = st.integers(min_value=0, max_value=4_000_000_000_000)


@given(NUMBERS)
def test_an_id_that_is_written_down_reads_back(number: int) -> None:
    written = ids.encode(ids.EVENT, number)
    assert ids.decode(ids.EVENT, written) == number
    assert len(written) == len("evt_") + 13


@given(NUMBERS, NUMBERS)
def test_ids_sort_as_text_as_they_do_as_numbers(one: int, other: int) -> None:
    written = ids.encode(ids.EVENT, one), ids.encode(ids.EVENT, other)
    assert (written[0] < written[1]) == (one < other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "evt_",
        "evt_000000000000",  # too short
        "evt_00000000000000",  # too long
        "dlv_0000000000007",  # another noun's
        "evt-0000000000007",
        "evt_000000000000U",  # upper case
        "evt_000000000000u",  # no letter of this alphabet
        "evt_8000000000000",  # more than 63 bits
        "evt_000000000000\u0667",  # a digit, but not one of ours
    ],
)
def test_what_is_no_id_of_the_noun_names_nothing(text: str) -> None:
    assert ids.parse(ids.EVENT, text) is None
    with pytest.raises(errors.NotFound, match="There is no event"):
        ids.decode(ids.EVENT, text)


def test_the_largest_id_reads_back() -> None:
    assert ids.parse(ids.EVENT, "evt_7zzzzzzzzzzzz") == ids.LARGEST


@given(st.integers(min_value=0, max_value=ids.LARGEST >> 1), st.lists(MOMENTS, max_size=20))
def test_every_id_is_above_all_before_it_whatever_the_clock_does(
    newest: int, moments: list[int]
) -> None:
    source = IdSource(newest)
    taken = [newest, *(source.take(moment) for moment in moments)]
    assert all(earlier < later for earlier, later in itertools.pairwise(taken))


def test_ids_that_are_taken_together_follow_each_other() -> None:
    source = IdSource()
    first = source.take(NOW, 3)
    assert source.take(NOW) == first + 3


@given(MOMENTS)
def test_no_id_is_below_the_smallest_of_its_moment(moment: int) -> None:
    assert IdSource().take(moment) >= ids.floor(moment)


def test_the_ids_of_a_moment_are_below_those_of_the_next() -> None:
    assert ids.floor(NOW) <= IdSource().take(NOW) < ids.floor(NOW + 1)


@pytest.mark.parametrize(("moment", "smallest"), [(-(2**60), 0), (2**60, ids.LARGEST)])
def test_the_smallest_id_of_a_moment_out_of_reach_is_at_the_end(moment: int, smallest: int) -> None:
    assert ids.floor(moment) == smallest


def test_an_id_from_elsewhere_is_never_handed_out() -> None:
    source = IdSource()
    far = ids.floor(NOW + 1_000) | ids.COUNTER
    source.pass_by(far)
    source.pass_by(0)
    assert source.take(NOW) == far + 1


@given(st.binary())
def test_an_id_beside_another_is_of_the_same_moment(seed: bytes) -> None:
    number = ids.floor(NOW) | 7
    found = ids.beside(number, seed)
    assert ids.floor(NOW) <= found <= ids.floor(NOW) | ids.COUNTER
    assert found == ids.beside(ids.floor(NOW), seed)

import pytest

from slowping.tui.sifting import query
from slowping.tui.sifting.query import Query
from tests.tui.driver import event

SALE = event(
    1,
    category="sale",
    project="shop",
    description="New sale in Zürich",
    fields={"plan": "pro", "amount": 49.0},
    source="Checkout",
)


@pytest.mark.parametrize(
    ("typed", "matches"),
    [
        ("", True),
        ("sale", True),
        ("SALE zürich", True),
        ("plan", True),
        ("49", True),
        ("checkout", True),
        ("refund", False),
        ("sale refund", False),
        ("category:sale", True),
        ("cat:sa", True),
        ("category:bug", False),
        ("project:shop", True),
        ("project:other", False),
        ("source:check", True),
        ("state:failed", True),
        ("state:delivered", False),
        ("in:zürich", False),
        ('"sale in"', True),
        ('"in sale"', False),
        ('category:"sa', True),
    ],
)
def test_what_is_typed_matches_an_event(typed: str, matches: bool) -> None:
    counts = {"failed": 1, "delivered": 1}
    assert Query.read(typed).matches(SALE, counts, query.haystack(SALE)) is matches


def test_a_filter_turned_round_matches_the_rest() -> None:
    counts = {"delivered": 1}
    assert not Query.read("sale", inverted=True).matches(SALE, counts, query.haystack(SALE))
    assert Query.read("bug", inverted=True).matches(SALE, counts, query.haystack(SALE))
    assert Query.read("", inverted=True).matches(SALE, counts, query.haystack(SALE))


@pytest.mark.parametrize(
    ("counts", "standing"),
    [
        ({}, "none"),
        ({"delivered": 3}, "delivered"),
        ({"delivered": 2, "pending": 1}, "waiting"),
        ({"delivered": 2, "leased": 1}, "waiting"),
        ({"delivered": 1, "pending": 1, "failed": 1}, "failed"),
        ({"delivered": 1, "discarded": 1}, "discarded"),
    ],
)
def test_how_deliveries_stand_is_one_word(counts: dict[str, int], standing: str) -> None:
    assert query.standing(counts) == standing


def test_a_filter_is_written_as_it_can_be_read_again() -> None:
    for typed in ("sale zürich", 'category:"new sale" state:failed'):
        sought = Query.read(typed)
        assert Query.read(" ".join(map(str, sought.terms))) == sought

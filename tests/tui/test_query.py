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
        ("category:=sale", True),
        ("category:=SALE project:=shop", True),
        ("category:=sa", False),
        ("project:=sho", False),
        ("state:=failed", True),
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
    for typed in ("sale zürich", 'category:"new sale" state:failed', r'category:"=a \" b" c\"'):
        sought = Query.read(typed)
        assert Query.read(" ".join(map(str, sought.terms))) == sought


@pytest.mark.parametrize("name", ["Sale", 'a"b', 'the "new" sale', "=", "a:b", "two\u00a0words"])
def test_what_is_called_just_so_is_found_also_once_it_was_written_down(name: str) -> None:
    sought = Query.exactly(project="shop", category=name)
    read = Query.read(" ".join(map(str, sought.terms)))
    assert read == sought
    named = event(1, category=name, project="shop")
    assert sought.matches(named, {}, "")
    assert not sought.matches(event(1, category=f"{name}-eu", project="shop"), {}, "")
    assert not sought.matches(event(1, category=name, project="blog"), {}, "")

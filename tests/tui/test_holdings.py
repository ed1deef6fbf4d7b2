"""What a project holds, what it has used, and what goes with it."""

import pytest

from slowping.tui.project import holdings
from slowping.tui.project.holdings import Holdings
from tests.tui.channels import channel
from tests.tui.driver import category
from tests.tui.test_project import overview
from tests.tui.things import key, project


def test_a_project_holds_what_names_it() -> None:
    categories = [category("sale"), category("bug"), category("x", project="blog")]
    assert holdings.holdings(categories, [channel("ops"), channel("hook", ad_hoc=True)]) == {
        "shop": Holdings(categories=("bug", "sale"), channels=("ops",), ad_hoc=1),
        "blog": Holdings(categories=("x",)),
    }


def test_what_nothing_is_known_of_is_not_called_none() -> None:
    assert holdings.this_month(overview(sale=4, bug=3)) == {"shop": 7}
    assert holdings.this_month(None) is None


@pytest.mark.parametrize(
    ("quota", "events", "said"),
    [
        (None, 1_204, "1,204"),
        (None, None, "-"),
        (5_000, 1_204, "1,204 of 5,000, 24%"),
        (5_000, None, "- of 5,000"),
        (1, 2, "2 of 1, 200%"),
    ],
)
def test_events_are_held_against_the_quota(
    quota: int | None, events: int | None, said: str
) -> None:
    assert holdings.month(project("shop", monthly_quota=quota), events) == said


def test_what_goes_with_it_is_said_in_full() -> None:
    held = Holdings(categories=("sale",), channels=("ops", "mail"), ad_hoc=1)
    keys = [key(number, name=f"k{number}") for number in range(8)]
    assert holdings.loss(held, keys, 1, keys[3]).split("\n") == [
        "1 category and 3 channels go too.",
        "1 waiting delivery is discarded.",
        "Its events stay in the database, where nothing shows them any more.",
        "8 keys will be revoked: k0, k1, k2, k3, k4, k5 and 2 more.",
        "One of them is the key that this live view uses!",
    ]


def test_of_an_empty_project_little_is_said() -> None:
    assert holdings.loss(Holdings(), [], 0, key(1)).split("\n") == [
        "It has no categories and no channels.",
        "No delivery waits.",
        "Its events stay in the database, where nothing shows them any more.",
    ]

"""How keys stand, how long they last, and what ends with them."""

import datetime as dt
from typing import Any

import pytest

from slowping.tui.api_key import standing, succession
from slowping.tui.api_key.standing import Standing
from tests.tui.driver import NOW_MS, moment
from tests.tui.things import key

DAY = 86_400


@pytest.mark.parametrize(
    ("what", "stands", "works"),
    [
        ({}, Standing.LIVE, True),
        ({"expires_at": moment(1)}, Standing.LIVE, True),
        ({"expires_at": moment(0)}, Standing.EXPIRED, False),
        ({"expires_at": moment(1), "rotated_to": "key_2"}, Standing.REPLACED, True),
        ({"expires_at": moment(-1), "rotated_to": "key_2"}, Standing.EXPIRED, False),
        ({"revoked_at": moment(-1), "rotated_to": "key_2"}, Standing.REVOKED, False),
        ({"revoked_at": moment(-1), "expires_at": moment(-2)}, Standing.REVOKED, False),
    ],
)
def test_a_key_stands_as_its_dates_say(what: dict[str, Any], stands: Standing, works: bool) -> None:
    assert standing.standing(key(1, **what), NOW_MS) is stands
    assert stands.works is works


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({}, "never"),
        ({"expires_at": moment(30)}, "in 30s"),
        ({"expires_at": moment(3 * 3_600 + 12 * 60 + 5)}, "in 3h 12m"),
        ({"expires_at": moment(47 * 3_600)}, "in 1d 23h"),
        ({"expires_at": moment(3 * DAY)}, "2026-11-21"),
        ({"expires_at": moment(-2 * DAY)}, "2d ago"),
        ({"revoked_at": moment(-90), "expires_at": moment(DAY)}, "1m ago"),
    ],
)
def test_its_end_is_counted_down_to_when_it_is_near(what: dict[str, Any], said: str) -> None:
    assert standing.end(key(1, **what), NOW_MS) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "today, 11:06"), (DAY, "tomorrow, 11:06"), (-DAY, "yesterday, 11:06"),
     (2 * DAY, "2026-11-20 11:06")],
)  # fmt: skip
def test_moments_are_near_or_dates(seconds: int, said: str) -> None:
    assert standing.moment(moment(seconds), NOW_MS) == said


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({}, "shop"),
        ({"projects": ["blog", "shop"]}, "shop, blog"),
        ({"projects": ["blog"], "all_projects": True}, "all"),
        ({"scopes": ["admin"]}, "all"),
    ],
)
def test_a_key_is_for_its_home_and_others_or_for_all(what: dict[str, Any], said: str) -> None:
    assert standing.reach(key(1, **what)) == said


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({}, "has never been used"),
        ({"last_used_at": moment(0)}, "was last used just now"),
        ({"last_used_at": moment(-300), "last_used_from": "192.0.2.7"},
         "was last used 5m ago from 192.0.2.7"),
    ],
)  # fmt: skip
def test_it_is_said_who_used_it(what: dict[str, Any], said: str) -> None:
    assert standing.used(key(1, **what), NOW_MS) == said


@pytest.mark.parametrize(
    ("others", "is_last"),
    [
        ([], True),
        ([key(2)], True),
        ([key(2, scopes=["admin"])], False),
        ([key(2, scopes=["admin"], revoked_at=moment(-1))], True),
        ([key(2, scopes=["admin"], expires_at=moment(-1))], True),
        ([key(2, scopes=["admin"], expires_at=moment(9), rotated_to="key_3")], False),
    ],
)
def test_the_last_key_that_may_administer_is_known(others: list[Any], is_last: bool) -> None:
    admin = key(1, scopes=["admin"])
    assert standing.is_last_admin(admin, [admin, *others], NOW_MS) is is_last
    assert not standing.is_last_admin(key(1), others, NOW_MS)


OLD = key(1, prefix="slp_abcd")
ENDING = key(1, prefix="slp_abcd", expires_at=moment(600))


@pytest.mark.parametrize(
    ("seconds", "old", "promise", "told"),
    [
        (0, OLD, "the old key ends now, whoever uses it",
         "slp_abcd… has ended: give this one to every client that used it."),
        (3_600, OLD, "the old key works until today, 12:06",
         "Clients that use slp_abcd… work until today, 12:06. Give them this one before."),
        (3_600, ENDING, "the old key works until today, 11:16",
         "Clients that use slp_abcd… work until today, 11:16. Give them this one before."),
    ],
)  # fmt: skip
def test_an_overlap_ends_no_later_than_the_old_key(
    seconds: int, old: Any, promise: str, told: str
) -> None:
    [overlap] = [each for each in succession.OVERLAPS if each.seconds == seconds]
    assert succession.promise(overlap, old, NOW_MS) == promise
    assert succession.told(overlap, old, NOW_MS) == told


def test_a_moment_may_come_in_any_zone() -> None:
    zone = dt.timezone(dt.timedelta(hours=9))
    assert standing.moment(moment(0).astimezone(zone), NOW_MS) == "today, 11:06"

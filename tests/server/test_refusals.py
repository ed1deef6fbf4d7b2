import logging

import pytest

from slowping.server.refusals import KEPT, LOGGED_A_SECOND, Refusal, Refusals
from slowping.server.tally import Tally
from slowping.testing import START_MS


def refusal(at: int = START_MS, condition: str = "UnknownApiKey") -> Refusal:
    return Refusal(
        at=at,
        dialect="adwize",
        path="/api/v1/events",
        condition=condition,
        status=401,
        address="192.0.2.7",
    )


def test_the_newest_refusal_comes_first() -> None:
    refusals = Refusals(Tally())
    refusals.add(refusal(1))
    refusals.add(refusal(2))
    assert [each.at for each in refusals.recent()] == [2, 1]


def test_only_the_last_ones_are_kept_but_all_are_counted() -> None:
    tally = Tally()
    refusals = Refusals(tally)
    for at in range(KEPT + 10):
        refusals.add(refusal(at))
    assert len(refusals.recent()) == KEPT
    assert refusals.recent()[-1].at == 10
    assert tally.refused == {"UnknownApiKey": KEPT + 10}


def test_refusals_are_counted_by_condition() -> None:
    tally = Tally()
    refusals = Refusals(tally)
    refusals.add(refusal())
    refusals.add(refusal(condition="TooLarge"))
    assert tally.refused == {"UnknownApiKey": 1, "TooLarge": 1}


# In the log ----------------------------------------------------------------------------------


def test_each_is_told_in_one_line_with_who_it_was(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Refusals(Tally()).add(refusal())
    assert caplog.messages == [
        "refused dialect=adwize path=/api/v1/events condition=UnknownApiKey status=401"
        " address=192.0.2.7"
    ]


def test_a_flood_is_counted_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    refusals = Refusals(Tally())
    for _ in range(LOGGED_A_SECOND + 5):
        refusals.add(refusal())
    assert len(caplog.messages) == LOGGED_A_SECOND
    refusals.add(refusal(START_MS + 1_000))
    assert caplog.messages[LOGGED_A_SECOND] == "more were refused count=5"
    assert len(caplog.messages) == LOGGED_A_SECOND + 2

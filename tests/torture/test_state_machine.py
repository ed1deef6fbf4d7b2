from pathlib import Path

import pytest

from slowping.core.delivery import Delivered, Rejected, Retry
from slowping.testing import START_MS
from tests.laboratory.scripted import Message
from tests.torture import state_machine
from tests.torture.bar import Run, missed
from tests.torture.duty import DELIVERED, FAILED, PENDING, Difference, Duty, Outlet
from tests.torture.model import Model


async def test_whatever_is_done_every_delivery_stands_as_it_has_to(tmp_path: Path) -> None:
    assert missed(await state_machine.run(Run(folder=tmp_path, scale=0.008))) == []


@pytest.fixture
def model() -> Model:
    """One channel with two deliveries that are due."""
    known = Model()
    known.outlets["team"] = team = Outlet(1, "team", None)
    known.duties = {
        number: Duty(number, number, team, START_MS, START_MS, None) for number in (1, 2)
    }
    return known


def message(*numbers: int) -> Message:
    return Message(channel="team", delivery_ids=numbers, sent_at=START_MS)


def test_the_model_lets_nothing_go_out_of_turn(model: Model) -> None:
    with pytest.raises(Difference, match="due are"):
        model.began(message(2))


def test_the_model_lets_nothing_go_to_a_paused_channel(model: Model) -> None:
    model.outlets["team"].is_paused = True
    with pytest.raises(Difference, match="paused"):
        model.began(message(1))


def test_the_model_lets_nothing_arrive_twice(model: Model) -> None:
    model.began(sent := message(1, 2))
    sent.outcome, sent.ended_at = Delivered(), START_MS
    model.ended(sent)
    with pytest.raises(Difference, match="due are"):
        model.began(message(1))


def test_the_model_waits_as_long_as_the_table_says(model: Model) -> None:
    model.began(sent := message(1))
    sent.outcome, sent.ended_at = Retry(reason="busy"), START_MS
    model.ended(sent)
    assert (model.duties[1].state, model.duties[1].due_at) == (PENDING, START_MS + 5_000)


def test_the_model_knows_a_split_of_a_message_that_was_rejected(model: Model) -> None:
    for numbers, outcome in (
        ((1, 2), Rejected(reason="bad")),
        ((1,), Rejected(reason="bad")),
        ((2,), Delivered()),
    ):
        model.began(sent := message(*numbers))
        sent.outcome, sent.ended_at = outcome, START_MS
        model.ended(sent)
    assert [model.duties[1].state, model.duties[2].state] == [FAILED, DELIVERED]


def test_the_model_differs_from_what_is_stored_otherwise(model: Model) -> None:
    other = {
        1: Duty(1, 1, model.outlets["team"], START_MS, START_MS, None, tries=1),
        2: model.duties[2],
    }
    with pytest.raises(Difference, match="stored is"):
        model.hold_to(other, START_MS)

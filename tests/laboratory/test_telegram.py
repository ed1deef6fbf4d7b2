import json

import pytest

from slowping.notifiers.port import HttpAnswer
from tests.laboratory import telegram
from tests.laboratory.telegram import Telegram

PERSON, GROUP = 7, -7


class Office:
    """A Telegram on a clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.telegram = Telegram(lambda: self.now_s)

    def send(self, chat: int) -> HttpAnswer:
        """A message."""
        return self.telegram.answer(json.dumps({"chat_id": chat, "text": "x"}).encode())

    def sends(self, chat: int, count: int, every_s: float) -> list[int]:
        """The statuses of several."""
        statuses = []
        for _ in range(count):
            statuses.append(self.send(chat).status)
            self.now_s += every_s
        return statuses


@pytest.fixture
def office() -> Office:
    return Office()


def waits_s(answer: HttpAnswer) -> int:
    """What a refusal asks for."""
    told = json.loads(answer.body)
    assert (answer.status, told["ok"], told["error_code"]) == (429, False, 429)
    wait_s: int = told["parameters"]["retry_after"]
    return wait_s


def test_a_chat_takes_one_a_second_after_a_short_burst(office: Office) -> None:
    assert office.sends(PERSON, telegram.CHAT_BURST, 0.0) == [200] * telegram.CHAT_BURST
    assert waits_s(office.send(PERSON)) == 1
    assert office.sends(PERSON, 10, 1.0) == [429] + [200] * 9


def test_another_chat_does_not_wait_for_it(office: Office) -> None:
    office.sends(PERSON, telegram.CHAT_BURST + 1, 0.0)
    assert office.send(PERSON + 1).status == 200


def test_a_group_takes_twenty_a_minute_and_a_person_more(office: Office) -> None:
    assert office.sends(GROUP, telegram.GROUP, 1.5) == [200] * telegram.GROUP
    assert waits_s(office.send(GROUP)) == telegram.GROUP_S - 1.5 * telegram.GROUP
    assert office.sends(PERSON, telegram.GROUP + 5, 1.5) == [200] * (telegram.GROUP + 5)


def test_a_bot_takes_thirty_a_second_in_all(office: Office) -> None:
    statuses = [office.send(chat).status for chat in range(1, telegram.OVERALL + 2)]
    assert statuses == [200] * telegram.OVERALL + [429]
    office.now_s += telegram.OVERALL_S
    assert office.send(telegram.OVERALL + 1).status == 200


def test_a_group_that_has_moved_tells_where(office: Office) -> None:
    office.telegram.moved = {GROUP: -1007}
    answer = office.send(GROUP)
    assert answer.status == 400
    assert json.loads(answer.body)["parameters"] == {"migrate_to_chat_id": -1007}
    assert (office.telegram.taken(GROUP), office.telegram.refused()) == ([], 0)

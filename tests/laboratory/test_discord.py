import json
from collections.abc import Iterable

import pytest

from slowping.notifiers.port import HttpAnswer
from tests.laboratory import discord
from tests.laboratory.discord import Discord

BODY = json.dumps({"embeds": [{"description": "x"}]}).encode()


class Hall:
    """A Discord on a clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.discord = Discord(lambda: self.now_s)

    def send(self, webhook: int = 1) -> HttpAnswer:
        """A message."""
        return self.discord.answer(f"/webhooks/{webhook}/token", BODY)

    def sends(self, webhooks: Iterable[int], every_s: float = 0.0) -> list[int]:
        """The statuses of several."""
        statuses = []
        for webhook in webhooks:
            statuses.append(self.send(webhook).status)
            self.now_s += every_s
        return statuses


@pytest.fixture
def hall() -> Hall:
    return Hall()


def waits_s(answer: HttpAnswer) -> float:
    """What a refusal asks for."""
    assert answer.status == 429
    wait_s: float = json.loads(answer.body)["retry_after"]
    return wait_s


def test_a_webhook_takes_five_in_two_seconds_and_tells_how_many_are_left(hall: Hall) -> None:
    left = [hall.send().headers["x-ratelimit-remaining"] for _ in range(discord.BUCKET)]
    assert left == ["4", "3", "2", "1", "0"]
    assert waits_s(hall.send()) == discord.BUCKET_S
    hall.now_s += discord.BUCKET_S
    assert hall.send().status == 200


def test_each_webhook_has_its_own_five(hall: Hall) -> None:
    assert hall.sends([1] * 6 + [2]) == [200] * 5 + [429, 200]


def test_a_channel_takes_thirty_in_a_minute_of_which_nothing_tells(hall: Hall) -> None:
    assert hall.sends([1] * discord.HIDDEN, every_s=0.5) == [200] * discord.HIDDEN
    answer = hall.send()
    assert waits_s(answer) >= discord.HIDDEN_WAIT_S
    assert "x-ratelimit-remaining" not in answer.headers
    hall.now_s += waits_s(answer) - 1
    assert hall.send().status == 429
    hall.now_s += 1
    assert hall.send().status == 200


def test_webhooks_of_one_channel_share_its_thirty(hall: Hall) -> None:
    hall.discord.channels = {"1": "team", "2": "team"}
    assert hall.sends([1, 2] * 15 + [1, 2, 3], every_s=0.5)[-3:] == [429, 429, 200]


def test_an_address_takes_fifty_in_a_second(hall: Hall) -> None:
    assert hall.sends(range(1, discord.OVERALL + 1)) == [200] * discord.OVERALL
    answer = hall.send(51)
    assert waits_s(answer) == discord.OVERALL_S
    assert json.loads(answer.body)["global"] is True


def test_who_is_refused_too_often_is_banned_for_an_hour_by_a_page(hall: Hall) -> None:
    assert set(hall.sends([1] * (discord.INVALID + discord.BUCKET))[discord.BUCKET :]) == {429}
    hall.now_s += discord.BAN_S - 1
    assert hall.send(2) == HttpAnswer(
        429, {"content-type": "text/html", "retry-after": "1"}, discord.PAGE
    )
    hall.now_s += 1
    assert hall.send(2).status == 200


def test_a_webhook_that_is_gone_or_broken_says_so(hall: Hall) -> None:
    hall.discord.gone, hall.discord.broken = {"1"}, {"2"}
    assert hall.sends([1, 2, 3]) == [404, 500, 200]


def test_what_was_taken_and_what_was_refused_is_known(hall: Hall) -> None:
    hall.sends([1] * 7)
    assert (hall.discord.taken, hall.discord.refused()) == (["x"] * 5, 2)

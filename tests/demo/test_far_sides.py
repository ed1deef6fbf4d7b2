import json
import random

import httpx
import pytest

from slowping.demo import far_sides
from slowping.demo.far_sides import Failing, RateLimited


class Watch:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.s


def test_the_limited_one_takes_five_messages_in_two_seconds() -> None:
    watch = Watch()
    limited = RateLimited(watch)
    assert [limited().status for _ in range(7)] == [200] * 5 + [429] * 2
    watch.s = 1.5
    said = limited()
    assert said.status == 429
    assert json.loads(said.body)["retry_after"] == pytest.approx(0.5)
    watch.s = 2.0
    assert limited().status == 200


def test_the_failing_one_fails_mostly_but_not_for_ever() -> None:
    failing = Failing(random.Random(1))  # noqa: S311 - a play
    answers = [failing().status for _ in range(200)]
    assert set(answers) == {200, 400, 503}
    assert answers.count(200) < 100


async def test_each_is_found_by_the_first_word_of_the_path() -> None:
    limited = RateLimited(Watch())
    async with (
        far_sides.listening({"limited": limited}) as url,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        statuses = [(await client.post(f"{url}/limited/x", json={})).status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429]
        assert (await client.post(f"{url}/any", json={"more": "than" * 1000})).status_code == 200

import pytest

from slowping.core.channel import ChannelTest
from slowping.tui.channel import words
from tests.tui.channels import channel
from tests.tui.driver import category, moment

OPS = channel("ops")
CATEGORIES = [
    category("sale", channels=("ops",)),
    category("bug", channels=("ops", "mail")),
    category("question"),
    category("sale", project="blog", channels=("ops",)),
]


def test_what_leads_to_a_channel_is_told_from_what_goes_everywhere() -> None:
    assert words.routes(OPS, CATEGORIES) == (["sale", "bug"], ["question"])
    assert words.routes(channel("ops", ad_hoc=True), CATEGORIES) == (["sale", "bug"], [])


def test_a_removal_says_what_goes_with_the_channel() -> None:
    assert words.loss(OPS, CATEGORIES, 3, more=False) == (
        "3 waiting deliveries will be discarded. Events of sale will go nowhere, until the "
        "category gets another channel. Events of bug will go to their other channels only."
    )
    assert words.loss(channel("mail"), CATEGORIES[:1], 0, more=False) == (
        "No delivery waits for it. No category names it."
    )


@pytest.mark.parametrize(
    ("waiting", "more", "said"),
    [(1, False, "1 waiting delivery"), (1_000, True, "More than 1,000 waiting deliveries")],
)
def test_what_waits_is_counted(waiting: int, more: bool, said: str) -> None:
    assert words.loss(OPS, (), waiting, more=more).startswith(said)


def came(outcome: str, status: int | None = None, reason: str | None = None) -> ChannelTest:
    return ChannelTest(
        outcome=outcome, reason=reason, status=status, excerpt=None, duration_ms=1_200
    )


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (came("delivered", 204), "delivered in 1.2 s, status 204"),
        (came("retry", 503), "failed after 1.2 s, status 503"),
        (came("unknown"), "no answer after 1.2 s, it may have arrived"),
        (came("throttled", 429), "told to wait after 1.2 s, status 429"),
        (came("rejected"), "rejected after 1.2 s"),
        (came("{braces}"), "{braces} after 1.2 s"),
    ],
)
def test_a_test_says_how_it_ended(test: ChannelTest, said: str) -> None:
    assert words.ended(test) == said


@pytest.mark.parametrize(
    ("test", "advice"),
    [
        (came("delivered"), "See whether it has arrived."),
        (came("retry"), "No answer came."),
        (came("retry", 503), "The far side is there"),
        (came("retry", 450), "The far side is there"),
        (came("retry", 404), "Nothing is at that address."),
        (came("retry", 403), "The far side does not let it in."),
        (came("retry", 302), "The address leads to another one"),
        (came("throttled", 429), "The far side has had enough for now"),
        (came("rejected", 400), "The far side does not take such a message."),
        (came("unusable", 410), "Nothing is taken until that is put right."),
        (came("unusable", reason="10.0.0.1 is not in allow_networks"), "Whoever runs the server"),
        (came("unknown"), "No answer came, but it may have arrived"),
        (came("something a newer server says"), ""),
    ],
)
def test_every_outcome_has_its_advice(test: ChannelTest, advice: str) -> None:
    assert words.advice(OPS, test).startswith(advice)


def test_a_paused_channel_that_works_can_be_resumed() -> None:
    paused = channel("ops", paused_at=moment(0))
    assert words.advice(paused, came("delivered")).endswith("It is paused: s resumes it.")

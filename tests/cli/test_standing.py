"""How a channel is said to stand: as the live view says it."""

import pytest

from slowping.cli import standing
from slowping.core.channel import Channel
from tests.tui.channels import channel, figures, hours
from tests.tui.driver import moment

WRONG = {"troubled_hours": hours(2), "last_error": "HTTP 500", "last_error_at": moment(0)}


@pytest.mark.parametrize(
    ("found", "is_wrong", "state", "why"),
    [
        (channel("ops"), False, "sending", ""),
        (channel("ops"), True, "troubled", "HTTP 500"),
        (channel("ops", paused_at=moment(0)), False, "paused", ""),
        (channel("ops", paused_at=moment(0), paused_reason="by Ada"), True, "paused", "by Ada"),
        (
            channel("ops", held_until="2026-03-06T10:30:00Z", held_reason="HTTP 503"),
            False,
            "troubled",
            "HTTP 503; next try 2026-03-06 10:30:00 UTC",
        ),
    ],
)
def test_a_channel_stands_as_in_the_live_view_with_the_reason_beside_it(
    found: Channel, is_wrong: bool, state: str, why: str
) -> None:
    told = figures(found, **(WRONG if is_wrong else {}))
    assert (standing.state(found, told), standing.why(found, told)) == (state, why)


def test_a_channel_without_figures_stands_as_it_is() -> None:
    assert standing.state(channel("ops"), None) == "sending"
    assert standing.why(channel("ops"), None) == ""

import pytest

from slowping.core.delivery import Delivery, DeliveryState
from slowping.tui.delivery.about import about
from slowping.tui.delivery.errand import Scene
from slowping.tui.delivery.lines import Drawing
from tests.tui.delivery.samples import channel, failed, moved, scene
from tests.tui.driver import NOW_MS, moment

HOOK = scene(channel("hook"))


def said(one: Delivery, around: Scene) -> str:
    return about(one, None, Drawing(scene=around, now_ms=NOW_MS)).plain


@pytest.mark.parametrize(
    ("one", "around", "why"),
    [
        (failed(1), scene(), "its channel was removed."),
        (moved(failed(1), DeliveryState.DELIVERED), HOOK, "it has arrived; w sends"),
        (
            moved(failed(1), DeliveryState.PENDING),
            scene(channel("hook", paused_at=moment(-60))),
            "its channel is paused; what waits goes out once that is resumed.",
        ),
    ],
)
def test_what_cannot_be_retried_says_why(one: Delivery, around: Scene, why: str) -> None:
    assert f"\nNo retry: {why}" in said(one, around)


@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.LEASED])
def test_of_what_can_be_retried_or_is_on_its_way_nothing_is_said(state: DeliveryState) -> None:
    assert "No retry" not in said(moved(failed(1), state), HOOK)

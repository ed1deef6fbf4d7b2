import os
import pathlib
import time

import httpx
import pytest

from benchmarks import webhooks
from benchmarks.webhooks import FarSide


def test_arrivals_are_told_in_their_order_and_each_once() -> None:
    ours, theirs = os.pipe()
    far_side = FarSide(9, ours)
    os.write(theirs, b"1\n2\n3\n4")
    assert far_side.await_arrivals(2) == [1, 2]
    assert far_side.await_arrivals(1) == [3]
    os.write(theirs, b"5\n")
    assert far_side.await_arrivals(1) == [45]
    os.close(theirs)
    with pytest.raises(RuntimeError, match="do not arrive"):
        far_side.await_arrivals(1)
    os.close(ours)


def test_each_event_arrives_until_the_far_side_has_enough(tmp_path: pathlib.Path) -> None:
    with (
        webhooks.far_side(tmp_path) as far_side,
        webhooks.server(tmp_path / "data", far_side, channels=2) as server,
    ):
        started = time.monotonic_ns()
        webhooks.send(server.api, [0], notify=False)
        webhooks.send(server.api, [0, 1, 1])
        arrived = far_side.await_arrivals(3)
        ended = time.monotonic_ns()
        assert started < min(arrived) <= max(arrived) < ended
        assert webhooks.send_in_vain(server.api, far_side, [0, 1]) == 2
        far_side.await_arrivals(1)
        refused = httpx.post(far_side.url)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")

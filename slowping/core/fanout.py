"""Decide which channels an event goes to."""

from collections.abc import Sequence


def targets(
    channels: Sequence[int], ad_hoc: frozenset[int], routes: Sequence[int]
) -> tuple[int, ...]:
    """Ids of the channels that an event of a category goes to.

    `channels` are the live channels of its project, `routes` those that the category names. A
    category without routes goes to every channel that was configured on purpose.
    """
    live = [channel for channel in channels if channel not in ad_hoc]
    if not routes:
        return tuple(live)
    return tuple(channel for channel in routes if channel in live)

"""Tell what a project holds, what it was sent this month, and what goes with it."""

import collections
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from slowping.core import text
from slowping.core.api_key import ApiKey
from slowping.core.category import Category
from slowping.core.channel import Channel
from slowping.core.overview import Overview
from slowping.core.project import Project
from slowping.tui.figures import numbers
from slowping.tui.widgets.drawing import listed


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a project."""

    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    """Without those that requests have made."""
    ad_hoc: int = 0
    """How many channels requests have made."""


def holdings(categories: Iterable[Category], channels: Iterable[Channel]) -> dict[str, Holdings]:
    """What is in each project that has anything in it, by the project's name."""
    sorts = [collections.defaultdict[str, list[str]](list) for _ in range(3)]
    drawers, named_by_hand, ad_hoc = sorts
    for category in categories:
        drawers[category.project].append(category.name)
    for channel in channels:
        (ad_hoc if channel.ad_hoc else named_by_hand)[channel.project].append(channel.name)
    return {
        project: Holdings(
            categories=tuple(sorted(drawers[project])),
            channels=tuple(sorted(named_by_hand[project])),
            ad_hoc=len(ad_hoc[project]),
        )
        for project in set().union(*sorts)
    }


def this_month(overview: Overview | None) -> Mapping[str, int] | None:
    """Events of this month by the name of the project; of what is not there, there were none."""
    if overview is None:
        return None
    events: collections.Counter[str] = collections.Counter()
    for figures in overview.categories:
        events[figures.project] += figures.events.month
    return events


def month(project: Project, events: int | None) -> str:
    """Events of this month, against the quota where there is one: `1,204 of 5,000, 24%`."""
    so_far = numbers.NOTHING if events is None else numbers.whole(events)
    if project.monthly_quota is None:
        return so_far
    of = f"{so_far} of {numbers.whole(project.monthly_quota)}"
    return of if events is None else f"{of}, {numbers.percent(events, project.monthly_quota)}"


def loss(held: Holdings, at_home: Sequence[ApiKey], waiting: int, own: ApiKey | None) -> str:
    """What goes with a project, with what is most easily overlooked last."""
    channels = len(held.channels) + held.ad_hoc
    categories = _counted(len(held.categories), "category", "categories")
    said = [
        text.upper_first(f"{categories} and {_counted(channels, 'channel', 'channels')} go too.")
        if held != Holdings()
        else "It has no categories and no channels.",
        f"{_counted(waiting, 'waiting delivery is', 'waiting deliveries are')} discarded."
        if waiting
        else "No delivery waits.",
        "Its events stay in the database, where nothing shows them any more.",
    ]
    if at_home:
        names = listed([key.name for key in at_home])
        said.append(f"{_counted(len(at_home), 'key', 'keys')} will be revoked: {names}.")
    if own is not None and own.id in {key.id for key in at_home}:
        said.append("One of them is the key that this live view uses!")
    return "\n".join(said)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}" if number else f"no {one}"

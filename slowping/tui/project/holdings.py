"""Tell what a project holds, what it was sent this month, and what goes with it."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from slowping.core import text
from slowping.core.api_key import ApiKey
from slowping.core.category import Category
from slowping.core.channel import Channel
from slowping.core.overview import Overview
from slowping.core.project import Project
from slowping.tui.figures import numbers

_MOST_NAMES: Final = 6


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a project."""

    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    """Without those that requests have made."""
    ad_hoc: int = 0
    """How many channels requests have made."""


def holdings(
    project: Project, categories: Iterable[Category], channels: Iterable[Channel]
) -> Holdings:
    """What is in it, by name."""
    inside = [each for each in channels if each.project == project.name]
    return Holdings(
        categories=tuple(sorted(each.name for each in categories if each.project == project.name)),
        channels=tuple(sorted(each.name for each in inside if not each.ad_hoc)),
        ad_hoc=sum(each.ad_hoc for each in inside),
    )


def this_month(project: Project, overview: Overview | None, looked_at: str | None) -> int | None:
    """Events of its categories; None where nothing is known of it: another one is looked at."""
    if overview is None or looked_at not in (None, project.name):
        return None
    return sum(
        figures.events.month for figures in overview.categories if figures.project == project.name
    )


def month(project: Project, events: int | None) -> str:
    """Events of this month, against the quota where there is one: `1,204 of 5,000, 24 %`."""
    so_far = numbers.NOTHING if events is None else numbers.whole(events)
    if project.monthly_quota is None:
        return so_far
    of = f"{so_far} of {numbers.whole(project.monthly_quota)}"
    return of if events is None else f"{of}, {100 * events // project.monthly_quota} %"


def named(names: Sequence[str]) -> str:
    """Names one after the other, the first few of many: `sale, bug and 3 more`."""
    shown, more = names[:_MOST_NAMES], len(names) - _MOST_NAMES
    listed = ", ".join(text.one_line(name) for name in shown)
    return listed + (f" and {more} more" if more > 0 else "")


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
        names = named([key.name for key in at_home])
        said.append(f"{_counted(len(at_home), 'key', 'keys')} will be revoked: {names}.")
    if own is not None and own.id in {key.id for key in at_home}:
        said.append("One of them is the key that this live view uses!")
    return "\n".join(said)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}" if number else f"no {one}"

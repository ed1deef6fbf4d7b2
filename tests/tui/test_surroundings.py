"""What is known of categories beside themselves, and what a table has room for."""

import pytest
from rich.cells import cell_len

from slowping.core.category import Category
from slowping.core.feed import ChannelChanged, EventAccepted, KeyChanged
from slowping.core.overview import Counts
from slowping.tui.category.columns import columns
from slowping.tui.category.surroundings import RECENT, Surroundings, may_send
from slowping.tui.widgets import category_look
from tests.tui.channels import channel
from tests.tui.driver import NOW_MS, category, event, moment
from tests.tui.figures import category_figures, overview
from tests.tui.things import key

SALE = category("sale")


def surroundings() -> Surroundings:
    known = Surroundings()
    known.load([channel("ops")], [key(1)], [event(2), event(1)])
    return known


@pytest.mark.parametrize(
    ("what", "may"),
    [
        ({}, True),
        ({"scopes": ["admin"]}, True),
        ({"scopes": ["read"]}, False),
        ({"project": "blog"}, False),
        ({"project": "blog", "projects": ["shop"]}, True),
        ({"project": "blog", "all_projects": True}, True),
        ({"revoked_at": moment(-1)}, False),
        ({"expires_at": moment(0)}, False),
        ({"expires_at": moment(1)}, True),
    ],
)
def test_who_may_send(what: dict[str, object], may: bool) -> None:
    assert may_send(key(1, **what), "shop", moment(0)) is may


def test_the_last_event_is_the_newest_that_was_heard_of() -> None:
    known = surroundings()
    assert known.of(SALE, moment(0)).last_at == event(2).received_at
    known.take([EventAccepted(id="e", event=event(3))])
    known.take([EventAccepted(id="e", event=event(1))])
    assert known.of(SALE, moment(0)).last_at == event(3).received_at


def test_only_so_many_recent_events_are_kept() -> None:
    known = surroundings()
    assert known.of(SALE, moment(0)).recent is None
    known.remember(SALE, [event(1)])
    known.take([EventAccepted(id="e", event=event(number)) for number in range(2, 12)])
    recent = known.of(SALE, moment(0)).recent
    assert recent is not None
    assert [each.description for each in recent] == [f"event {n}" for n in (11, 10, 9, 8, 7)]
    assert len(recent) == RECENT


def test_a_renamed_category_keeps_what_is_known() -> None:
    known = surroundings()
    known.remember(SALE, [event(1)])
    order = category("order", id=SALE.id)
    known.rename(SALE, order)
    assert known.of(order, moment(0)).last_at == event(2).received_at
    assert known.of(order, moment(0)).recent == (event(1),)
    assert known.of(SALE, moment(0)).recent is None


def test_keys_and_channels_come_and_go() -> None:
    known = surroundings()
    known.take([KeyChanged(id="k", api_key=key(2, id="k", name="till"))])
    assert [each.name for each in known.senders(SALE, moment(0))] == ["key-1", "till"]
    known.take([KeyChanged(id="k", api_key=None)])
    assert [each.name for each in known.senders(SALE, moment(0))] == ["key-1"]
    known.take([ChannelChanged(id="c", channel=channel("mail", id="c"))])
    known.take([ChannelChanged(id="d", channel=channel("one-off", id="d", ad_hoc=True))])
    known.take([ChannelChanged(id="e", channel=channel("theirs", id="e", project="blog"))])
    assert known.channels_of("shop") == ("mail", "ops")


def test_keys_that_could_not_be_had_are_not_taken_for_none() -> None:
    known = Surroundings()
    known.load([], None, [])
    known.take([KeyChanged(id="k", api_key=key(2, id="k"))])
    assert known.of(SALE, moment(0)).senders is None


def test_without_an_overview_there_are_no_figures() -> None:
    known = surroundings()
    known.count(overview(categories=(category_figures("sale"),)))
    assert known.of(SALE, moment(0)).figures is not None
    known.count(None)
    assert not known.has_figures


@pytest.mark.parametrize(
    ("width", "all_projects", "with_figures", "shown"),
    [
        (0, True, True, "Category"),
        (57, True, True, "Category Project Today Week Last"),
        (56, False, False, "Category Last Channels Priority"),
        (76, False, True, "Category Today Last day Last Channels"),
        (86, False, True, "Category Today Week Last day Last Channels"),
        (160, True, True,
         "Category Project Today Week Month Last 24 hours Last Channels Priority"),
    ],
)  # fmt: skip
def test_columns_are_as_many_as_fit(
    width: int, all_projects: bool, with_figures: bool, shown: str
) -> None:
    titles = columns(width, 30, all_projects=all_projects, with_figures=with_figures)
    assert " ".join(titles) == shown


@pytest.mark.parametrize("width", [40, 56, 71, 72, 80, 100, 139, 140, 160])
def test_what_is_shown_fits(width: int) -> None:
    known = surroundings()
    long = category("n" * 60, channels=["c" * 50], priority=-1000, project="p" * 64)
    known.count(
        overview(
            categories=(
                category_figures(
                    long.name, project=long.project, events=Counts(today=10**6, week=10**6)
                ),
            )
        )
    )
    titles = columns(width, 60, all_projects=True, with_figures=True)
    assert widths(known, long, titles, width) <= width


def widths(known: Surroundings, of: Category, titles: tuple[str, ...], width: int) -> int:
    """How many cells a row takes, with one on either side of each cell."""
    shown = known.of(of, moment(0))
    cells = [category_look.cell_of(title, shown, NOW_MS, width).plain for title in titles]
    pairs = zip(titles, cells, strict=True)
    return sum(max(cell_len(title), cell_len(cell)) + 2 for title, cell in pairs)

"""Draw all there is to know of a project."""

import datetime as dt
from collections.abc import Iterable

from textual.content import Content

from slowping.core import retention, text
from slowping.core.project import Project
from slowping.tui.figures import numbers
from slowping.tui.project.holdings import Holdings, month
from slowping.tui.widgets.drawing import listed
from slowping.tui.widgets.pane import heading

_WIDTH = 12


def card(project: Project, held: Holdings, events: int | None) -> Content:
    """The project, what it holds, and how many events its categories got this month."""
    kept = retention.told(project.keep_days, project.keep_mb)
    blocks = (
        _block(
            Content.styled(text.one_line(project.name), "bold"),
            ("id", project.id),
            ("created", _day(project.created_at)),
            ("SlowStats", "clients send the id or the name as their projectId"),
        ),
        _block(
            heading("Holds"),
            ("categories", listed(held.categories) or "none yet: 4 leads to where they are made"),
            ("channels", listed(held.channels) or "none yet: 3 leads to where they are made"),
            *([("ad hoc", _ad_hoc(held.ad_hoc))] if held.ad_hoc else []),
        ),
        _block(
            heading("Takes"),
            ("this month", month(project, events)),
            ("quota", _quota(project)),
            *([("kept", kept)] if kept else []),
            ("web pages", listed(project.allowed_origins) or "of any origin"),
            ("destinations", _strict(project)),
        ),
    )
    return Content("\n\n").join(blocks)


def _block(title: Content, *rows: tuple[str, str]) -> Content:
    return Content("\n").join([title, *_lines(rows)])


def _lines(rows: Iterable[tuple[str, str]]) -> list[Content]:
    return [
        Content.assemble((f"{name:<{_WIDTH}}  ", "$text-muted"), text.one_line(said))
        for name, said in rows
    ]


def _quota(project: Project) -> str:
    if project.monthly_quota is None:
        return "none"
    return f"{numbers.whole(project.monthly_quota, 20)} events a calendar month (UTC)"


def _strict(project: Project) -> str:
    if project.strict_destinations:
        return "strict: PingPanda and PingPilot clients are refused without the channels they know"
    return "as it comes: any channel will do"


def _ad_hoc(number: int) -> str:
    return f"{number:,} made by requests that name a webhook"


def _day(moment: dt.datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"

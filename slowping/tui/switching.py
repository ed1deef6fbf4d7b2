"""Look at another project, use another key, forget a server: by hand, or as it comes."""

from typing import TYPE_CHECKING

import msgspec

from slowping.core.feed import ProjectChanged
from slowping.core.project import Project
from slowping.tui.act import acting
from slowping.tui.live import Batch

if TYPE_CHECKING:
    from slowping.tui.app import SlowpingApp
    from slowping.tui.settings import Profile

_ALL = ""


async def choose_project(app: "SlowpingApp") -> None:
    """Ask for one of the projects that the key may see, or for all of them, and go there."""
    projects: list[Project] = []
    async with acting(app, "Listing the projects"):
        from slowping.client.client import all_items

        projects = [each async for each in all_items(app.client.list_projects)]
        if len(projects) < 2:
            app.tell(_lonely(projects))
            return
    if not projects:
        return
    from slowping.tui.modals.choose import Answer, ChooseModal

    everything = Answer(
        key=_ALL,
        name="All projects",
        help=f"all {len(projects)} that this key may see",
        is_current=app.project is None,
    )
    each = sorted(projects, key=lambda project: project.name)
    answers = [Answer(key=p.name, name=p.name, is_current=p.name == app.project) for p in each]
    chosen = await app.push_screen_wait(ChooseModal("Which project?", [everything, *answers]))
    if chosen is not None:
        app.project = chosen or None


def heed(app: "SlowpingApp", batch: Batch) -> None:
    """Go along with what becomes of the project that is looked at, the only one told of."""
    changed = [item.project for item in batch if isinstance(item, ProjectChanged)]
    if app.project is None or not changed:
        return
    if changed[-1] is None:
        leave_project(app, "it was removed")
    elif changed[-1].name != app.project:
        app.project = changed[-1].name


def leave_project(app: "SlowpingApp", why: str) -> None:
    """Look at all projects, and say why."""
    app.tell(f"Back to all projects from '{app.project}': {why}.", severity="warning")
    app.project = None


def use_key(app: "SlowpingApp", value: str) -> None:
    """Use another key at the same server; remembered where the one before was."""
    if (before := app.profile) is None:
        return
    profile = msgspec.structs.replace(before, api_key=value)
    app.keep(lambda kept: kept.with_other_key(before, value))
    app.profile = profile  # it may what the one before might: what is known stays known
    app.use(profile)


async def forget(app: "SlowpingApp", profile: "Profile") -> None:
    """Ask whether a server and its API key are to be forgotten, and forget them."""
    from slowping.tui.modals.confirm import ConfirmModal

    question = ConfirmModal(
        f"Forget {profile.name}?",
        "The live view forgets its address and the API key that was used there. "
        "The server itself goes on.",
        yes="Forget",
    )
    if await app.push_screen_wait(question):
        app.keep(lambda kept: kept.without_profile(profile))
        app.tell(f"Forgot {profile.name}.")


def _lonely(projects: list[Project]) -> str:
    if not projects:
        return "This API key sees no project."
    return f"'{projects[0].name}' is the only project that this API key may see."

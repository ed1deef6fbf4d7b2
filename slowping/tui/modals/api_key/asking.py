"""Ask one thing after the other: what a new key is for, how an old one ends; show a value once."""

from typing import TYPE_CHECKING

from slowping.core import project, text
from slowping.core.api_key import ApiKey, IssuedApiKey
from slowping.tui.api_key import standing, succession
from slowping.tui.api_key.succession import Overlap
from slowping.tui.modals.api_key.form import ApiKeyFormModal
from slowping.tui.modals.choose import Answer, ChooseModal
from slowping.tui.modals.confirm import ConfirmModal
from slowping.tui.modals.key_reveal import KeyRevealModal
from slowping.tui.table_place import every

if TYPE_CHECKING:
    from slowping.tui.app import SlowpingApp


async def projects(app: "SlowpingApp", at_hand: str | None) -> tuple[str, ...]:
    """Those that a key may be issued for, the one to propose first."""
    found = await every(app.client.list_projects)
    first = app.project or at_hand or project.DEFAULT
    return tuple(sorted((each.name for each in found), key=lambda name: (name != first, name)))


async def new(app: "SlowpingApp", projects: tuple[str, ...]) -> IssuedApiKey | None:
    """A key as the server has issued it."""
    return await app.push_screen_wait(ApiKeyFormModal(projects, app.now_ms))


async def overlap(app: "SlowpingApp", key: ApiKey) -> Overlap | None:
    """How long the key is to work beside the one that takes its place."""
    now_ms = app.now_ms()
    answers = [
        Answer(
            key=str(each.seconds),
            name=each.name,
            help=succession.promise(each, key, now_ms),
            is_current=each is succession.USUAL,
        )
        for each in succession.OVERLAPS
    ]
    question = ChooseModal(
        f"Rotate {key.name}: how long is the old key to work?",
        answers,
        "A new key is issued that may do the same.",
        find=False,
    )
    chosen = await app.push_screen_wait(question)
    return next((each for each in succession.OVERLAPS if str(each.seconds) == chosen), None)


async def loss(app: "SlowpingApp", key: ApiKey) -> str:
    """What comes of revoking it, as things stand now, in every project."""
    found = await every(app.client.list_api_keys, revoked=False)
    now = {each.id: each for each in found}
    return standing.loss(now.get(key.id, key), now.values(), app.own_key, app.now_ms())


async def really_revoke(app: "SlowpingApp", key: ApiKey, loss: str) -> bool:
    """Whether it is to end, with what comes of it."""
    # A name that cannot be typed is not asked for.
    name = key.name if text.one_line(key.name) == key.name else key.id
    return await app.push_screen_wait(
        ConfirmModal(f"Revoke {key.name}?", loss, yes="Revoke", name=name)
    )


async def reveal(app: "SlowpingApp", issued: IssuedApiKey, note: str) -> None:
    """Show the value, this once."""
    name = issued.api_key.name
    await app.push_screen_wait(
        KeyRevealModal(f"API key {name}", {"Value": issued.value}, note, file=name)
    )

"""Ask one thing after the other: kind, settings, whether a channel really is to go."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from slowping.core import project
from slowping.core.category import Category
from slowping.core.channel import Channel, ChannelKind, IssuedChannel
from slowping.core.delivery import DeliveryState
from slowping.core.page import MAX_LIMIT
from slowping.tui.channel import schema, words
from slowping.tui.modals.channel.form import Blank, ChannelFormModal
from slowping.tui.modals.choose import Answer, ChooseModal
from slowping.tui.modals.confirm import ConfirmModal
from slowping.tui.modals.key_reveal import KeyRevealModal
from slowping.tui.table_place import every

if TYPE_CHECKING:
    from slowping.tui.app import SlowpingApp


async def kind(app: "SlowpingApp", kinds: Sequence[ChannelKind]) -> ChannelKind | None:
    """Which kind a new channel is to be of."""
    answers = [Answer(key=each.kind, name=each.kind, help=each.summary) for each in kinds]
    question = "Where are notifications to go to?"
    chosen = await app.push_screen_wait(ChooseModal(question, answers))
    return next((each for each in kinds if each.kind == chosen), None)


async def projects(app: "SlowpingApp", at_hand: str | None) -> tuple[str, ...]:
    """Those that a channel may be made in; first the one that is looked at, or is at hand."""
    if app.project is not None:
        return (app.project,)
    names = sorted(each.name for each in await every(app.client.list_projects))
    return tuple(sorted(names, key=lambda name: name != (at_hand or project.DEFAULT)))


async def new(
    app: "SlowpingApp",
    chosen: ChannelKind,
    kinds: Sequence[ChannelKind],
    projects: tuple[str, ...],
    taken: Iterable[str],
) -> IssuedChannel | None:
    """A channel of that kind, as the server has made it."""
    blank = Blank(
        kind=chosen,
        common=schema.common([each.settings for each in kinds]),
        name=words.free_name(chosen.kind, set(taken)),
        projects=projects,
    )
    return await _issued(app, blank)


async def changed(
    app: "SlowpingApp", channel: Channel, kinds: Sequence[ChannelKind]
) -> IssuedChannel | None:
    """The channel with other settings; a kind that the server has no more has no form."""
    of = next((each for each in kinds if each.kind == channel.kind), None)
    if of is None:
        app.tell(
            f"The server knows no channels of kind {channel.kind} any more: its plug-in is gone.",
            severity="warning",
        )
        return None
    common = schema.common([each.settings for each in kinds])
    return await _issued(app, Blank(kind=of, common=common, channel=channel))


async def really_remove(app: "SlowpingApp", channel: Channel, loss: str) -> bool:
    """Whether it is to go, with what goes along."""
    return await app.push_screen_wait(
        ConfirmModal(f"Remove {channel.name}?", loss, yes="Remove", name=channel.name)
    )


async def loss(app: "SlowpingApp", channel: Channel, categories: Iterable[Category]) -> str:
    """What goes along with a channel."""
    waiting = await app.client.list_deliveries(
        project=channel.project,
        channel=channel.name,
        states=[DeliveryState.PENDING],
        limit=MAX_LIMIT,
    )
    more = waiting.cursor is not None
    return words.loss(channel, categories, len(waiting.items), more=more)


async def _issued(app: "SlowpingApp", blank: Blank) -> IssuedChannel | None:
    issued = await app.push_screen_wait(ChannelFormModal(blank))
    if issued is not None and issued.secrets:
        name = issued.channel.name
        note = "Give it to the far side, by which it knows that a message comes from here."
        await app.push_screen_wait(
            KeyRevealModal(f"Made for {name}", issued.secrets, note, file=name)
        )
    return issued

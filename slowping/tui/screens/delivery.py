"""The deliveries: what failed first, by channel and error, and what is done about it."""

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from textual import work

from slowping.core import ids
from slowping.core.delivery import Delivery, DeliverySelection
from slowping.tui.act import acting
from slowping.tui.command import Command, on_command
from slowping.tui.commands import delivery
from slowping.tui.delivery import errand, said
from slowping.tui.delivery.board import Board
from slowping.tui.delivery.errand import Errand, Verb
from slowping.tui.delivery.groups import Group, GroupKey, View, key_of
from slowping.tui.delivery.place import DeliveryPlace
from slowping.tui.delivery.round import Round
from slowping.tui.sifting.query import Query, Term

if TYPE_CHECKING:
    from slowping.client.client import Client

_VERBS: Final = {delivery.RETRY: Verb.RETRY, delivery.DISCARD: Verb.DISCARD}


class DeliveryScreen(DeliveryPlace):
    """Groups and deliveries, and the keys that do something with them."""

    def __init__(self) -> None:
        super().__init__()
        self._sought_groups = Query()
        """The filter of the groups, while one of them is looked into."""

    def why_not(self, command: Command) -> str | None:
        """Why deliveries cannot be retried or discarded as they stand."""
        reason = super().why_not(command)
        if reason is not None:
            return reason
        if command in _VERBS:
            return self.board.why_not(_VERBS[command], self.lines.current)
        if command is delivery.RETRY_ALL:
            nothing = None if self._all().number else "nothing here can be retried."
            return self.board.under_way or nothing
        if command is delivery.EVENT and isinstance(self.current, Group):
            return "a group has many events; enter shows its deliveries."
        return None

    # Going about ------------------------------------------------------------------------------

    def jump(self, what: str) -> None:
        """Show the delivery of this id, or what there is of the channel of this name."""
        if ids.parse(ids.DELIVERY, what) is not None:
            self._find(what)
            return
        if self._loading:
            self._awaited = what
            return
        self._close_group()
        mine = (
            view
            for view in (View.FAILED, View.WAITING)
            if any(group.key.channel == what for group in self.board.groups.shown(view))
        )
        self.board.view = next(mine, View.FAILED)
        self.filter_bar.sought = Query((Term(None, what.casefold()),))
        self.draw()

    @work(exclusive=True, group="find")
    async def _find(self, delivery_id: str) -> None:
        async with acting(self, "Looking for the delivery"):
            found = (await self.app.client.show_delivery(delivery_id)).delivery
            self._open_group(key_of(found), found)
            self.pane.display = True

    def step_back(self) -> bool:
        """Stop what goes on, close the details, unmark, clear the filter, leave the group."""
        steps = (
            self._stop, self.close_details, self._unmark, self.clear_filter,
            self._forget_round, self._close_group,
        )  # fmt: skip
        has_stepped = any(step() for step in steps)
        self.draw()
        return has_stepped

    def _stop(self) -> bool:
        act = self.board.round
        if act is None or act.is_over:
            return False
        act.stop()
        return True

    def _unmark(self) -> bool:
        were_marked = bool(self.board.marked)
        self.board.marked.clear()
        return were_marked

    def _forget_round(self) -> bool:
        was_told = self.board.round is not None
        self.board.forget_round()
        return was_told

    def open(self) -> None:
        """Look into the group, or show the delivery's details."""
        one = self.current
        if isinstance(one, Group):
            self._open_group(one.key)
        else:
            super().open()

    def _open_group(self, key: GroupKey, one: Delivery | None = None) -> None:
        """Look into a group, and there at one delivery."""
        if self.board.opened is None:
            self._sought_groups = self.filter_bar.sought
        opened = self.board.open(key)
        self.filter_bar.sought = Query()
        self._load_rows(opened, one)
        self.draw()

    def forget(self) -> None:
        """Leave the group, and forget all."""
        self._close_group()
        super().forget()

    def _close_group(self) -> bool:
        key = self.board.close()
        if key is None:
            return False
        self.filter_bar.sought = self._sought_groups
        self.draw()
        self.lines.go_to(key)
        return True

    @on_command(delivery.EVENT)
    async def go_to_event(self) -> None:
        """Show the delivery's event in the feed."""
        if isinstance(one := self.current, Delivery):
            await self.app.jump("feed", one.event_id)

    # What is done with deliveries -------------------------------------------------------------

    @on_command(delivery.MARK)
    def mark(self) -> None:
        """Mark the row, or do not any more, and go to the next one."""
        if self.has_row():
            self.board.mark(self.lines.current)
            self.lines.down()
            self.draw()

    @on_command(delivery.RETRY)
    def retry(self) -> None:
        """Try again what is marked, or under the cursor."""
        act = self.board.errand(Verb.RETRY, self.lines.current)
        self._carry_out(act, asks=act.number > 1)

    @on_command(delivery.RETRY_ALL)
    def retry_all(self) -> None:
        """Try again all that match."""
        self._carry_out(self._all(), asks=True)

    @on_command(delivery.DISCARD)
    def discard(self) -> None:
        """Give up what is marked, or under the cursor."""
        self._carry_out(self.board.errand(Verb.DISCARD, self.lines.current), asks=True)

    @on_command(delivery.VIEW)
    def change_view(self) -> None:
        """Show what has failed, then what waits, then all."""
        self._close_group()
        self.board.view = self.board.view.following
        self.board.marked.clear()
        self._loading = not self.board.groups.has(self.board.view)
        self._load()
        self.draw()
        self.lines.top()

    @on_command(delivery.REPLAY)
    @work(group="replay")
    async def replay(self) -> None:
        """Send the events of a time window again."""
        from slowping.tui.modals.replay import ReplayModal

        names = self.board.around.names()
        done = await self.app.push_screen_wait(ReplayModal(self.app.project, names))
        if done is not None:
            self.app.tell(f"{said.replayed(done)}.")

    def _all(self) -> Errand:
        query = self.filter_bar.sought
        return self.board.errand_of_all(Verb.RETRY, self.board.shown(query), query)

    @work(group="errand")
    async def _carry_out(self, act: Errand, *, asks: bool) -> None:
        """Do it, step by step, once the person means it."""
        if asks:
            act = await self._counted_anew(act)
            # Who went elsewhere meanwhile, or was asked already, is not asked.
            if not act.number or not self.is_active or not await self._is_meant(act):
                return
        board = self.board  # the act goes on, and is told of, also where another one is shown
        following = board.begin(act)
        self.draw()
        async with acting(self, f"{act.verb.doing} {act.counted}"):
            await self._go_through(following, board, self.app.client)
        following.end()
        if following.is_complete:
            board.marked.clear()
        elif not following.moved:  # nothing has come of it, and why was told
            board.forget_round()
        self.draw()
        if not self.is_current or board is not self.board:
            self.app.tell(following.say())

    async def _counted_anew(self, act: Errand) -> Errand:
        """The act as the server counts it: the feed may have told of what was counted already.

        It is about nothing where the server does not say.
        """
        if not act.groups:
            return act
        async with acting(self, "Counting the deliveries") as counting:
            await self._load_groups()
        if counting.error is not None:
            return msgspec.structs.replace(act, groups=(), number=0)
        act = self.board.counted_anew(act)
        if not act.number:
            self.app.tell("None of them is left: they have moved on.")
        return act

    async def _is_meant(self, act: Errand) -> bool:
        from slowping.tui.modals.confirm import ConfirmModal

        question, detail = said.question(act)
        return await self.app.push_screen_wait(ConfirmModal(question, detail, yes=act.verb.word))

    async def _go_through(self, following: Round, board: Board, client: "Client") -> None:
        steps = errand.batches(following.errand, client.list_deliveries)
        async with contextlib.aclosing(steps):
            async for batch in steps:
                if following.is_stopped:
                    return
                board.expect(following, batch)
                if len(batch) == 1:  # so that a refusal says why
                    board.take([await _move_one(following.errand.verb, batch[0], client)])
                    moved = 1
                else:
                    moved = await _move(following.errand.verb, batch, client)
                following.step(batch, moved)
                self.draw()
        following.is_complete = True


async def _move_one(verb: Verb, one: Delivery, client: "Client") -> Delivery:
    """Retry or discard it; as it stands then."""
    move = client.retry_delivery if verb is Verb.RETRY else client.discard_delivery
    return await move(one.id)


async def _move(verb: Verb, batch: Sequence[Delivery], client: "Client") -> int:
    """Retry or discard them; how many were moved."""
    move = client.retry_deliveries if verb is Verb.RETRY else client.discard_deliveries
    # What is in another state by now was dealt with by somebody else.
    states = tuple(sorted({each.state for each in batch}))
    selection = DeliverySelection(ids=tuple(each.id for each in batch), states=states)
    return (await move(selection)).moved

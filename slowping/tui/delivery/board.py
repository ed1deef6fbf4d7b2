"""What the deliveries screen shows: groups or the deliveries of one, marks, an act and its end."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Final

import msgspec
from textual.content import Content

from slowping.core import text
from slowping.core.delivery import Delivery
from slowping.tui.delivery import errand, lines, words
from slowping.tui.delivery.errand import Errand, Verb
from slowping.tui.delivery.groups import Group, GroupKey, Groups, View, key_of
from slowping.tui.delivery.lines import Drawing
from slowping.tui.delivery.round import Round
from slowping.tui.delivery.rows import GroupRows
from slowping.tui.delivery.surroundings import Surroundings
from slowping.tui.sifting.query import Query
from slowping.tui.sifting.standing import Standing
from slowping.tui.widgets.lines import Column, Piece

Thing = Group | Delivery
"""What is on a line."""

_ROOMY: Final = 70
"""Columns from which on views need not stand close together."""


class Board:
    """All that is known, and which part of it is looked at."""

    def __init__(self) -> None:
        self.groups = Groups()
        self.view = View.FAILED
        self.opened: GroupRows | None = None
        """The deliveries of the group that is looked into; None while groups are shown."""
        self.marked: set[Hashable] = set()
        """What is marked of what is looked at."""
        self.round: Round | None = None
        """The latest act on deliveries, until somebody has seen what came of it."""
        self.around = Surroundings()
        self._columns: list[Column] = []
        self._drawing = Drawing(scene=self.around.scene)
        self._marked_groups: set[Hashable] = set()

    # What is known ----------------------------------------------------------------------------

    def take(self, changed: Sequence[Delivery]) -> None:
        """Deliveries have changed."""
        for delivery in changed:
            self.groups.take(delivery)
            if self.opened is not None:
                self.opened.take(delivery)
            if self.round is not None:
                self.round.take(delivery)

    # What is looked at ------------------------------------------------------------------------

    def open(self, key: GroupKey) -> GroupRows:
        """Look into a group."""
        if self.opened is None:
            self._marked_groups = self.marked
        self.opened, self.marked = GroupRows(key), set()
        return self.opened

    def close(self) -> GroupKey | None:
        """Back to the groups; which one was looked into."""
        if self.opened is None:
            return None
        key = self.opened.key
        self.opened, self.marked, self._marked_groups = None, self._marked_groups, set()
        return key

    def begin_anew(self, project: str | None) -> None:
        """All is loaded anew, of this project or of every one: leave what is of another.

        Nobody knows what has come of an act while nothing was heard.
        """
        if self.opened is not None and project not in {None, self.opened.key.project}:
            self.close()
        if self.round is not None and self.round.is_over:
            self.forget_round()

    def thing(self, key: Hashable | None) -> Thing | None:
        """The group or delivery of this key."""
        if isinstance(key, GroupKey):
            return self.groups.get(key)
        return self.opened.rows.get(str(key)) if self.opened is not None else None

    def shown(self, query: Query) -> list[Hashable]:
        """The keys of what is shown, in order; what is gone is not marked any more."""
        if self.opened is not None:
            rows = self.opened.rows
            self.marked &= rows.keys()
            fits = query.fits
            return [
                name for name, row in rows.items() if not query.is_on or fits(errand.facts(row))
            ]
        self.marked = {key for key in self.marked if self.thing(key)}
        found = self.groups.shown(self.view)
        return [group.key for group in found if query.fits(errand.group_facts(group))]

    def mark(self, key: Hashable) -> None:
        """Mark it, or do not any more."""
        self.marked ^= {key}

    # What can be done -------------------------------------------------------------------------

    def errand(self, verb: Verb, current: Hashable | None) -> Errand:
        """The act on what is marked, else on what is under the cursor."""
        return self._about(verb, self.marked or [current])

    def errand_of_all(self, verb: Verb, shown: Sequence[Hashable], query: Query) -> Errand:
        """The act on all that match: of every group that failed, where more than that is shown."""
        if self.opened is None:
            wanted = Standing.WAITING if self.view is View.WAITING else Standing.FAILED
            groups = [key for key in shown if isinstance(key, GroupKey)]
            return self._about(verb, [key for key in groups if key.standing is wanted])
        if self.opened.is_whole:
            return self._about(verb, shown)
        whole = self._about(verb, [self.opened.key])
        if not query.is_on or not whole.number:
            return whole
        # How many of the rest match is known once they are looked through.
        return msgspec.structs.replace(whole, sought=query, number=len(shown), is_exact=False)

    def counted_anew(self, act: Errand) -> Errand:
        """The act on all in its groups that are there by now."""
        return self._about(act.verb, act.groups) if act.is_exact else act

    def begin(self, act: Errand) -> Round:
        """Follow an act from now on; what came of the one before is not told any more."""
        self.forget_round()
        self.round = Round(act)
        return self.round

    def expect(self, act: Round, batch: Sequence[Delivery]) -> None:
        """These are moved next; what was retried is seen on, to see what comes of it."""
        act.begin(batch)
        self.groups.know(batch)
        if self.opened is not None and act.errand.verb is Verb.RETRY:
            self.opened.stay(act.ids)

    def forget_round(self) -> None:
        """Tell no more of the latest act."""
        self.round = None
        if self.opened is not None:
            self.opened.let_go()

    @property
    def under_way(self) -> str | None:
        """What goes on, so that nothing else can be begun; None where nothing does."""
        if self.round is None or self.round.is_over:
            return None
        return f"{self.round.errand.verb.doing.casefold()} goes on; esc stops that."

    def why_not(self, verb: Verb, current: Hashable | None) -> str | None:
        """Why what is marked, or under the cursor, cannot be retried or discarded."""
        if self.under_way is not None:
            return self.under_way
        if self.marked:
            nothing = not self.errand(verb, None).number
            return f"nothing that is marked can be {verb.done.casefold()}." if nothing else None
        thing = self.thing(current)
        if isinstance(thing, Group):
            return errand.obstacle(verb, thing.key, None, self.around.scene)
        if thing is None:
            return "nothing is selected."
        return errand.obstacle(verb, key_of(thing), thing.state, self.around.scene)

    def _about(self, verb: Verb, keys: Iterable[Hashable]) -> Errand:
        found = [thing for key in keys if (thing := self.thing(key)) is not None]
        groups = [each for each in found if isinstance(each, Group)]
        if groups:
            return errand.of_groups(verb, groups, self.around.scene)
        deliveries = [each for each in found if isinstance(each, Delivery)]
        return errand.of_deliveries(verb, deliveries, self.around.scene)

    # How it is drawn --------------------------------------------------------------------------

    def prepare(
        self, shown: Sequence[Hashable], width: int, now_ms: int, *, with_project: bool
    ) -> str:
        """Choose the columns for what is shown; answers with the line of their titles."""
        self._drawing = Drawing(
            width=width,
            now_ms=now_ms,
            scene=self.around.scene,
            schedules=self.around.schedules,
            emojis=self.around.emojis,
            with_project=with_project,
        )
        things = [thing for key in shown if (thing := self.thing(key)) is not None]
        if self.opened is None:
            groups = [thing for thing in things if isinstance(thing, Group)]
            self._columns = lines.group_columns(groups, self.view, self._drawing)
        else:
            deliveries = (thing for thing in things if isinstance(thing, Delivery))
            self._columns = lines.delivery_columns(deliveries, self._drawing)
        return lines.title_line(self._columns)

    def drawing(self, now_ms: int) -> Drawing:
        """What is drawn with, at this moment."""
        return msgspec.structs.replace(self._drawing, now_ms=now_ms)

    def line(self, key: Hashable, now_ms: int) -> list[Piece]:
        """One line of the list."""
        thing, given = self.thing(key), self.drawing(now_ms)
        if isinstance(thing, Group):
            look = words.look_of_group(thing, self.around.scene)
            cells = lines.group_cells(thing, self.view, given)
        elif thing is not None:
            look, cells = (
                words.look_of(thing, self.around.scene),
                lines.delivery_cells(thing, given),
            )
        else:
            return []
        return lines.line(look, self._columns, cells, is_marked=key in self.marked)

    # What is said -----------------------------------------------------------------------------

    def scope(self) -> Content:
        """Where one is: the views with what is in them, or the way into a group."""
        if self.opened is not None:
            key = self.opened.key
            steps = (key.standing.value, key.channel, key.error or "")
            way = " ▸ ".join(text.one_line(step) for step in steps if step)
            return Content.styled(f" {way} ", "bold")
        gap = " " if self._drawing.width < _ROOMY else "  "
        tabs = [part for view in View for part in (gap, self._tab(view))]
        return Content.assemble(" ", *tabs[1:])

    def counted(self, shown: int) -> str:
        """How many are shown, of how many, and how many are marked."""
        marked = f"{len(self.marked):,} marked · " if self.marked else ""
        if self.opened is None:
            if not self.groups.has(self.view):
                return ""
            every = len(self.groups.shown(self.view))
            noun = "groups, and more" if self.groups.is_cut else "groups"
            return marked + _of(shown, every, "group" if every == 1 else noun)
        every = len(self.opened.rows)
        if not self.opened.loaded:
            return ""
        if not self.opened.is_whole:
            group = self.groups.get(self.opened.key)
            every = max(every, group.count if group else 0)
            return f"{marked}{shown:,} of {every:,} shown"
        return marked + _of(shown, every, "delivery" if every == 1 else "deliveries")

    def _tab(self, view: View) -> Content:
        label = view.value
        if self.groups.has(view) and (view is not View.ALL or self.view is View.ALL):
            totals = self.groups.totals()
            label += f" {sum(totals[standing] for standing in view.standings):,}"
        if view is self.view:
            return Content.styled(f"[{label}]", "bold")
        return Content.styled(label, "$text-muted")


def _of(shown: int, every: int, noun: str) -> str:
    return f"{shown:,} of {every:,} {noun}" if shown != every else f"{every:,} {noun}"

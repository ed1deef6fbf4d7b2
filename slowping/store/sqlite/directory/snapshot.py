"""Read all that accepting and delivering need to know, in a few queries however much it is."""

import collections
from collections.abc import Sequence
from typing import Final

from slowping.core.channel import StoredChannel
from slowping.store.port import ProjectSnapshot, StoredCategory
from slowping.store.sqlite import rows
from slowping.store.sqlite.directory import desk
from slowping.store.sqlite.directory.desk import Desk
from slowping.store.sqlite.directory.project import PROJECTS

_ALL: Final = -1
"""As a limit: none."""

CATEGORIES: Final = """
select id,
       project_id,
       name,
       (select json_group_array(channel_id)
          from (select channel_id
                  from route
                 where route.category_id = category.id
                 order by position)) as routes
  from category
 where project_id in (select value from json_each(:projects))
   and removed_at is null
 order by id
"""

CHANNELS: Final = """
select id,
       project_id,
       name,
       kind,
       settings,
       secrets,
       learned,
       ad_hoc,
       target,
       paused_at,
       paused_reason,
       created_at
  from channel
 where project_id in (select value from json_each(:projects))
   and removed_at is null
 order by id
"""


class Snapshots(Desk):
    """What is live, for the engine."""

    async def snapshots(self, project_id: int | None = None) -> Sequence[ProjectSnapshot]:
        """Every live project, or the one, with what is live in it, oldest first.

        A category may route to a channel that is removed: it goes nowhere then.
        """
        window = desk.page(None, None, _ALL) if project_id is None else desk.one(project_id)
        projects = await self._readers.fetch_at_once(PROJECTS, window)
        within = {"projects": desk.json_text([row["id"] for row in projects])}
        # Channels come last: each one that is routed to is there by then.
        categories: dict[int, list[StoredCategory]] = collections.defaultdict(list)
        for row in await self._readers.fetch_at_once(CATEGORIES, within):
            categories[row["project_id"]].append(rows.stored_category(row))
        channels: dict[int, list[StoredChannel]] = collections.defaultdict(list)
        for row in await self._readers.fetch_at_once(CHANNELS, within):
            channels[row["project_id"]].append(rows.stored_channel(row, self._secrets(row)))
        return [
            ProjectSnapshot(
                project=rows.stored_project(row),
                categories=tuple(categories[row["id"]]),
                channels=tuple(channels[row["id"]]),
            )
            for row in reversed(projects)
        ]

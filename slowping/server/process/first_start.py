"""Make a first start useful: a project, a channel, three categories and two keys."""

import contextlib
import pathlib
from collections.abc import Callable
from typing import Final

import msgspec

from slowping.core import api_key, errors, ids
from slowping.core.api_key import ApiKeyFilter, ApiKeyKind, Scope
from slowping.core.category import QUICK_START
from slowping.core.project import DEFAULT, NewProject
from slowping.server.process import key_files, private_file
from slowping.server.process.key_files import ADMIN_KEY_FILE, INGEST_KEY_FILE
from slowping.server.roster import Roster
from slowping.store.port import ApiKeyRecord, ChannelRecord, Directory

_PAGE: Final = 100


class FirstKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a first start, to be shown this once."""

    admin: str
    ingest: str | None
    """None where the projects were there already, and only the admin key was missing."""


class FirstStart:
    """Sets up an empty store; run again after a crash, it does what was left undone.

    The admin key comes last, so a store that never had one was never finished.
    """

    def __init__(
        self,
        directory: Directory,
        roster: Roster,
        *,
        now_ms: Callable[[], int],
        random_bytes: Callable[[int], bytes],
        rate_limit: int,
    ) -> None:
        self._directory = directory
        self._roster = roster
        self._now_ms = now_ms
        self._random_bytes = random_bytes
        self._rate_limit = rate_limit

    async def run(self, folder: pathlib.Path) -> FirstKeys | None:
        """Set up what is missing, and leave the keys in files for local use.

        A store without a live admin key cannot be administered, so it gets one: whoever can
        start the server on its files owns it anyhow.
        """
        if self._has_admin_key():
            return None
        ingest = None
        if not self._roster.projects() or await self._is_unfinished():
            await self._make_project()
            ingest = await self._ingest_key(folder / INGEST_KEY_FILE)
        admin = await self._issue(folder / ADMIN_KEY_FILE, "first admin key", (Scope.ADMIN,))
        await self._roster.renew_api_keys()
        return FirstKeys(admin=admin, ingest=ingest)

    def _has_admin_key(self) -> bool:
        now = self._now_ms()
        return any(
            Scope.ADMIN in principal.scopes
            and (principal.expires_at is None or principal.expires_at > now)
            for principal in self._roster.api_keys.values()
        )

    async def _is_unfinished(self) -> bool:
        """Whether there never was an admin key."""
        before: int | None = None
        while keys := await self._directory.list_api_keys(
            ApiKeyFilter(), before=before, limit=_PAGE
        ):
            if any(Scope.ADMIN in key.scopes for key in keys):
                return False
            before = ids.decode(ids.API_KEY, keys[-1].id)
        return True

    async def _ingest_key(self, path: pathlib.Path) -> str:
        """The key that an unfinished start has left in its file, or a new one."""
        left = key_files.left_in(path)
        if left is not None and api_key.digest(left) in self._roster.api_keys:
            return left
        return await self._issue(path, "first ingest key", (Scope.INGEST, Scope.READ))

    async def _make_project(self) -> None:
        now = self._now_ms()
        with contextlib.suppress(errors.NameTaken):
            await self._directory.create_project(NewProject(name=DEFAULT), now=now)
        await self._roster.renew()
        project_id = self._home()
        console = ChannelRecord(name="console", kind="console", settings={}, secrets={})
        with contextlib.suppress(errors.NameTaken):
            await self._directory.create_channel(project_id, console, now=now)
        for new in QUICK_START:
            with contextlib.suppress(errors.NameTaken):
                await self._directory.create_category(project_id, new, now=now)
        await self._roster.renew()

    async def _issue(self, path: pathlib.Path, name: str, scopes: tuple[Scope, ...]) -> str:
        value = api_key.mint(self._random_bytes(api_key.SECRET_BYTES))
        # Before it is stored: a key that is live but written down nowhere is of use to nobody.
        private_file.write(path, value)
        record = ApiKeyRecord(
            name=name,
            digest=api_key.digest(value),
            prefix=api_key.shown(value),
            kind=ApiKeyKind.SECRET,
            scopes=scopes,
            home_project_id=self._home(),
            project_ids=(),
            all_projects=Scope.ADMIN in scopes,
            rate_limit=0 if Scope.ADMIN in scopes else self._rate_limit,
            origins=(),
            expires_at=None,
        )
        await self._directory.create_api_key(record, now=self._now_ms())
        return value

    def _home(self) -> int:
        project = self._roster.project(DEFAULT) or self._roster.projects()[0]
        return project.id

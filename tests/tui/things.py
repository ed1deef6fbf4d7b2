"""Projects and API keys as a server would tell of them."""

from typing import Any

import httpx
import msgspec

from slowping.core import api_key, ids
from slowping.core.api_key import ApiKey
from slowping.core.page import Page
from slowping.core.project import Project
from tests.tui.driver import ScriptedServer, moment


def project(name: str, **what: Any) -> Project:
    """A project that was made a day ago."""
    given = {
        "id": f"prj_{name}",
        "name": name,
        "strict_destinations": False,
        "allowed_origins": [],
        "monthly_quota": None,
        "created_at": moment(-86_400),
    }
    return msgspec.convert({**given, **what}, Project)


def value(number: int) -> str:
    """The value of the key of that number."""
    return api_key.mint(number.to_bytes(32, "little") if number else bytes(32))


def key(number: int, **what: Any) -> ApiKey:
    """A key of the project `shop` that was issued a day ago."""
    given = {
        "id": ids.encode(ids.API_KEY, number),
        "name": f"key-{number}",
        "prefix": api_key.shown(value(number)),
        "kind": "secret",
        "scopes": ["ingest", "read"],
        "project": "shop",
        "projects": [],
        "all_projects": False,
        "rate_limit": 1000,
        "origins": [],
        "created_at": moment(-86_400),
        "expires_at": None,
        "revoked_at": None,
        "last_used_at": None,
    }
    return msgspec.convert({**given, **what}, ApiKey)


def has_projects(server: ScriptedServer, *names: str) -> None:
    """Let the server have these projects."""
    server.answers["GET /projects"] = Page(items=tuple(map(project, names)))


def has_keys(server: ScriptedServer, *keys: ApiKey) -> None:
    """Let the server have these keys."""

    def listed(request: httpx.Request) -> Page[ApiKey]:
        revoked = request.url.params.get("revoked")
        return Page(
            items=tuple(
                each
                for each in keys
                if revoked is None or (revoked == "true") is (each.revoked_at is not None)
            )
        )

    server.answers["GET /keys"] = listed

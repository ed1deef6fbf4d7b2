"""Say who an API key is, and how much of its minute is left."""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from slowping.core import api_key, errors
from slowping.core.api_key import Principal, Scope
from slowping.server import limits
from slowping.server.limits import Allowance, Guesses, Windows
from slowping.server.roster import Roster
from slowping.store.port import ApiKeyUse, StoredProject

EVERYWHERE: Final = ("0.0.0.0/0", "::/0")


class Gatekeeper:
    """Recognises keys, counts their requests, and remembers when each was used last."""

    def __init__(
        self,
        roster: Roster,
        now_ms: Callable[[], int],
        *,
        wrong_keys: int = 0,
        admin_from: Sequence[str] = EVERYWHERE,
    ) -> None:
        """`wrong_keys` is how many a minute are answered 401 from one address; 0 is all.

        `admin_from` are the networks from which admin keys may be used.
        """
        self._roster = roster
        self._now_ms = now_ms
        self._guesses = Guesses(wrong_keys)
        self._admin_from = tuple(map(ipaddress.ip_network, admin_from))
        self._is_everywhere = set(EVERYWHERE) <= set(admin_from)
        self._windows = Windows[int]()
        self._used_at: dict[int, int] = {}
        self._used_from: dict[int, str | None] = {}

    def authenticate(self, value: str, address: str | None) -> Principal:
        """Whose key this is; `address` is where it is used from.

        Unknown, mistyped, revoked and expired keys are all the same to a stranger.

        Raises:
            UnknownApiKey: it is not a live key.
            TooManyGuesses: nor were too many others from this address.
        """
        try:
            principal = self._live(self._roster.api_keys.get(api_key.digest(value)))
        except errors.UnknownApiKey:
            self._guesses.take(address, self._now_ms())
            raise
        self._used_from[principal.key_id] = address
        return principal

    def still(self, principal: Principal) -> Principal:
        """The same key as it is now, for a request that goes on and on.

        Raises:
            UnknownApiKey: it has been revoked, or has expired.
        """
        keys = self._roster.api_keys.values()
        return self._live(next((key for key in keys if key.key_id == principal.key_id), None))

    def check_place(
        self, principal: Principal, address: str | None, *, behind_stranger: bool = False
    ) -> None:
        """See whether an admin key may be used from there; any other key may from everywhere.

        `behind_stranger` says that the address is that of a proxy which is not the operator's, or
        does not tell from where it comes.

        Raises:
            Forbidden: it may not.
        """
        if Scope.ADMIN not in principal.scopes or self._is_everywhere:
            return
        if behind_stranger:
            raise errors.Forbidden(
                "This admin key came through a proxy that server.trusted_proxies does not name, or "
                "that does not tell from where. Name it there, and have it set X-Forwarded-For."
            )
        if not self._takes_admins_from(address):
            raise errors.Forbidden(
                f"This admin key may not be used from {address}: server.admin_from does not list "
                "that address. Go through an SSH tunnel, or use a read key."
            )

    def limit(self, principal: Principal) -> Allowance:
        """Count a request of this key.

        Raises:
            RateLimited: its minute is used up.
        """
        return self._windows.take(principal.key_id, principal.rate_limit, self._now_ms())

    def take_used(self) -> Mapping[int, ApiKeyUse]:
        """How each key was used last, of those that were used since the last call."""
        at, self._used_at = self._used_at, {}
        address, self._used_from = self._used_from, {}
        return {key: ApiKeyUse(at=at[key], address=address.get(key)) for key in at}

    def _takes_admins_from(self, address: str | None) -> bool:
        try:
            found = ipaddress.ip_address(limits.unmapped(address or ""))
        except ValueError:
            return False
        return any(found in network for network in self._admin_from)

    def _live(self, principal: Principal | None) -> Principal:
        now = self._now_ms()
        if principal is None:
            raise errors.UnknownApiKey
        if principal.expires_at is not None and principal.expires_at <= now:
            raise errors.UnknownApiKey
        self._used_at[principal.key_id] = now
        return principal


def check_origin(principal: Principal, project: StoredProject | None, origin: str | None) -> None:
    """See whether a page of this origin may use the key and send to the project.

    Both may list origins; whichever does has to list this one. A request that names no origin
    comes from no page, and is not checked.

    Raises:
        ForeignOrigin: one of them does not list it.
    """
    if origin is None:
        return
    for allowed in (principal.origins, project.allowed_origins if project else None):
        if allowed and origin not in allowed:
            raise errors.ForeignOrigin(origin)

"""Give each notifier its tools; the HTTP clients are opened by the first that needs one."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from slowping.config import NotifiersSection
from slowping.core import errors
from slowping.notifiers import settings_form
from slowping.notifiers.port import Http, Tools


class Toolbox:
    """Tools for every kind, from one configuration."""

    def __init__(
        self, sections: NotifiersSection, *, now_ms: Callable[[], int], terminal: TextIO
    ) -> None:
        self._sections = sections
        self._now_ms = now_ms
        self._terminal = terminal

    def tools_for(self, kind: str) -> Tools:
        """What a notifier of this kind is built with."""
        return Tools(
            http=self._http,
            guarded_http=self._guarded_http,
            now_ms=self._now_ms,
            terminal=self._terminal,
            section=self._section(kind),
        )

    async def close(self) -> None:
        """Close what was opened."""
        for name in ("_http", "_guarded_http"):
            opened = self.__dict__.pop(name, None)
            if opened is not None:
                await opened.close()

    def _section(self, kind: str) -> Any:  # a plug-in's section is a plain dictionary
        if _has_own_section(kind):
            return getattr(self._sections, kind)
        return self._sections.plugins.get(kind, {})

    @functools.cached_property
    def _http(self) -> Http:
        from slowping.notifiers.http import open_http  # many servers never send

        return open_http()

    @functools.cached_property
    def _guarded_http(self) -> Http:
        from slowping.notifiers.http import open_guarded_http

        webhook = self._sections.webhook
        return open_guarded_http(webhook.allow_networks, webhook.allow_http)


def require_known(sections: NotifiersSection, kinds: Sequence[str]) -> None:
    """See that every section of a plug-in is read by one of the kinds that are installed.

    Raises:
        ConfigError: one is read by none.
    """
    for kind in sections.plugins:
        if _has_own_section(kind):
            raise errors.ConfigError(
                f"notifiers.plugins.{kind}: the options of {kind} stand in notifiers.{kind}."
            )
        if kind not in kinds:
            raise errors.ConfigError(
                f"notifiers.plugins.{kind}: there is no notifier of kind '{kind}'"
                f"{settings_form.nearest(kind, kinds)} Installed are {', '.join(kinds)}."
            )


def _has_own_section(kind: str) -> bool:
    return kind != "plugins" and kind in NotifiersSection.__struct_fields__

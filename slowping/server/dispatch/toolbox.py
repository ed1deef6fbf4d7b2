"""Give each notifier its tools; the HTTP clients are opened by the first that needs one."""

import functools
from collections.abc import Callable
from typing import Any, TextIO

from slowping.config import NotifiersSection
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
        if kind != "plugins" and kind in self._sections.__struct_fields__:
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

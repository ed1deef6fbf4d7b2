"""Know the notifiers by their kind: which there are, what settings they take, one instance each."""

import contextlib
import functools
import importlib.metadata
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint
from typing import Any, Final, TypeVar

from slowping.core import errors
from slowping.core.channel import ChannelKind
from slowping.notifiers import settings_form
from slowping.notifiers.port import Notifier, Settings, Tools, secret_names

T = TypeVar("T")

GROUP: Final = "slowping.notifiers"
"""The group of entry points; the built-in notifiers are registered there like all others."""


def installed() -> tuple[str, ...]:
    """The kinds of this installation, in the order of the alphabet."""
    return tuple(sorted(importlib.metadata.entry_points(group=GROUP).names))


class Registry:
    """The notifiers that are installed. A notifier's module is imported when it is first needed."""

    def __init__(
        self,
        tools_for: Callable[[str], Tools],
        entry_points: Iterable[EntryPoint] | None = None,
    ) -> None:
        """`tools_for` gives what a kind's notifier is built with; entry points are looked up."""
        self._tools_for = tools_for
        self._given = entry_points
        self._built: dict[str, Notifier] = {}

    def kinds(self) -> tuple[str, ...]:
        """The names, in the order of the alphabet."""
        return tuple(sorted(self._entry_points))

    def settings_class(self, kind: str) -> type[Settings]:
        """The settings that channels of a kind take.

        Raises:
            InvalidInput: there is no such kind, or its module cannot be loaded.
        """
        return self._class(kind).settings

    def notifier(self, kind: str) -> Notifier:
        """The one instance that serves all channels of a kind.

        Raises:
            InvalidInput: there is no such kind, or its module cannot be loaded.
        """
        if kind not in self._built:
            self._built[kind] = self._class(kind)(self._tools_for(kind))
        return self._built[kind]

    def check(self, kind: str, settings: Mapping[str, Any]) -> Settings:
        """The settings as the notifier takes them; texts are read as what they should be.

        Raises:
            InvalidInput: they are not what it asks for, or there is no such kind.
        """
        form = self.settings_class(kind)
        return _answer(kind, lambda: settings_form.read(kind, form, settings))

    def require_usable(self, kind: str, settings: Mapping[str, Any]) -> None:
        """See that the notifier knows nothing that keeps it from sending with these settings.

        Raises:
            InvalidInput: it does, or as for `check`.
        """
        checked = self.check(kind, settings)
        if not hasattr(self._class(kind), "problem_with"):
            return  # a notifier need not know
        notifier: Any = self.notifier(kind)
        problem = _answer(kind, lambda: notifier.problem_with(checked))
        if problem is not None:
            raise errors.InvalidInput(f"{problem}.")

    def made(
        self, kind: str, settings: Mapping[str, Any], random_bytes: Callable[[int], bytes]
    ) -> dict[str, str]:
        """The secrets to make for a channel that has none.

        Raises:
            InvalidInput: there is no such kind, or its code failed.
        """
        form = self.settings_class(kind)
        return _answer(kind, lambda: form.made(settings, random_bytes))

    def carried_over(
        self, kind: str, old: Mapping[str, Any], new: Mapping[str, Any], now_ms: int
    ) -> dict[str, Any]:
        """Settings to add when `old` ones are replaced by `new`.

        Raises:
            InvalidInput: there is no such kind, or its code failed.
        """
        form = self.settings_class(kind)
        return _answer(kind, lambda: form.carried_over(old, new, now_ms))

    def target(self, kind: str, settings: Mapping[str, Any]) -> str | None:
        """What tells one far side from another of this kind.

        Raises:
            InvalidInput: as for `check`.
        """
        checked = self.check(kind, settings)
        return _answer(kind, lambda: checked.target)

    def split(
        self, kind: str, settings: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The settings that may be shown and the secrets among them, as they are to be stored.

        Raises:
            InvalidInput: as for `check`.
        """
        given = settings_form.written(self.check(kind, settings))
        names = secret_names(self.settings_class(kind))
        shown = {name: value for name, value in given.items() if name not in names}
        return shown, {name: given[name] for name in given.keys() & names}

    def channel_kinds(self) -> tuple[ChannelKind, ...]:
        """Every kind that can be loaded, with the form of its settings."""
        found = []
        for kind in self.kinds():
            # One broken plug-in must not take the others' forms away; who asks for it hears why.
            with contextlib.suppress(errors.InvalidInput):
                notifier = self._class(kind)
                form = settings_form.schema(notifier.settings)
                found.append(
                    ChannelKind(
                        kind=kind,
                        summary=notifier.summary,
                        settings=form,
                        retry_delays=tuple(notifier.delays),
                    )
                )
        return tuple(found)

    async def close(self) -> None:
        """Close every notifier that was built."""
        while self._built:
            _, notifier = self._built.popitem()
            await notifier.close()

    @functools.cached_property
    def _entry_points(self) -> dict[str, EntryPoint]:
        found = importlib.metadata.entry_points(group=GROUP) if self._given is None else self._given
        # A plug-in adds kinds; it cannot take the place of a built-in one.
        ours_last = sorted(
            found, key=lambda entry_point: entry_point.module.startswith("slowping.")
        )
        return {entry_point.name: entry_point for entry_point in ours_last}

    def _class(self, kind: str) -> type[Notifier]:
        entry_point = self._entry_points.get(kind)
        if entry_point is None:
            kinds = ", ".join(self.kinds())
            raise errors.InvalidInput(
                f"There is no channel kind '{kind}'{settings_form.nearest(kind, self.kinds())}"
                f" The kinds are {kinds}."
            )
        try:
            loaded: type[Notifier] = entry_point.load()
        except (ImportError, AttributeError) as error:
            raise errors.InvalidInput(
                f"The notifier of kind '{kind}' cannot be loaded: {str(error).rstrip('.')}."
            ) from error
        return loaded


def _answer(kind: str, ask: Callable[[], T]) -> T:
    """What a notifier's code answers. What it says when it fails may hold what was entered."""
    try:
        return ask()
    except errors.InvalidInput:
        raise
    except Exception as error:  # noqa: BLE001 - a plug-in is a stranger
        problem = f"The notifier of kind '{kind}' failed: {type(error).__name__}."
    raise errors.InvalidInput(problem)

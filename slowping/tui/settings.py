"""Keep what is remembered between two runs, and read what a person has set for the live view."""

import contextlib
import os
import tempfile
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import msgspec

from slowping.core import errors

if TYPE_CHECKING:
    from slowping.client.whereabouts import Address

_REMEMBERED: Final = "tui.json"
_WRITTEN: Final = "tui.toml"

T = TypeVar("T")


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A server, and the API key to use there."""

    name: str
    server: str
    api_key: str
    data: str | None = None
    """The server's data folder, where that is on this machine and its certificate is in it."""

    @classmethod
    def of(cls, server: str, api_key: str, data: Path | None = None) -> Self:
        """A profile that is named after the server's address."""
        address = server if "://" in server or not server else f"http://{server}"
        name = urllib.parse.urlsplit(address).netloc or address
        return cls(name=name, server=address, api_key=api_key, data=str(data) if data else None)


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """What the live view keeps for the next time; it holds API keys."""

    profiles: tuple[Profile, ...] = ()
    profile: str | None = None
    """The name of the one that was used last."""
    theme: str | None = None
    place: str | None = None
    project: str | None = None
    """None is all projects."""
    filter: str = ""
    inverted: bool = False
    absolute_times: bool = False
    markdown: bool = False
    compact: bool = False

    def current(self) -> Profile | None:
        """The profile that was used last."""
        return self.profile_named(self.profile) if self.profile else None

    def profile_named(self, name: str) -> Profile | None:
        """The profile of that name."""
        return next((each for each in self.profiles if each.name == name), None)

    def as_known(self, profile: Profile) -> Profile:
        """The same server and key, by the name that they are remembered by."""
        for known in self.profiles:
            if (known.server, known.api_key) == (profile.server, profile.api_key):
                data = profile.data or known.data
                return msgspec.structs.replace(profile, name=known.name, data=data)
        return profile

    def with_profile(self, profile: Profile) -> Self:
        """The same with this profile in use, in place of one of its name."""
        others = (each for each in self.profiles if each.name != profile.name)
        return self.changed(profiles=(*others, profile), profile=profile.name)

    def with_other_key(self, profile: Profile, api_key: str) -> Self:
        """The same with another key in that profile, if it is remembered."""
        other = msgspec.structs.replace(profile, api_key=api_key)
        return self.changed(
            profiles=tuple(other if each == profile else each for each in self.profiles)
        )

    def without_profile(self, profile: Profile) -> Self:
        """The same without this profile."""
        others = tuple(each for each in self.profiles if each.name != profile.name)
        return self.changed(
            profiles=others, profile=None if self.profile == profile.name else self.profile
        )

    def addresses(self) -> "Sequence[Address]":
        """The servers of which the key is known, the one that was used last first."""
        from slowping.client.whereabouts import Address

        last_first = sorted(self.profiles, key=lambda profile: profile.name != self.profile)
        source = "the profile {} of the live view".format
        return [
            Address(
                each.server,
                each.api_key,
                key_from=source(each.name),
                server_from=source(each.name),
                data=Path(each.data) if each.data else None,
            )
            for each in last_first
            if each.api_key
        ]

    def changed(self, **what: Any) -> Self:  # as the fields are
        """The same with some of it changed."""
        return msgspec.structs.replace(self, **what)


class _Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person may write into `tui.toml`."""

    keys: dict[str, str] = {}
    bell: tuple[str, ...] = ()
    notice: tuple[str, ...] = ()


class Settings:
    """What is remembered in `<state folder>/tui.json`, and set in `<config folder>/tui.toml`."""

    def __init__(self, state: Path | None = None, config: Path | None = None) -> None:
        """Without folders nothing is read or kept.

        Raises:
            ConfigError: a file is there but cannot be read.
        """
        self._file = state / _REMEMBERED if state else None
        self.remembered = (_kept(self._file) if self._file else None) or Remembered()
        written = _written(config / _WRITTEN) if config else _Written()
        self.keys: Mapping[str, str] = written.keys
        """Keys by the id of the command."""
        self.bell: tuple[str, ...] = written.bell
        """Categories whose events ring the terminal's bell."""
        self.notice: tuple[str, ...] = written.notice
        """Categories whose events show a notice on the desktop."""

    @classmethod
    def of_this_user(cls) -> Self:
        """The settings in the platform's folders."""
        import platformdirs

        return cls(
            platformdirs.user_state_path("slowping"), platformdirs.user_config_path("slowping")
        )

    def change(self, how: Callable[[Remembered], Remembered]) -> None:
        """Change what is kept for the next time, also by another live view; for its owner alone.

        Raises:
            ConfigError: the file cannot be read or written; from then on it is left alone.
        """
        try:
            self._change(how)
        except errors.ConfigError:
            self._file, self.remembered = None, how(self.remembered)
            raise

    def _change(self, how: Callable[[Remembered], Remembered]) -> None:
        kept = _kept(self._file) if self._file else None
        after = how(kept or self.remembered)
        if self._file is not None and after != (kept or self.remembered):
            if kept is None:
                _set_aside(self._file)
            try:
                _write(self._file, msgspec.json.format(msgspec.json.encode(after)))
            except OSError as error:
                why = f"Cannot write {self._file}: {error.strerror}."
                raise errors.ConfigError(why) from error
        self.remembered = after


def remembered() -> Remembered:
    """What the live view has kept for this user; nothing where that cannot be read."""
    import platformdirs

    try:
        return Settings(platformdirs.user_state_path("slowping")).remembered
    except errors.ConfigError:
        return Remembered()


def _set_aside(file: Path) -> None:
    """Keep what cannot be read: there may be keys in it that somebody misses."""
    with contextlib.suppress(OSError):  # such as that there is none
        file.replace(file.with_name(f"{file.name}.bad"))


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A new file takes the old one's place at once; mkstemp makes it with mode 0600.
    number, name = tempfile.mkstemp(dir=file.parent, prefix=".tui-")
    try:
        with os.fdopen(number, "wb") as opened:
            opened.write(content)
        Path(name).replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _kept(file: Path) -> Remembered | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Remembered)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # what another version or a crash has left: it is only a memory
    except OSError as error:
        raise errors.ConfigError(f"Cannot read {file}: {error.strerror}.") from error


def _written(file: Path) -> _Written:
    try:
        return msgspec.toml.decode(file.read_bytes(), type=_Written)
    except FileNotFoundError:
        return _Written()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.ConfigError(f"{file}: {error}.") from error
    except OSError as error:
        raise errors.ConfigError(f"Cannot read {file}: {error.strerror}.") from error

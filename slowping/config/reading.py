"""Read the configuration: a TOML file, then `SLOWPING_*` variables, then systemd credentials.

What comes later wins. An option `server.port` is `port` under `[server]` in the file, the variable
`SLOWPING_SERVER__PORT`, the file that `SLOWPING_SERVER__PORT_FILE` names, or a credential named
`server.port`. Whatever is wrong is told with the place it stands in and what would be right.
"""

import difflib
import functools
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from slowping.config.sections import Config, Hosts, Networks
from slowping.core import errors

_PREFIX: Final = "SLOWPING_"
_DATA_VARIABLE: Final = "SLOWPING_DATA"
_FILE_SUFFIX: Final = "_FILE"
_PLUGINS: Final = "notifiers.plugins"

_Given = Iterator[tuple[str, Callable[[], Any]]]
"""The name of each option that is given, and what reads its value, or says what is wrong."""


def load(file: Path | None, environ: Mapping[str, str]) -> Config:
    """The configuration: defaults, then `file`, then variables and credentials of `environ`.

    Raises:
        ConfigError: something cannot be used; the text has a line for each thing that is wrong,
            which names the place, the option and the remedy.
    """
    found: dict[str, Any] = {}
    problems: list[str] = []
    table = {} if file is None else _table(file)
    for name, read in (*_from_table(str(file), "", table), *_given_as_text(environ)):
        try:
            found[name] = read()
        except errors.ConfigError as error:
            problems.append(str(error))
    if problems:
        raise errors.ConfigError("\n".join(problems))
    config: Config = _made(Config, "", found)
    return config


def secret_files(file: Path | None, environ: Mapping[str, str]) -> list[Path]:
    """Those of the files that `load` reads which hold a secret.

    Raises:
        ConfigError: as for `load`.
    """
    found = [file] if file is not None and load(file, {}).secrets else []
    for variable in environ:
        if "__" in variable and variable.startswith(_PREFIX) and variable.endswith(_FILE_SUFFIX):
            alone = {variable: environ[variable]}
            found += [Path(environ[variable])] if load(None, alone).secrets else []
    return found


def option_names() -> tuple[str, ...]:
    """Every option, written with dots, in the order of `config.example.toml`."""
    return tuple(_OPTIONS)


def _table(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise errors.ConfigError(f"{file}: cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise errors.ConfigError(f"{file}: is not UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:
        raise errors.ConfigError(f"{file}: is not valid TOML: {error}.") from error


def _from_table(source: str, prefix: str, table: Mapping[str, Any]) -> _Given:
    """What a table of the file gives."""
    for key, value in table.items():
        name = f"{prefix}{key}"
        is_section = any(option.startswith(f"{name}.") for option in _OPTIONS)
        if is_section and isinstance(value, dict):
            yield from _from_table(source, f"{name}.", value)
        elif is_section:
            yield name, functools.partial(_refuse_section, source, name)
        else:
            yield name, functools.partial(_checked, source, name, value, strict=True)


def _given_as_text(environ: Mapping[str, str]) -> _Given:
    """What is given outside the file."""
    for variable in sorted(environ):
        # A name without two underscores may be anyone's: container platforms set SLOWPING_PORT
        # and the like for a service of that name. An empty variable is as good as none.
        if not variable.startswith(_PREFIX) or not environ[variable]:
            continue
        if "__" not in variable and variable.removesuffix(_FILE_SUFFIX) != _DATA_VARIABLE:
            continue
        plain = variable.removesuffix(_FILE_SUFFIX)
        name = plain.removeprefix(_PREFIX).lower().replace("__", ".")
        yield name, functools.partial(_variable, variable, plain, name, environ)
    if folder := environ.get("CREDENTIALS_DIRECTORY"):
        yield from _credentials(Path(folder))


def _variable(variable: str, plain: str, name: str, environ: Mapping[str, str]) -> Any:
    if plain == variable:
        return _read_text(variable, name, environ[variable])
    if environ.get(plain):
        raise errors.ConfigError(f"{plain} and {variable} are both set: keep one of them.")
    return _read_file(variable, name, Path(environ[variable]))


def _credentials(folder: Path) -> _Given:
    """Those among the credentials that are named like an option; others are not ours to read."""
    sections = {option.partition(".")[0] for option in _OPTIONS if "." in option}
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        raise errors.ConfigError(
            f"CREDENTIALS_DIRECTORY: cannot read {folder}: {error.strerror}."
        ) from error
    for file in files:
        first, dot, _ = file.name.partition(".")
        if dot and first in sections:
            source = f"The credential {file.name}"
            yield file.name, functools.partial(_read_file, source, file.name, file)


def _read_file(source: str, name: str, file: Path) -> Any:  # any option's value
    try:
        text = file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise errors.ConfigError(f"{source}: cannot read {file}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise errors.ConfigError(f"{source}: {file} is not UTF-8 text.") from error
    return _read_text(source, name, text)


def _read_text(source: str, name: str, text: str) -> Any:  # any option's value
    if name == _PLUGINS or name.startswith(f"{_PLUGINS}."):
        if name.count(".") < _PLUGINS.count(".") + 2:
            raise errors.ConfigError(
                f"{source}: an option of a plug-in is named {_PLUGINS}.<kind>.<option>."
            )
        return text
    listed = name in _OPTIONS and _OPTIONS[name].type in (Networks, Hosts)
    value = [part for item in text.split(",") if (part := item.strip())] if listed else text
    return _checked(source, name, value, strict=False)


def _checked(source: str, name: str, value: Any, *, strict: bool) -> Any:
    """The value as the option's type has it, with `strict` off also from text."""
    if name not in _OPTIONS:
        raise _unknown(source, name)
    option = _OPTIONS[name]
    try:
        return option.parse(msgspec.convert(value, option.type, strict=strict, dec_hook=_path))
    except msgspec.ValidationError:
        reason = ""
    except ValueError as error:
        reason = f": {error}"
    raise errors.ConfigError(f"{source}: {name} must be {option.expected}{reason}.")


def _refuse_section(source: str, name: str) -> None:
    raise errors.ConfigError(f"{source}: {name} must be a section, [{name}].")


def _path(kind: type, value: Any) -> Any:  # msgspec asks so for types that it does not know
    if kind is Path and isinstance(value, str) and value:
        return Path(value).expanduser()
    raise ValueError


def _unknown(source: str, name: str) -> errors.ConfigError:
    """An error for an option that does not exist, with the one that was probably meant."""
    sections = {option.rpartition(".")[0] for option in _OPTIONS} - {""}
    near = difflib.get_close_matches(name, [*_OPTIONS, *sections], n=1, cutoff=0.75)
    # The right name in the wrong section.
    near += [option for option in _OPTIONS if option.endswith(f".{name.rpartition('.')[2]}")]
    if not near:
        hint = "See config.example.toml for all of them."
    elif source.startswith(_PREFIX):
        hint = f"Did you mean {_PREFIX}{near[0].replace('.', '__').upper()}?"
    else:
        hint = f"Did you mean {near[0]}?"
    return errors.ConfigError(f"{source}: there is no option {name}. {hint}")


def _made(section: type[Any], prefix: str, found: Mapping[str, Any]) -> Any:  # the section
    """A section of what was found, and of the defaults."""
    given = {}
    for field in msgspec.structs.fields(section):
        name = f"{prefix}{field.name}"
        if _is_section(field.type):
            given[field.name] = _made(field.type, f"{name}.", found)
        elif name == _PLUGINS:
            given[field.name] = _plugins(found)
        elif name in found:
            given[field.name] = found[name]
    return section(**given)


def _plugins(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The file's plug-in sections with what variables and credentials add to them."""
    plugins = {kind: dict(options) for kind, options in found.get(_PLUGINS, {}).items()}
    for name, value in found.items():
        if name.startswith(f"{_PLUGINS}."):
            kind, _, option = name.removeprefix(f"{_PLUGINS}.").partition(".")
            plugins.setdefault(kind, {})[option] = value
    return plugins


# What there is to know of an option -----------------------------------------------------------


class _Option(msgspec.Struct, frozen=True, kw_only=True):
    type: Any  # an annotation, which has no type of its own
    expected: str
    parse: Callable[[Any], Any]


def _options(section: type[Any], prefix: str = "") -> Iterator[tuple[str, _Option]]:
    for field in msgspec.structs.fields(section):
        name = f"{prefix}{field.name}"
        if _is_section(field.type):
            yield from _options(field.type, f"{name}.")
        else:
            [meta] = field.type.__metadata__
            parse = (meta.extra or {}).get("parse", lambda value: value)
            yield name, _Option(type=field.type, expected=meta.description, parse=parse)


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)


_OPTIONS: Final = dict(_options(Config))

"""Read the configuration: a TOML file, then `SLOWPING_*` variables, then systemd credentials.

What comes later wins. An option `server.port` is `port` under `[server]` in the file, the variable
`SLOWPING_SERVER__PORT`, the file that `SLOWPING_SERVER__PORT_FILE` names, or a credential named
`server.port`. Whatever is wrong is told with the place it stands in and what would be right.
"""

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from slowping.core import errors
from slowping.core.api_key import DEFAULT_RATE_LIMIT
from slowping.core.retention import Keeping

# The options ----------------------------------------------------------------------------------
#
# A description completes the sentence "server.port must be ..."; `extra["parse"]` is called with
# a value that has the right type, returns the one to keep or raises ValueError with a reason.


def _networks(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_network(network)) for network in given)


Port = Annotated[int, msgspec.Meta(ge=1, le=65_535, description="a port number, 1 to 65535")]
Seconds = Annotated[
    float,
    msgspec.Meta(gt=0, le=3_600, description="a number of seconds, more than 0, at most 3600"),
]
Mebibytes = Annotated[
    int, msgspec.Meta(ge=0, le=1_000_000, description="a number of MiB, 0 to 1000000")
]
Switch = Annotated[bool, msgspec.Meta(description="true or false")]
Text = Annotated[str, msgspec.Meta(description="a text")]
Host = Annotated[str, msgspec.Meta(min_length=1, description="a host name or an address")]
Networks = Annotated[
    tuple[str, ...],
    msgspec.Meta(description='a list of networks such as "10.0.0.0/8"', extra={"parse": _networks}),
]
BaseAddress = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://[^/\s?#]+[^\s?#]*\Z",
        description="an address that starts with http:// or https://",
        # Paths are put behind it, and begin with a slash.
        extra={"parse": lambda address: address.rstrip("/")},
    ),
]


class ServerSection(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server listens and what it takes in."""

    host: Host = "127.0.0.1"
    port: Port = 7464
    max_body_bytes: Annotated[
        int,
        msgspec.Meta(ge=1_024, le=67_108_864, description="a number of bytes, 1024 to 67108864"),
    ] = 1_048_576
    trusted_proxies: Networks = ()
    """Networks whose X-Forwarded-For is believed."""
    body_timeout_s: Seconds = 10
    shutdown_timeout_s: Seconds = 10


class LimitsSection(msgspec.Struct, frozen=True, kw_only=True):
    """How much a key may ask for."""

    rate_limit: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=1_000_000, description="a number of requests a minute, 0 (no limit) to 1000000"
        ),
    ] = DEFAULT_RATE_LIMIT
    """For keys that were issued without a limit of their own."""
    wrong_keys: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=1_000_000, description="a number of wrong keys a minute, 0 (all) to 1000000"
        ),
    ] = 20
    """From one address; of IPv6, from one /64."""


class LogSection(msgspec.Struct, frozen=True, kw_only=True):
    """What is logged, and how."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        msgspec.Meta(description="one of debug, info, warning, error"),
    ] = "info"
    format: Annotated[Literal["text", "json"], msgspec.Meta(description="one of text, json")] = (
        "text"
    )


class RetentionSection(Keeping, frozen=True, kw_only=True):
    """For how long things are kept."""

    max_disk_percent: Annotated[
        int, msgspec.Meta(ge=1, le=100, description="a number of percent, 1 to 100")
    ] = 50
    """Of the disk: a database that takes more loses its oldest events."""


class DiskSection(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the disk that the data folder lies on."""

    min_free_mb: Mebibytes = 500
    """With less no events are accepted; on a small disk it is a twentieth of it."""
    ballast_mb: Mebibytes = 64
    """Kept in a file that is let go of when the disk is full, so that the rest can go on."""
    allow_network: Switch = False
    """Whether the data folder may lie on a network file system."""


class DiscordSection(msgspec.Struct, frozen=True, kw_only=True):
    """Where Discord is."""

    api_base: BaseAddress = "https://discord.com/api/v10"


class TelegramSection(msgspec.Struct, frozen=True, kw_only=True):
    """Where Telegram is."""

    api_base: BaseAddress = "https://api.telegram.org"


class WebhookSection(msgspec.Struct, frozen=True, kw_only=True):
    """Where webhooks may go."""

    allow_networks: Networks = ()
    """Networks allowed on top of the public ones."""
    allow_http: Switch = False
    timeout_s: Seconds = 15


class EmailSection(msgspec.Struct, frozen=True, kw_only=True):
    """How e-mail is sent by channels that say nothing else."""

    host: Host = "localhost"
    port: Annotated[Port | None, msgspec.Meta(description="a port number, 1 to 65535")] = None
    """The usual one of the TLS mode where it is None: 587, 465 or 25."""
    tls: Annotated[
        Literal["starttls", "tls", "plain"],
        msgspec.Meta(description="one of starttls, tls, plain"),
    ] = "starttls"
    sender: Annotated[
        str, msgspec.Meta(pattern="^[^\r\n]+@[^\r\n]+$", description="an e-mail address")
    ] = "slowping@localhost"
    username: Text = ""
    password: Text = ""
    message_id_domain: Text = ""
    """The part after the @ of Message-IDs; the sender's domain where it is empty."""


class NotifiersSection(msgspec.Struct, frozen=True, kw_only=True):
    """What the notifiers need to know beside the settings of each channel."""

    discord: DiscordSection = DiscordSection()
    telegram: TelegramSection = TelegramSection()
    webhook: WebhookSection = WebhookSection()
    email: EmailSection = EmailSection()
    plugins: Annotated[
        dict[str, dict[str, Any]], msgspec.Meta(description="sections, one for each kind")
    ] = {}
    """By kind, for notifiers that do not come with slowping: handed on as it is."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an operator can decide."""

    data: Annotated[Path | None, msgspec.Meta(description="the path of a folder")] = None
    """The data folder; the platform's usual place where it is None."""
    server: ServerSection = ServerSection()
    limits: LimitsSection = LimitsSection()
    log: LogSection = LogSection()
    retention: RetentionSection = RetentionSection()
    disk: DiskSection = DiskSection()
    notifiers: NotifiersSection = NotifiersSection()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts in it that no log may tell: of plug-ins, those whose name says so."""
        options = [option for kind in self.notifiers.plugins.values() for option in kind.items()]
        told = [value for name, value in options if _SECRET_NAME.search(name)]
        return tuple(
            text for text in (self.notifiers.email.password, *told) if isinstance(text, str)
        )


# Reading --------------------------------------------------------------------------------------

_SECRET_NAME: Final = re.compile("pass|secret|token|key|credential", re.IGNORECASE)
_PREFIX: Final = "SLOWPING_"
_DATA_VARIABLE: Final = "SLOWPING_DATA"
_FILE_SUFFIX: Final = "_FILE"
_PLUGINS: Final = "notifiers.plugins"


def load(file: Path | None, environ: Mapping[str, str]) -> Config:
    """The configuration: defaults, then `file`, then variables and credentials of `environ`.

    Raises:
        ConfigError: something cannot be used; the text names the place, the option, the remedy.
    """
    found: dict[str, Any] = {}
    if file is not None:
        found.update(_from_table(str(file), "", _table(file)))
    for source, name, text in _given_as_text(environ):
        found[name] = _read_text(source, name, text)
    config: Config = _made(Config, "", found)
    return config


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


def _from_table(source: str, prefix: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name and value of each option in a table of the file."""
    for key, value in table.items():
        name = f"{prefix}{key}"
        if name in _OPTIONS:
            yield name, _checked(source, name, value, strict=True)
        elif any(option.startswith(f"{name}.") for option in _OPTIONS):
            if not isinstance(value, dict):
                raise errors.ConfigError(f"{source}: {name} must be a section, [{name}].")
            yield from _from_table(source, f"{name}.", value)
        else:
            raise _unknown(source, name)


def _given_as_text(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Where it stands, the option's name and its text, for what is given outside the file."""
    for variable in sorted(environ):
        # A name without two underscores may be anyone's: container platforms set SLOWPING_PORT
        # and the like for a service of that name. An empty variable is as good as none.
        if not variable.startswith(_PREFIX) or not environ[variable]:
            continue
        if "__" not in variable and variable.removesuffix(_FILE_SUFFIX) != _DATA_VARIABLE:
            continue
        yield _variable(variable, environ)
    if folder := environ.get("CREDENTIALS_DIRECTORY"):
        yield from _credentials(Path(folder))


def _variable(variable: str, environ: Mapping[str, str]) -> tuple[str, str, str]:
    plain = variable.removesuffix(_FILE_SUFFIX)
    name = plain.removeprefix(_PREFIX).lower().replace("__", ".")
    if plain == variable:
        return variable, name, environ[variable]
    if environ.get(plain):
        raise errors.ConfigError(f"{plain} and {variable} are both set: keep one of them.")
    return variable, name, _content(variable, Path(environ[variable]))


def _credentials(folder: Path) -> Iterator[tuple[str, str, str]]:
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
            yield source, file.name, _content(source, file)


def _content(source: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise errors.ConfigError(f"{source}: cannot read {file}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise errors.ConfigError(f"{source}: {file} is not UTF-8 text.") from error


def _read_text(source: str, name: str, text: str) -> Any:  # any option's value
    if name == _PLUGINS or name.startswith(f"{_PLUGINS}."):
        if name.count(".") < _PLUGINS.count(".") + 2:
            raise errors.ConfigError(
                f"{source}: an option of a plug-in is named {_PLUGINS}.<kind>.<option>."
            )
        return text
    if name not in _OPTIONS:
        raise _unknown(source, name)
    listed = _OPTIONS[name].type == Networks
    value = [part for item in text.split(",") if (part := item.strip())] if listed else text
    return _checked(source, name, value, strict=False)


def _checked(source: str, name: str, value: Any, *, strict: bool) -> Any:
    """The value as the option's type has it, with `strict` off also from text."""
    option = _OPTIONS[name]
    try:
        return option.parse(msgspec.convert(value, option.type, strict=strict, dec_hook=_path))
    except msgspec.ValidationError:
        reason = ""
    except ValueError as error:
        reason = f": {error}"
    raise errors.ConfigError(f"{source}: {name} must be {option.expected}{reason}.")


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

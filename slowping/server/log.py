"""Write one line a fact for the operator: key=value, or JSON; ids always, bodies never."""

import logging
import sys
import threading
import traceback
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final

import msgspec

from slowping.core import text, times
from slowping.core.redaction import Redaction

logger = logging.getLogger("slowping")


class Fact:
    """What happened, and the particulars; `logger.info(Fact("delivered", delivery=...))`."""

    def __init__(
        self,
        what: str,
        /,
        *,
        trace: BaseException | None = None,
        secrets: Iterable[str] = (),
        **particulars: object,
    ) -> None:
        """`trace` is an error of a stranger: where it came from is told, not what it says.

        `secrets` are such as are in nobody's settings, and are not told either.
        """
        self.what = what
        self.secrets = tuple(secrets)
        self.trace = None if trace is None else wordless_trace(trace)
        self.particulars = {name: value for name, value in particulars.items() if value is not None}

    def __str__(self) -> str:
        pairs = (f"{name}={_quoted(value)}" for name, value in self.particulars.items())
        return " ".join((self.what, *pairs))


def wordless_trace(error: BaseException) -> str:
    """Where an error came from, and its type. What it says may hold a secret, and is left out."""
    parts: list[str] = []
    following: BaseException | None = error
    while following is not None:
        frames = "".join(traceback.format_tb(following.__traceback__))
        kind = type(following)
        parts.append(f"{frames}{kind.__module__}.{kind.__qualname__}")
        following = following.__cause__ or (
            None if following.__suppress_context__ else following.__context__
        )
    return "\n\nwhich followed from:\n".join(parts)


class LineFormatter(logging.Formatter):
    """For people: time, level, what happened, key=value."""

    def __init__(self, redaction: Redaction | None = None) -> None:
        """`redaction` takes out of every line the secrets that it knows."""
        super().__init__()
        self._redaction = redaction or Redaction()

    def format(self, record: logging.LogRecord) -> str:
        """A record as it is written, without secrets."""
        own = record.msg.secrets if isinstance(record.msg, Fact) else ()
        with self._redaction.holding(record, own):
            return self._redaction.clean(self.written(record))

    def written(self, record: logging.LogRecord) -> str:
        """One line; a traceback follows on lines of its own."""
        moment = times.iso_ms(int(record.created * 1000))
        line = f"{moment} {record.levelname.lower():<7} {text.one_line(record.getMessage())}"
        trace = self.trace_of(record)
        return f"{line}\n{text.visible(trace)}" if trace else line

    def trace_of(self, record: logging.LogRecord) -> str | None:
        """The traceback that goes with a record."""
        if isinstance(record.msg, Fact) and record.msg.trace:
            return record.msg.trace
        return self.formatException(record.exc_info) if record.exc_info else None


class JsonFormatter(LineFormatter):
    """For programs: one JSON object a line."""

    def written(self, record: logging.LogRecord) -> str:
        """One line, tracebacks included."""
        fact = record.msg if isinstance(record.msg, Fact) else None
        told: dict[str, Any] = {
            "time": times.iso_ms(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": fact.what if fact else text.visible(record.getMessage()),
        }
        if fact:
            particulars = {name: _plain(value) for name, value in fact.particulars.items()}
            told = {**told, **particulars, **told}  # no particular can take a place of these
        if trace := self.trace_of(record):
            told["traceback"] = text.visible(trace)
        return msgspec.json.encode(told).decode()


_FORMATTERS: Final = {"text": LineFormatter, "json": JsonFormatter}


def configure(level: str, form: str, redaction: Redaction | None = None) -> None:
    """Send all logs to standard error, without secrets; `form` is `text` or `json`.

    What nobody has caught, and warnings, go there as well: Python would write them as they are.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_FORMATTERS[form](redaction))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # They write whole URLs, and those of Discord and Telegram hold secrets.
    for name in ("httpx", "httpcore", "aiosqlite", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    sys.excepthook = _tell_uncaught
    threading.excepthook = _tell_uncaught_of_thread


def _tell_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logger.critical(Fact("ended by an error"), exc_info=(kind, error, trace))


def _tell_uncaught_of_thread(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is not None:
        name = None if what.thread is None else what.thread.name
        told = (what.exc_type, what.exc_value, what.exc_traceback)
        logger.critical(Fact("a thread was ended by an error", thread=name), exc_info=told)


def _quoted(value: object) -> str:
    shown = text.one_line(str(value))
    return shown if shown and not set(shown) & set(' "=') else msgspec.json.encode(shown).decode()


def _plain(value: object) -> object:
    """A particular as JSON holds it, without what no UTF-8 can hold."""
    return value if isinstance(value, int | float) else text.visible(str(value))

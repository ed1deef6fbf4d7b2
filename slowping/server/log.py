"""Write one line a fact for the operator: key=value, or JSON; ids always, bodies never."""

import logging
import sys
from typing import Any, Final

import msgspec

from slowping.core import text, times


class Fact:
    """What happened, and the particulars; `logger.info(Fact("delivered", delivery=...))`."""

    def __init__(self, what: str, /, **particulars: object) -> None:
        self.what = what
        self.particulars = {name: value for name, value in particulars.items() if value is not None}

    def __str__(self) -> str:
        pairs = (f"{name}={_quoted(value)}" for name, value in self.particulars.items())
        return " ".join((self.what, *pairs))


class LineFormatter(logging.Formatter):
    """For people: time, level, what happened, key=value."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback follows on lines of its own."""
        moment = times.iso_ms(int(record.created * 1000))
        line = f"{moment} {record.levelname.lower():<7} {text.one_line(record.getMessage())}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """For programs: one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, tracebacks included."""
        told: dict[str, Any] = {
            "time": times.iso_ms(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if isinstance(record.msg, Fact):
            told |= {"event": record.msg.what, **record.msg.particulars}
        else:
            told["event"] = record.getMessage()
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(told, enc_hook=str).decode()


_FORMATTERS: Final = {"text": LineFormatter, "json": JsonFormatter}


def configure(level: str, form: str) -> None:
    """Send all logs to standard error; `form` is `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_FORMATTERS[form]())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # They write whole URLs, and those of Discord and Telegram hold secrets.
    for name in ("httpx", "httpcore", "aiosqlite", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _quoted(value: object) -> str:
    shown = text.one_line(str(value))
    return shown if shown and not set(shown) & set(' "=') else msgspec.json.encode(shown).decode()

"""Send log records as events."""

import datetime as dt
import logging
import traceback
from typing import Any, Final

from slowping.client.background import THREAD_NAME
from slowping.client.sender import Sender, shared

_IGNORED: Final = ("slowping", "httpx", "httpcore")
"""Loggers of what carries events: a record of theirs would lead to the next."""

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; all else came with `extra`."""

_MOST_EXTRAS: Final = 90  # an event has at most 100 fields
_MOST_LETTERS: Final = 10_000
_FLUSH_S: Final = 2.0


class SlowpingHandler(logging.Handler):
    """Turns records into events: the message is the description, `extra` becomes fields."""

    def __init__(
        self,
        level: int | str = logging.ERROR,
        category: str = "error",
        *,
        sender: Sender | None = None,
    ) -> None:
        """Without a `sender` it uses the one of the whole program, as `slowping.send` does."""
        super().__init__(level)
        self._category = category
        self._sender = sender or shared

    def filter(self, record: logging.LogRecord) -> Any:  # what it is differs between versions
        """Leave out what is told while events are sent, before any lock is taken."""
        if record.threadName == THREAD_NAME or record.name.partition(".")[0] in _IGNORED:
            return False
        return super().filter(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Put the record into the sender's queue."""
        try:
            self._sender.send(
                self._category,
                record.getMessage(),
                _fields(record),
                occurred_at=dt.datetime.fromtimestamp(record.created, dt.UTC),
                sync=False,
            )
        except Exception:  # noqa: BLE001 - a message may fail in any way, and logging never does
            self.handleError(record)

    def flush(self) -> None:
        """Wait until what was logged has arrived, for two seconds at most."""
        self._sender.flush(_FLUSH_S)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    extras = [(name, value) for name, value in vars(record).items() if name not in _STANDARD]
    fields = dict(extras[:_MOST_EXTRAS])
    fields |= {"logger": record.name, "level": record.levelname}
    if record.exc_info and record.exc_info[0]:
        told = "".join(traceback.format_exception(*record.exc_info))
        fields["exception"] = told.rstrip()[-_MOST_LETTERS:]  # the end says what it was
    if record.stack_info:
        fields["stack"] = record.stack_info[-_MOST_LETTERS:]
    return fields

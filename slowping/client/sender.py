"""Send events from a program that has other things to do.

Nothing here raises into the program, makes it wait or holds up its end for long, unless it asks
for that with `sync=True`. Importing this loads a few small modules of the standard library; what
speaks HTTP is loaded by the thread that sends.
"""

import atexit
import datetime as dt
import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from slowping.client import batch as batches
from slowping.client import whereabouts, writing
from slowping.client.background import Background
from slowping.client.batch import Batch, Entry, Pace
from slowping.core import errors

if TYPE_CHECKING:
    from slowping.client.courier import Courier

EventDict = dict[str, Any]
"""An event as it is sent: `category`, `description`, `fields` and so on; what is not given is
not in it."""

BeforeSend = Callable[[EventDict], EventDict | None]
"""Changes an event before it is sent, or returns None to keep it back."""

OnDrop = Callable[[EventDict], None]
"""Is told of an event for which the queue had no room."""

OnError = Callable[[Exception, Sequence[EventDict]], None]
"""Is told why events did not arrive, and which."""

_KEY: Final = re.compile(r"[ -~]{1,255}")
_KEY_FILES: Final = (whereabouts.INGEST_KEY_FILE, whereabouts.ADMIN_KEY_FILE)
_USUAL_PACE: Final = Pace()


class Sender:
    """Keeps events in a queue and sends them in batches; any thread may use it."""

    def __init__(  # noqa: PLR0913 - one for each option
        self,
        server: str | None = None,
        api_key: str | None = None,
        *,
        project: str | None = None,
        source: str | None = None,
        sync: bool = False,
        enabled: bool = True,
        before_send: BeforeSend | None = None,
        on_drop: OnDrop | None = None,
        on_error: OnError | None = None,
        pace: Pace = _USUAL_PACE,
    ) -> None:
        """Without `server` and `api_key` they are found where a program is told them.

        That is in SLOWPING_SERVER and SLOWPING_API_KEY, then in what a server on this machine
        left in its data folder. `project` and `source` are for events that name none of their
        own. With `enabled=False` nothing is sent and nothing is said.
        """
        self._server, self._api_key = server, api_key
        self._standing = {"project": project, "source": source}
        self._sync = sync
        self._enabled = enabled
        self._before_send, self._on_drop, self._on_error = before_send, on_drop, on_error
        self._pace = pace
        self._background = Background(pace, self._courier, self._deliver)
        self._is_full = False
        self._ends_with_program = False

    @property
    def lost(self) -> int:
        """How many events did not arrive, for whatever reason; close() counts what it gave up."""
        return self._background.lost

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(  # noqa: PLR0913 - one for each member of an event
        self,
        category: str,
        description: str | None = None,
        fields: Mapping[str, Any] | None = None,
        *,
        source: str | None = None,
        color: int | None = None,
        occurred_at: dt.datetime | None = None,
        notify: bool = True,
        project: str | None = None,
        idempotency_key: str | None = None,
        sync: bool | None = None,
    ) -> None:
        """Send an event of a category, which is made where there is none.

        It happened now, unless `occurred_at` says otherwise (naive is UTC), or `idempotency_key`
        says that it may be told twice. With `sync=True` it is on the server's disk when this
        returns; a server that is not there is tried for about ten seconds.

        Raises, with `sync=True` only:
            SlowpingError: the server is not there, or refuses the event.
            Exception: what `before_send` raises.
        """
        if not self._enabled:
            return
        event = {
            "category": category, "description": description, "fields": fields, "source": source,
            "color": color, "occurred_at": occurred_at, "notify": notify, "project": project,
        }  # fmt: skip
        if occurred_at is None and idempotency_key is None:
            event["occurred_at"] = dt.datetime.now(dt.UTC)
        for name, usual in self._standing.items():
            event[name] = usual if event[name] is None else event[name]
        event = {name: value for name, value in event.items() if value is not None}
        if self._sync if sync is None else sync:
            self._send_now(event, idempotency_key)
        else:
            self._keep(event, idempotency_key)

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Wait until all that was sent so far has arrived or is lost; False after `timeout_s`."""
        return self._background.flush(timeout_s)

    def close(self, timeout_s: float | None = None) -> None:
        """Send what waits, for `timeout_s` at most (2 s usually), and take nothing any more.

        The end of the program does this by itself.
        """
        atexit.unregister(self.close)
        left = self._background.close(self._pace.exit_s if timeout_s is None else timeout_s)
        if left:
            why = self._background.trouble or errors.Unreachable("It took too long.")
            self._lose(why, left)
            self._warn(len(left), why)

    # In the thread of whoever sends --------------------------------------------------------

    def _keep(self, event: EventDict, idempotency_key: str | None) -> None:
        try:
            entry = self._entry(event, idempotency_key)
            if entry is None:
                return
            self._end_with_program()
            kept = self._background.give(entry)
        except Exception as error:  # noqa: BLE001 - before_send is a stranger, and threads may fail
            self._lose(error, (event,))
            self._warn(1, error)
            return
        if not kept:
            self._drop(event)
        self._is_full = not kept

    def _send_now(self, event: EventDict, idempotency_key: str | None) -> None:
        entry = self._entry(event, idempotency_key)
        if entry is None:
            return
        from slowping.client import bringing

        batch = batches.bind((entry,), batches.fresh_key())
        pace = self._pace._replace(retry_for_s=self._pace.timeout_s)
        courier = self._courier()
        try:
            for lost in bringing.bring(batch, courier.carry, _sleep, pace, time.monotonic):
                self._background.count_lost(1)
                raise lost.error
        finally:
            courier.close()

    def _entry(self, event: EventDict, idempotency_key: str | None) -> Entry | None:
        """The event as it is sent; None where it is kept back.

        Raises:
            InvalidInput: it cannot be sent like that.
        """
        told: EventDict | None = event
        if self._before_send is not None:
            # What it changes is not the program's own.
            fields = {"fields": dict(event["fields"])} if "fields" in event else {}
            told = self._before_send(event | fields)
        if told is None:
            return None
        if idempotency_key is not None and not _KEY.fullmatch(idempotency_key):
            raise errors.InvalidInput("An idempotency key has 1 to 255 printable ASCII characters.")
        return Entry(writing.written(told), told.get("project"), idempotency_key, time.monotonic())

    def _end_with_program(self) -> None:
        if not self._ends_with_program:
            self._ends_with_program = True
            atexit.register(self.close)

    def _drop(self, event: EventDict) -> None:
        self._background.count_lost(1)
        if self._on_drop is not None:
            _quietly(self._on_drop, event)
        elif not self._is_full:
            _quietly(
                _log, "Events are lost: %d wait already to be sent to slowping.", self._pace.queue
            )

    # In the thread that sends --------------------------------------------------------------

    def _courier(self) -> "Courier":
        from slowping.client import courier

        return courier.Courier(self._find, self._pace.timeout_s)

    def _find(self) -> whereabouts.Address:
        return whereabouts.find(self._server, self._api_key, None, os.environ, _KEY_FILES)

    def _deliver(self, batch: Batch, courier: "Courier") -> None:
        from slowping.client import bringing

        pause = self._background.pause
        try:
            lost = tuple(bringing.bring(batch, courier.carry, pause, self._pace, time.monotonic))
        except Exception as flaw:  # noqa: BLE001 - whatever it is, the next batch is not to blame
            lost = (bringing.Lost(batch.entries, flaw),)
        if lost and not self._background.closed:  # close() tells of what it gave up
            for one in lost:
                self._lose(one.error, one.entries)
            self._warn(sum(len(one.entries) for one in lost), lost[0].error)

    # What is lost --------------------------------------------------------------------------

    def _lose(self, error: Exception, events: Sequence[Entry | EventDict]) -> None:
        self._background.count_lost(len(events))
        if self._on_error is not None:
            told = [
                json.loads(event.content) if isinstance(event, Entry) else event for event in events
            ]
            _quietly(self._on_error, error, told)

    def _warn(self, count: int, error: Exception) -> None:
        """Say what was lost where nobody else is told of it."""
        if self._on_error is None:
            were = "1 event was" if count == 1 else f"{count} events were"
            _quietly(_log, "%s not sent to slowping: %s", were, error)


shared: Final = Sender()
"""The sender of the whole program, which finds the server by itself."""

send: Final = shared.send
flush: Final = shared.flush


def _sleep(wait_s: float, _: float) -> bool:
    time.sleep(wait_s)
    return True


def _quietly(call: Callable[..., None], *arguments: object) -> None:
    """Call what belongs to the program; that it fails is not ours to raise."""
    try:
        call(*arguments)
    except Exception:  # noqa: BLE001 - hooks and log handlers are strangers
        return


def _log(words: str, *arguments: object) -> None:
    import logging  # as rarely as this is needed

    from slowping.core import text

    shown = (text.one_line(str(one)) if isinstance(one, Exception) else one for one in arguments)
    logging.getLogger("slowping.client").warning(words, *shown)

import contextlib
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from slowping.core.redaction import Redaction
from slowping.server import log
from slowping.server.log import Fact, JsonFormatter, LineFormatter, wordless_trace

MOMENT = 1_795_000_000.123


def record(message: object, *, error: BaseException | None = None) -> logging.LogRecord:
    trace = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("slowping.test", logging.WARNING, __file__, 1, message, None, trace)
    made.created = MOMENT
    return made


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    """The error with a traceback, as if it had happened."""
    with pytest.raises(type(error)) as caught:
        raise error from cause
    return caught.value


@contextlib.contextmanager
def handling(error: Exception) -> Iterator[None]:
    """What is raised within is raised while this error is handled."""
    try:
        raise error
    except type(error):
        yield


def told(message: object, *, error: BaseException | None = None) -> dict[str, Any]:
    """What the form for programs says."""
    line = JsonFormatter().format(record(message, error=error))
    assert "\n" not in line
    decoded: dict[str, Any] = json.loads(line)
    return decoded


# Facts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fact", "line"),
    [
        (Fact("sent"), "sent"),
        (Fact("sent", channel="chn_1", attempt=3), "sent channel=chn_1 attempt=3"),
        (Fact("sent", status=None, took_ms=0), "sent took_ms=0"),
        (Fact("paused", reason="HTTP 404: gone"), 'paused reason="HTTP 404: gone"'),
        (Fact("paused", reason=""), 'paused reason=""'),
        (Fact("paused", reason="a=b"), 'paused reason="a=b"'),
        (Fact("paused", reason='say "no"'), r'paused reason="say \"no\""'),
        (Fact("paused", reason="one\ntwo\tthree"), 'paused reason="one two three"'),
        (Fact("paused", name="\x1b[31mred\u202e"), "paused name=␛[31mred\ufffd"),
    ],
)
def test_a_fact_is_one_line_of_particulars(fact: Fact, line: str) -> None:
    assert str(fact) == line


def test_a_forged_line_stays_within_its_own() -> None:
    line = LineFormatter().format(record("x\n2026-11-18T00:00:00.000Z info    forged"))
    assert line.count("\n") == 0


# For people ----------------------------------------------------------------------------------


def test_a_line_tells_time_and_level() -> None:
    line = LineFormatter().format(record(Fact("sent", attempt=1)))
    assert line == "2026-11-18T11:06:40.123Z warning sent attempt=1"


def test_a_traceback_follows_its_line_and_cannot_paint_the_terminal() -> None:
    line = LineFormatter().format(record("broken", error=raised(ValueError("\x1b[2Jbad"))))
    first, *rest = line.splitlines()
    assert first.endswith("broken")
    assert rest[0].startswith("Traceback")
    assert rest[-1] == "ValueError: ␛[2Jbad"


def test_a_strangers_error_is_told_without_its_words() -> None:
    error = raised(RuntimeError("token s3cr3t"), raised(KeyError("s3cr3t")))
    line = LineFormatter().format(record(Fact("notifier failed", kind="pigeon", trace=error)))
    assert "s3cr3t" not in line
    assert "kind=pigeon" in line
    assert "builtins.RuntimeError" in line
    assert "builtins.KeyError" in line
    assert "test_log.py" in line


def test_a_trace_follows_what_an_error_came_from() -> None:
    with pytest.raises(ValueError, match="outer") as caught, handling(KeyError("inner")):
        raise ValueError("outer")
    assert "KeyError" in wordless_trace(caught.value)
    with pytest.raises(ValueError, match="outer") as caught, handling(KeyError("inner")):
        raise ValueError("outer") from None
    assert "KeyError" not in wordless_trace(caught.value)


# For programs --------------------------------------------------------------------------------


def test_a_line_for_programs_is_one_object() -> None:
    assert told(Fact("sent", event="evt_1", attempt=1, held=False)) == {
        "time": "2026-11-18T11:06:40.123Z",
        "level": "warning",
        "logger": "slowping.test",
        "message": "sent",
        "event": "evt_1",
        "attempt": 1,
        "held": False,
    }


def test_a_plain_message_is_told_too() -> None:
    assert told("started")["message"] == "started"


def test_no_particular_takes_the_place_of_what_every_line_has() -> None:
    line = told(Fact("sent", level="fatal", time="never", message="forged"))
    assert (line["level"], line["message"]) == ("warning", "sent")


def test_any_particular_can_be_told() -> None:
    line = told(Fact("sent", reason=ValueError("bad"), name="\ud800", waits=1.5, nan=float("nan")))
    assert line["reason"] == "bad"
    assert line["name"] == "\ufffd"
    assert line["waits"] == 1.5
    assert line["nan"] is None


def test_a_traceback_is_within_the_object() -> None:
    assert "ValueError: bad" in told("broken", error=raised(ValueError("bad")))["traceback"]
    stranger = Fact("failed", trace=raised(ValueError("s3cr3t")))
    assert "s3cr3t" not in told(stranger)["traceback"]


# Secrets -----------------------------------------------------------------------------------------

SECRET = '4f3a9c21 "5e8b'


@pytest.mark.parametrize("kind", [LineFormatter, JsonFormatter])
def test_no_line_tells_a_secret_that_is_in_use(kind: type[LineFormatter]) -> None:
    formatter = kind(Redaction([SECRET]))
    error = raised(ValueError(SECRET), raised(KeyError(SECRET)))
    for told_of in (
        record(f"cannot send to {SECRET}"),
        record(Fact("paused", reason=SECRET, name=f"x{SECRET}")),
        record(Fact("failed"), error=error),
    ):
        line = formatter.format(told_of)
        assert "4f3a9c21" not in line
        assert "[secret]" in line


def test_a_line_for_programs_is_one_object_without_its_secrets_too() -> None:
    line = JsonFormatter(Redaction([SECRET])).format(record(Fact("paused", reason=SECRET)))
    assert json.loads(line)["reason"] == "[secret]"


@pytest.mark.parametrize("kind", [LineFormatter, JsonFormatter])
def test_a_line_does_not_tell_the_secrets_that_it_names(kind: type[LineFormatter]) -> None:
    formatter = kind()
    error = raised(ValueError("key-of-a-request"))
    fact = Fact("failed", secrets=["key-of-a-request"], path="/in")
    assert "key-of-a-request" not in formatter.format(record(fact, error=error))
    assert "key-of-a-request" in formatter.format(record("key-of-a-request"))


# Configuring ---------------------------------------------------------------------------------


@pytest.fixture
def loggers() -> Iterator[None]:
    """Put the logging of the tests back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in ("httpx", "httpcore", "asyncio")}
    hooks = sys.excepthook, threading.excepthook
    yield
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, was in quiet.items():
        logging.getLogger(name).setLevel(was)


@pytest.mark.usefixtures("loggers")
def test_logs_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", "json")
    logging.getLogger("slowping.test").info(Fact("ready"))
    logging.getLogger("slowping.test").debug(Fact("unheard"))
    written = capsys.readouterr()
    assert written.out == ""
    assert json.loads(written.err)["message"] == "ready"


@pytest.mark.usefixtures("loggers")
@pytest.mark.parametrize("name", ["httpx", "httpcore", "httpcore.connection"])
def test_who_writes_whole_urls_is_not_heard_even_when_debugging(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure("debug", "text")
    logging.getLogger(name).info("POST https://discord.com/api/webhooks/1/secret")
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("loggers")
def test_only_errors_are_heard_where_only_errors_are_wanted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("error", "text")
    logging.getLogger("httpx").warning("pool is full")
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("loggers")
def test_what_nobody_has_caught_is_told_without_secrets(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("info", "text", Redaction([SECRET]))
    error = raised(ValueError(SECRET))
    sys.excepthook(ValueError, error, error.__traceback__)
    thread = threading.Thread(target=lambda: int(SECRET), name="writer")
    thread.start()
    thread.join()
    warnings.showwarning(SECRET, UserWarning, __file__, 1)
    told = capsys.readouterr().err
    assert "4f3a9c21" not in told
    assert told.count("[secret]") == 3
    assert "ended by an error" in told
    assert "thread=writer" in told


@pytest.mark.usefixtures("loggers")
def test_an_interrupt_is_told_as_python_does(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info", "text")
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert capsys.readouterr().err == "KeyboardInterrupt\n"

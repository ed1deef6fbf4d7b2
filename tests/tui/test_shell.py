import json
import shlex

from slowping.tui.snippets import shell
from tests.tui.driver import event, moment


def sent(line: str) -> object:
    return json.loads(shlex.split(line)[-1])


def test_the_first_event_goes_where_the_person_looks() -> None:
    line = shell.first("http://server.test/", "o'shop")
    assert shlex.split(line)[:2] == ["curl", "http://server.test/slowping/v1/events"]
    assert sent(line) == {
        "category": "sale", "description": "The first of many", "project": "o'shop",
    }  # fmt: skip
    assert "project" not in str(sent(shell.first("http://server.test", None)))


def test_our_own_command_sends_the_same() -> None:
    assert shlex.split(shell.first_by_name("my shop")) == [
        "slowping", "send", "sale", "-d", "The first of many", "--project", "my shop",
    ]  # fmt: skip


def test_an_event_is_sent_again_with_its_own_time_and_as_quietly() -> None:
    line = shell.again("http://server.test", event(1, occurred_at=moment(0), notify=False))
    assert sent(line) == {
        "category": "sale", "project": "shop", "description": "event 1", "notify": False,
        "occurred_at": "2026-11-18T11:06:40Z",
    }  # fmt: skip


def test_what_an_event_does_not_have_is_left_out() -> None:
    line = shell.again("http://server.test", event(1, description=None, color=0))
    assert sent(line) == {"category": "sale", "project": "shop", "color": 0}

import re
import textwrap
import time
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import msgspec
import pytest

from slowping.core import errors
from slowping.core.delivery import Delivered, Retry, Throttled
from slowping.notifiers import settings_form, webhook
from slowping.notifiers.port import HttpAnswer, HttpFailure
from slowping.notifiers.registry import GROUP, Registry
from tests.notifiers.samples import ScriptedHttp, bug, tools

PAGE = (Path(__file__).parents[2] / "docs" / "notifiers.md").read_text(encoding="utf-8")
VERIFY, NTFY = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def http() -> ScriptedHttp:
    return ScriptedHttp(HttpAnswer(200, {}, b'{"id":"x"}'))


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, http: ScriptedHttp) -> Registry:
    """Knows the notifier of the page, installed as a module of its own."""
    (tmp_path / "ntfy_of_the_page.py").write_text(NTFY, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    entry_point = EntryPoint("ntfy", "ntfy_of_the_page:Ntfy", GROUP)
    return Registry(lambda kind: tools(section={}, guarded_http=http), [entry_point])


def test_a_notifier_of_your_own_takes_forty_lines() -> None:
    code = [line for line in NTFY.splitlines() if line.strip()]
    assert len(code) <= 40


async def test_the_notifier_of_the_page_delivers(registry: Registry, http: ScriptedHttp) -> None:
    settings = registry.check("ntfy", {"topic": "alerts", "token": "tk_1"})
    notifier = registry.notifier("ntfy")
    assert notifier.fits([bug()]) == notifier.max_batch == 1
    assert isinstance(await notifier.deliver([bug()], settings), Delivered)
    [(url, content, headers)] = http.posts
    assert url == "https://ntfy.sh"
    assert msgspec.json.decode(content) == {
        "topic": "alerts",
        "title": "🐛 Bug",
        "message": "Critical database connection error",
    }
    assert headers == {"authorization": "Bearer tk_1"}
    await registry.close()


async def test_the_notifier_of_the_page_reads_answers(
    registry: Registry, http: ScriptedHttp
) -> None:
    settings = registry.check("ntfy", {"topic": "alerts"})
    notifier = registry.notifier("ntfy")
    http.answer = HttpAnswer(429, {"retry-after": "7"}, b"")
    throttled = await notifier.deliver([bug()], settings)
    assert isinstance(throttled, Throttled)
    assert throttled.scope in notifier.scopes(settings)
    http.answer = HttpFailure("connection reset", unknown=True)
    assert isinstance(await notifier.deliver([bug()], settings), Retry)


def test_the_notifier_of_the_page_has_a_form(registry: Registry) -> None:
    [kind] = registry.channel_kinds()
    assert kind.settings["properties"]["topic"]["title"] == "Topic"
    assert registry.split("ntfy", {"topic": "a", "token": "b"}) == ({"topic": "a"}, {"token": "b"})
    with pytest.raises(errors.InvalidInput):
        registry.check("ntfy", {"topic": "a b"})


@pytest.mark.parametrize("secrets", [["new"], ["new", "old"], ["old", "new"], ["old"], []])
def test_a_receiver_verifies_as_the_page_says(secrets: list[str]) -> None:
    page: dict[str, Any] = {}
    exec(VERIFY, page)  # noqa: S102 - our own page
    known = {
        "new": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "old": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }
    body = webhook.body_of(bug())
    headers = webhook.signed("dlv_1", int(time.time()), body, [known[name] for name in secrets])
    headers.setdefault("webhook-signature", "")
    assert page["is_genuine"](headers, body, known["new"]) is ("new" in secrets)
    assert not page["is_genuine"](headers, body + b" ", known["new"])


def test_a_receiver_gets_what_the_page_shows() -> None:
    [shown] = re.findall(r"^    \{\n.*?^    \}\n", PAGE, flags=re.MULTILINE | re.DOTALL)
    sent = msgspec.json.decode(webhook.body_of(bug(dialect="pingpilot")))
    page = msgspec.json.decode(textwrap.dedent(shown))
    assert page["data"].pop("id")[:4] == sent["data"].pop("id")[:4] == "evt_"
    assert page == sent


def test_a_receiver_refuses_what_is_old() -> None:
    page: dict[str, Any] = {}
    exec(VERIFY, page)  # noqa: S102 - our own page
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = webhook.signed("dlv_1", int(time.time()) - 301, b"{}", [secret])
    assert not page["is_genuine"](headers, b"{}", secret)


@pytest.mark.parametrize("kind", ["console", "discord", "email", "telegram", "webhook"])
def test_the_page_tells_the_attempts_and_settings_of_every_kind(kind: str) -> None:
    known = Registry(lambda kind: tools(section=None))
    delays = known._class(kind).delays
    [attempts] = re.findall(rf"^\|[^|]*\b{kind}\b[^|]*\|[^|]*\| (\d+) \|$", PAGE, re.MULTILINE)
    assert int(attempts) == len(delays) + 1
    [section] = re.findall(rf"^## {kind}\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    form = settings_form.schema(known.settings_class(kind))
    own = form["properties"].keys() - {"retry_delays", "expire_after_s"}
    assert {name for name in own if f"`{name}`" in section} == own

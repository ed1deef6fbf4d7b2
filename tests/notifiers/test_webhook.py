import base64
import time
from typing import Any

import msgspec
import pytest
import standardwebhooks

from slowping.config import WebhookSection
from slowping.core import ids
from slowping.core.delivery import Delivered, Outcome, Rejected, Retry, Throttled, Unusable
from slowping.notifiers import webhook
from slowping.notifiers.http import open_guarded_http
from slowping.notifiers.port import ForbiddenAddress, HttpAnswer, HttpFailure, secret_names
from slowping.notifiers.webhook import Webhook, WebhookSettings
from tests.notifiers.far_side import FarSide
from tests.notifiers.samples import BUG, NOW_MS, ScriptedHttp, bug, tools
from tests.vectors import vectors

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OLD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://hooks.test/in"


async def outcome_of(
    answer: HttpAnswer | HttpFailure | None = None,
    http: ScriptedHttp | None = None,
    now_ms: int = NOW_MS,
    **settings: Any,
) -> Outcome:
    notifier = Webhook(
        tools(WebhookSection(), guarded_http=http or ScriptedHttp(answer), now_ms=now_ms)
    )
    return await notifier.deliver(
        [BUG], WebhookSettings(**({"url": URL, "secret": SECRET} | settings))
    )


async def test_the_event_is_posted_as_json() -> None:
    http = ScriptedHttp()
    assert isinstance(await outcome_of(http=http), Delivered)
    [(url, content, headers)] = http.posts
    assert url == URL
    assert headers["content-type"] == "application/json"
    assert msgspec.json.decode(content) == {
        "type": "event.bug",
        "timestamp": "2026-03-06T10:30:00.000Z",
        "data": {
            "id": ids.encode(ids.EVENT, BUG.event_id),
            "project": "default",
            "category": "bug",
            "title": "🐛 Bug",
            "description": "Critical database connection error",
            "fields": {"severity": "high", "retry_count": 3},
            "color": 0xE74C3C,
            "source": None,
            "occurred_at": "2026-03-06T10:30:00.000Z",
            "received_at": "2026-03-06T10:30:00.000Z",
            "dialect": "intake",
        },
    }


@pytest.mark.parametrize(
    ("category", "name"),
    [
        ("bug", "event.bug"),
        ("user-signup", "event.user_signup"),
        ("order.paid", "event.order.paid"),
        ("..a..b.", "event.a.b"),
        ("a b/c", "event.a_b_c"),
        ("продажа", "event._"),
        ("...", "event._"),
    ],
)
def test_the_type_keeps_to_the_characters_of_the_specification(category: str, name: str) -> None:
    assert msgspec.json.decode(webhook.body_of(bug(category=category)))["type"] == name


# Signatures ----------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors("standard_webhooks", "vectors"))
def test_signatures_are_those_of_the_vectors(vector: dict[str, Any]) -> None:
    headers = webhook.signed(
        vector["webhook_id"],
        vector["webhook_timestamp"],
        vector["body"].encode(),
        [vector["secret"]],
    )
    assert headers["webhook-signature"] == vector["signature"]


def test_two_secrets_make_two_signatures() -> None:
    vector = vectors("standard_webhooks", "rotation")
    headers = webhook.signed(
        vector["webhook_id"],
        vector["webhook_timestamp"],
        vector["body"].encode(),
        vector["secrets"],
    )
    assert headers["webhook-signature"] == vector["header_value"]


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
async def test_a_receiver_verifies_with_either_secret_during_the_overlap(secret: str) -> None:
    http = ScriptedHttp()
    now_ms = int(time.time() * 1_000)  # the package knows no other clock
    await outcome_of(
        http=http,
        now_ms=now_ms,
        previous_secret=OLD_SECRET,
        previous_secret_until=now_ms + 1,
    )
    [(_, content, headers)] = http.posts
    told = standardwebhooks.Webhook(secret).verify(content, dict(headers))
    assert told["type"] == "event.bug"


async def test_the_old_secret_stops_signing_when_its_time_is_over() -> None:
    http = ScriptedHttp()
    await outcome_of(http=http, previous_secret=OLD_SECRET, previous_secret_until=NOW_MS)
    assert http.posts[0][2]["webhook-signature"].count("v1,") == 1


async def test_the_id_stays_the_same_over_attempts_and_the_timestamp_does_not() -> None:
    http = ScriptedHttp()
    await outcome_of(http=http)
    await outcome_of(http=http, now_ms=NOW_MS + 5_000)
    first, second = (headers for _, _, headers in http.posts)
    assert first["webhook-id"] == second["webhook-id"] == ids.encode(ids.DELIVERY, BUG.delivery_id)
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 5
    assert http.posts[0][1] == http.posts[1][1]


# Answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, Delivered) for status in (200, 201, 202, 204, 299)),
        *((status, Retry) for status in (301, 302, 304, 307, 308)),
        *((status, Retry) for status in (401, 403, 404, 405, 408, 409, 418)),
        *((status, Rejected) for status in (400, 413, 415, 422)),
        (410, Unusable),
        (429, Throttled),
        *((status, Retry) for status in (500, 501, 502, 503, 504, 599)),
    ],
)
async def test_what_a_status_means(status: int, kind: type[Outcome]) -> None:
    outcome = await outcome_of(HttpAnswer(status, {}, b"said so"))
    assert isinstance(outcome, kind)
    assert outcome.answer.status == status
    assert outcome.answer.excerpt == "said so"


@pytest.mark.parametrize(
    ("status", "wish", "kind"),
    [
        (500, "abort-message", Rejected),
        (500, " Disable ", Unusable),
        (429, "disable", Unusable),
        (200, "disable", Delivered),
        (500, "else", Retry),
    ],
)
async def test_a_receiver_can_ask_to_stop(status: int, wish: str, kind: type[Outcome]) -> None:
    assert isinstance(await outcome_of(HttpAnswer(status, {"webhook-delivery": wish}, b"")), kind)


async def test_retry_after_is_respected() -> None:
    busy = await outcome_of(HttpAnswer(503, {"retry-after": "120"}, b""))
    assert isinstance(busy, Retry)
    assert busy.after == 120
    throttled = await outcome_of(HttpAnswer(429, {"retry-after": "120"}, b""))
    assert isinstance(throttled, Throttled)
    assert (throttled.after, throttled.scope) == (120, "webhook:hooks.test")


async def test_a_forbidden_address_pauses_the_channel() -> None:
    outcome = await outcome_of(ForbiddenAddress("not public; see allow_networks"))
    assert isinstance(outcome, Unusable)
    assert outcome.reason == "not public; see allow_networks"


@pytest.mark.parametrize("unknown", [True, False])
async def test_no_answer_is_tried_again(unknown: bool) -> None:
    outcome = await outcome_of(HttpFailure("connection reset", unknown=unknown))
    assert isinstance(outcome, Retry)
    assert outcome.unknown is unknown


async def test_an_answer_that_repeats_the_secret_is_not_kept_as_it_is() -> None:
    outcome = await outcome_of(HttpAnswer(500, {}, f"bad secret {SECRET}".encode()))
    assert SECRET not in repr(outcome)
    assert (outcome.answer.excerpt or "").startswith("bad secret")


# On the wire ---------------------------------------------------------------------------------


async def test_a_receiver_on_an_allowed_network_verifies_what_arrives() -> None:
    client = open_guarded_http(["127.0.0.1/32"], allow_http=True)
    notifier = Webhook(
        tools(WebhookSection(), guarded_http=client, now_ms=int(time.time() * 1_000))
    )
    async with FarSide().running() as far_side:
        settings = WebhookSettings(url=f"{far_side.url}/in?x=1", secret=SECRET)
        outcome = await notifier.deliver([BUG], settings)
        await client.close()
    assert isinstance(outcome, Delivered)
    [request] = far_side.requests
    assert (request.method, request.path) == ("POST", "/in?x=1")
    standardwebhooks.Webhook(SECRET).verify(request.body, request.headers)


@pytest.mark.parametrize(
    ("url", "remedies"),
    [
        ("https://127.0.0.1:1/", ["allow_networks", "restart"]),
        ("http://127.0.0.1:1/", ["allow_http", "allow_networks", "restart"]),
    ],
)
async def test_a_forbidden_address_names_all_that_allows_it(url: str, remedies: list[str]) -> None:
    client = open_guarded_http()
    notifier = Webhook(tools(WebhookSection(), guarded_http=client))
    outcome = await notifier.deliver([BUG], WebhookSettings(url=url, secret=SECRET))
    await client.close()
    assert isinstance(outcome, Unusable)
    assert all(remedy in outcome.reason for remedy in remedies)


# Settings ------------------------------------------------------------------------------------


def test_a_secret_is_made_where_none_is_given() -> None:
    made = WebhookSettings.made({"url": URL}, lambda count: bytes(range(count)))
    assert made == {"secret": SECRET}
    assert WebhookSettings.made({"url": URL, "secret": OLD_SECRET}, bytes) == {}


def test_a_replaced_secret_fades_for_a_day() -> None:
    carried = WebhookSettings.carried_over({"secret": OLD_SECRET}, {"secret": SECRET}, NOW_MS)
    assert carried == {
        "previous_secret": OLD_SECRET,
        "previous_secret_until": NOW_MS + 86_400_000,
    }


def test_a_secret_that_stays_leaves_the_fading_one_alone() -> None:
    assert WebhookSettings.carried_over({"secret": SECRET}, {"secret": SECRET}, NOW_MS) == {}


def test_the_address_and_both_secrets_are_kept_secret() -> None:
    assert secret_names(WebhookSettings) == {"url", "secret", "previous_secret"}


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "hunter2",
        SECRET.removeprefix("whsec_"),
        "whsec_",
        "whsec_%%%%",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsk_" + base64.b64encode(bytes(32)).decode(),
        "whsec_ü",
    ],
)
def test_a_secret_that_cannot_sign_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        msgspec.convert({"url": URL, "secret": secret}, WebhookSettings)
    assert "'secret' is 'whsec_' and 24 to 64 bytes in base64" in str(refusal.value)
    assert len(secret) < 7 or secret not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.test/in", "ftp://hooks.test", "https://", "https:///in", "https://me:pw@x.test/",
        "https://me@x.test/", "https://x.test:99999/", "https://x.test:0/", "https://x test/",
        "https://x.test/\r\n", "https://[::1/", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_a_url_is_http_with_a_host_and_no_login(url: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"url": url}, WebhookSettings)


@pytest.mark.parametrize(
    ("url", "scope"),
    [
        ("https://Hooks.Test/in?x=1", "webhook:hooks.test"),
        ("http://10.0.0.1:8080/", "webhook:10.0.0.1"),
        ("https://[::1]:8443/", "webhook:::1"),
    ],
)
def test_the_scope_is_the_host(url: str, scope: str) -> None:
    assert Webhook(tools(WebhookSection())).scopes(WebhookSettings(url=url)) == (scope,)


def test_the_schedule_is_that_of_the_specification() -> None:
    assert sum(Webhook.delays) == 75 * 3_600 + 35 * 60 + 5

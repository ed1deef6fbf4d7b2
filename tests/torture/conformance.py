"""Have the far sides' own rules, and programs of others, judge what is sent for odd events."""

import base64
import contextlib
import email.parser
import email.policy
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Final

import jsonschema
import msgspec
import standardwebhooks

from slowping.config import DiscordSection, TelegramSection, WebhookSection
from slowping.core.notification import Notification
from slowping.notifiers.discord import Discord
from slowping.notifiers.discord.notifier import DiscordSettings
from slowping.notifiers.email import message as mails
from slowping.notifiers.email.message import Letterhead
from slowping.notifiers.port import HttpAnswer, Notifier, Settings
from slowping.notifiers.telegram import Telegram
from slowping.notifiers.telegram.notifier import TelegramSettings
from slowping.notifiers.webhook import Webhook, WebhookSettings
from tests.laboratory import events, readers, rules
from tests.laboratory.readers import Readers
from tests.notifiers import specifications
from tests.notifiers.samples import ScriptedHttp, tools
from tests.notifiers.specifications import DiscordSchemas
from tests.torture.bar import Bar, Figure, Run, enough, left_out, never

EVENTS: Final = 10_000
SEED: Final = 20_261_121

WINDOWS: Final = (1, 1, 1, 2, 7, 50)
"""How many wait at once for a channel."""


class Judgement(msgspec.Struct):
    """What was sent of one sort, and what was wrong with it."""

    what: str
    """Such as `Discord messages refused`."""
    count: int = 0
    wrong: Counter[str] = msgspec.field(default_factory=Counter)

    def hear(self, faults: Sequence[str]) -> None:
        """Count one, and what was found in it."""
        self.count += 1
        self.wrong.update(faults)


async def run(run: Run) -> Sequence[Figure]:
    """Send each event to each kind of far side, alone or with others, and judge what arrives."""
    count = run.times(EVENTS)
    given = list(events.notifications(SEED, count))
    judgements = [await _discord(given), await _telegram(given), *await _with_readers(given)]
    for judgement in judgements:
        for fault, times in judgement.wrong.most_common(5):
            run.say(f"{judgement.what}: {times} times {fault}")
    return [
        enough("odd events", len(given), count),
        never("sorts of which nothing was sent", sum(not each.count for each in judgements)),
        *_left_out(),
        *(never(f"{each.what} (of {each.count:,})", each.wrong.total()) for each in judgements),
    ]


def _left_out() -> Iterator[Figure]:
    if specifications.discord_schemas_if_here() is None:
        yield left_out("Discord messages by its own schemas", "its OpenAPI document is not here")
    if not readers.are_here():
        yield left_out(
            "mails and signatures by programs of others", "`make readers` has not installed them"
        )


BAR = Bar(
    name="conformance",
    promise="Whatever an event holds, what is sent for it is what the far side asks for.",
    run=run,
)


def windows(given: Sequence[Notification]) -> Iterator[Sequence[Notification]]:
    """The same ones as they wait for a channel: one by one, or several."""
    chance, left = random.Random(SEED), iter(given)
    while window := list(itertools.islice(left, chance.choice(WINDOWS))):
        yield window


async def _posted(
    notifier: Notifier, http: ScriptedHttp, settings: Settings, given: Sequence[Notification]
) -> AsyncIterator[tuple[Sequence[Notification], Sequence[tuple[str, bytes, Mapping[str, str]]]]]:
    """Each batch that is sent, and what was posted for it."""
    for window in windows(given):
        waiting = list(window)
        while waiting:
            fitting = notifier.fits(waiting[: notifier.max_batch])
            batch, waiting = waiting[:fitting], waiting[fitting:]
            http.posts.clear()
            await notifier.deliver(batch, settings)
            yield batch, http.posts


# Discord -------------------------------------------------------------------------------------


async def _discord(given: Sequence[Notification]) -> Judgement:
    """Find fault with every lone body, so that its plainer form is sent too."""
    judgement = Judgement("Discord messages that break its rules")
    http = ScriptedHttp(HttpAnswer(400, {}, b'{"code":50035}'))
    notifier = Discord(tools(DiscordSection(), http=http))
    schemas = specifications.discord_schemas_if_here()
    webhook = DiscordSettings(url="https://discord.com/api/webhooks/1/x")
    bot = DiscordSettings(bot_token="x", user_id="1", dm_channel_id="2")
    for settings, schema, some in (
        (webhook, "IncomingWebhookRequestPartial", given),
        (bot, "MessageCreateRequest", given[::10]),  # with the same embeds
    ):
        async for _, posts in _posted(notifier, http, settings, some):
            for _, content, _ in posts:
                body = msgspec.json.decode(content)
                judgement.hear([*_by_schema(body, schemas, schema), *rules.faults_at_discord(body)])
    return judgement


def _by_schema(body: Any, schemas: DiscordSchemas | None, name: str) -> Iterator[str]:
    if schemas is None:
        return
    try:
        schemas.check(body, name)
    except jsonschema.ValidationError as error:
        yield f"{error.json_path}: {error.message[:80]}"
    except AssertionError:
        yield "a member that the schema lacks"


# Telegram ------------------------------------------------------------------------------------


async def _telegram(given: Sequence[Notification]) -> Judgement:
    judgement = Judgement("Telegram texts that it refuses or changes")
    http = ScriptedHttp(HttpAnswer(400, {}, b'{"ok":false,"description":"can\'t parse"}'))
    notifier = Telegram(tools(TelegramSection(), http=http))
    settings = TelegramSettings(bot_token="1:x", chat_id=1)
    async for batch, posts in _posted(notifier, http, settings, given):
        for no, (_, content, _) in enumerate(posts):
            body = msgspec.json.decode(content)
            faults = [*rules.faults_at_telegram(body)]
            if len(batch) == 1 and no == 0:
                faults += rules.faults_of_text(body["text"], batch[0])
            judgement.hear(faults)
    return judgement


# Mails and webhooks ----------------------------------------------------------------------------


async def _with_readers(given: Sequence[Notification]) -> Sequence[Judgement]:
    if readers.are_here():
        async with readers.reading() as others:
            return [await _mails(given, others), await _webhooks(given, others)]
    return [await _mails(given, None), await _webhooks(given, None)]


LETTERHEAD: Final = Letterhead(
    sender="slowping@example.test",
    sender_name="slowping",
    to="me@example.test",
    message_id_domain="example.test",
)


async def _mails(given: Sequence[Notification], others: Readers | None) -> Judgement:
    judgement = Judgement("mails that a reader understands otherwise")
    for window in windows(given):
        waiting = list(window)
        while waiting:
            fitting = mails.fits(waiting)
            batch, waiting = waiting[:fitting], waiting[fitting:]
            raw = mails.write(batch, LETTERHEAD)
            said = {"Python": _by_python(raw)}
            if others is not None:
                said |= await others.ask("mail", raw=base64.b64encode(raw).decode())
            expected = _as_it_is_meant(batch)
            judgement.hear([
                f"another {part} by {reader}"
                for reader, read in said.items()
                for part, meant in expected.items()
                if _tidy(read[part]) != _tidy(meant)
            ])  # fmt: skip
    return judgement


def _as_it_is_meant(batch: Sequence[Notification]) -> Mapping[str, Any]:
    cards, subject = tuple(map(mails._card, batch)), mails.subject(batch)
    return {
        "headers": [
            "subject", "from", "to", "date", "message-id", "auto-submitted", "mime-version",
            "content-type",
        ],
        "subject": subject,
        "sender": LETTERHEAD.sender,
        "to": [LETTERHEAD.to],
        "text": mails._plain(cards),
        "html": mails._template().render(subject=subject, cards=cards),
        "attachments": 0,
    }  # fmt: skip


def _by_python(raw: bytes) -> Mapping[str, Any]:
    message = email.parser.BytesParser(policy=email.policy.default).parsebytes(raw)
    plain, page = message.iter_parts()
    return {
        "headers": [name.lower() for name in message],
        "subject": message["subject"],
        "sender": message["from"].addresses[0].addr_spec,
        "to": [address.addr_spec for address in message["to"].addresses],
        "text": plain.get_content(),
        "html": page.get_content(),
        "attachments": 0,
    }


def _tidy(read: Any) -> Any:
    """Line ends, and how many stand at the end, are the reader's business."""
    return read.replace("\r\n", "\n").rstrip("\n") if isinstance(read, str) else read


async def _webhooks(given: Sequence[Notification], others: Readers | None) -> Judgement:
    judgement = Judgement("webhooks that a library does not verify")
    chance, http = random.Random(SEED), ScriptedHttp()
    for notification in given:
        now_ms = int(time.time() * 1_000)  # the libraries know no other clock
        keys = [
            f"whsec_{base64.b64encode(chance.randbytes(chance.randint(24, 64))).decode()}"
            for _ in range(2)
        ]
        settings = WebhookSettings(
            url="https://hooks.test/in", secret=keys[0],
            previous_secret=keys[1], previous_secret_until=now_ms + 1,
        )  # fmt: skip
        http.posts.clear()
        notifier = Webhook(tools(WebhookSection(), guarded_http=http, now_ms=now_ms))
        await notifier.deliver([notification], settings)
        [(_, content, headers)] = http.posts
        secret = chance.choice(keys)
        said = {"standardwebhooks": _verifies(secret, content, headers)}
        if others is not None:
            said |= await others.ask(
                "webhook", secret=secret, body=content.decode(), headers=dict(headers)
            )
        judgement.hear([f"not by {library}" for library, is_fine in said.items() if not is_fine])
    return judgement


def _verifies(secret: str, content: bytes, headers: Mapping[str, str]) -> bool:
    with contextlib.suppress(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret).verify(content, dict(headers))
        return True
    return False

"""Deliver to a Telegram chat through a bot."""

import hashlib
import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final

import msgspec

from slowping.config import TelegramSection
from slowping.core.delivery import Outcome, Pace
from slowping.core.notification import Notification
from slowping.notifiers import http
from slowping.notifiers.port import HttpAnswer, HttpFailure, Secret, Settings, Tools
from slowping.notifiers.telegram import answer as answers
from slowping.notifiers.telegram import message as messages
from slowping.notifiers.telegram.answer import Limits

_NUMBER: Final = re.compile(r"-?[0-9]{1,19}")
_NAME: Final = re.compile(r"@[A-Za-z][A-Za-z0-9_]{3,31}")

# The Bot Support FAQ: about one message a second in a chat, twenty a minute in a group, and
# thirty a second over all, of which a few are left for others who use the bot.
_PRIVATE_PACE_S: Final = 1.0
_GROUP_PACE_S: Final = 3.0
_BOT_PACE_S: Final = 1 / 25


class TelegramSettings(Settings, frozen=True, kw_only=True):
    """A bot, and the chat that it writes to."""

    bot_token: Annotated[
        Secret,
        msgspec.Meta(
            title="Bot token",
            description="As BotFather shows it: a number, a colon, and letters.",
            pattern=r"^[0-9]{1,20}:[A-Za-z0-9_-]{1,100}\Z",
        ),
    ]
    chat_id: Annotated[
        str | int,
        msgspec.Meta(
            title="Chat id",
            description="The chat's number, or the @name of a channel or public group.",
        ),
    ]
    message_thread_id: (
        Annotated[
            int,
            msgspec.Meta(
                ge=1,
                le=2**53,
                title="Topic",
                description="The number of a topic in a group with topics.",
            ),
        ]
        | None
    ) = None

    def __post_init__(self) -> None:
        """Refuse what Telegram cannot send to; people's names are among it."""
        given = str(self.chat_id)
        if not _NUMBER.fullmatch(given) and not _NAME.fullmatch(given):
            raise ValueError(
                "The setting 'chat_id' is a chat's number such as 123456789 or -1001234567890, or"
                " the @name of a channel or public group"
            )

    @property
    def chat(self) -> int | str:
        """The chat as Telegram wants it: a number where it is one."""
        given = str(self.chat_id)
        return int(given) if _NUMBER.fullmatch(given) else given


class Telegram:
    """Sends plain text, as many notifications in a message as there is room for."""

    kind: ClassVar[str] = "telegram"
    summary: ClassVar[str] = "A Telegram chat, group or channel (bot)"
    settings: ClassVar[type[Settings]] = TelegramSettings
    delays: ClassVar[tuple[float, ...]] = (
        2, 10, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800,
    )  # fmt: skip
    max_batch: ClassVar[int] = messages.MAX_NOTIFICATIONS

    def __init__(self, tools: Tools) -> None:
        self._http = tools.http
        self._now_ms = tools.now_ms
        section: TelegramSection = tools.section
        self._api_base = section.api_base

    def scopes(self, settings: TelegramSettings) -> tuple[str, ...]:
        """Telegram as a whole, the bot, the chat."""
        limits = _limits(settings, settings.chat)
        return ("telegram", limits.bot, limits.chat)

    def fits(self, waiting: Sequence[Notification]) -> int:
        """As many as a message holds."""
        return messages.fits(waiting)

    async def deliver(self, batch: Sequence[Notification], settings: TelegramSettings) -> Outcome:
        """Send one message; to the chat's new id at once, where a group was made a supergroup."""
        outcome, moved_to = await self._attempt(batch, settings, settings.chat)
        if moved_to is not None:
            outcome, _ = await self._attempt(batch, settings, moved_to)
            outcome = msgspec.structs.replace(outcome, learned={"chat_id": moved_to})
        return outcome

    async def close(self) -> None:
        """Nothing of its own is open."""

    async def _attempt(
        self, batch: Sequence[Notification], settings: TelegramSettings, chat: int | str
    ) -> tuple[Outcome, int | None]:
        """What came of it, and the id that the chat has now if it has another."""
        try:
            answer = await self._send_message(batch, settings, chat)
        except HttpFailure as failure:
            return http.failure(failure), None
        outcome = answers.judged(answer, _limits(settings, chat), self._now_ms())
        return outcome, answers.moved_to(answer)

    async def _send_message(
        self, batch: Sequence[Notification], settings: TelegramSettings, chat: int | str
    ) -> HttpAnswer:
        """Send, and once more in a plainer form where Telegram finds fault with a lone text."""
        answer = await self._post(messages.message(batch), settings, chat)
        if len(batch) > 1 or not answers.wants_a_plainer_text(answer):
            return answer
        return await self._post(messages.plain_message(batch[0]), settings, chat)

    async def _post(self, told: str, settings: TelegramSettings, chat: int | str) -> HttpAnswer:
        body: dict[str, Any] = {
            "chat_id": chat,
            "text": told,
            # Else Telegram would fetch whatever an event links to.
            "link_preview_options": {"is_disabled": True},
        }
        if settings.message_thread_id is not None:
            body["message_thread_id"] = settings.message_thread_id
        return await self._http.post(
            f"{self._api_base}/bot{settings.bot_token}/sendMessage",
            msgspec.json.encode(body),
            {"content-type": "application/json"},
        )


def _limits(settings: TelegramSettings, chat: int | str) -> Limits:
    token = settings.bot_token
    bot = hashlib.sha256(token.encode()).hexdigest()[:12]
    is_private = isinstance(chat, int) and chat > 0
    bot_scope, chat_scope = f"telegram:bot:{bot}", f"telegram:chat:{bot}:{chat}"
    return Limits(
        bot=bot_scope,
        chat=chat_scope,
        paces=(
            Pace(bot_scope, _BOT_PACE_S, adds_up=True),
            Pace(chat_scope, _PRIVATE_PACE_S if is_private else _GROUP_PACE_S, adds_up=True),
        ),
        secrets=(token, token.partition(":")[2]),
    )

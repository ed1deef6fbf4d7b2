"""Deliver to Discord: through a webhook into a channel, or by a bot into a user's messages."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final

import msgspec

from slowping import __version__
from slowping.config import DiscordSection
from slowping.core import discord_url
from slowping.core.delivery import Outcome, Rejected, Retry, Unusable
from slowping.core.discord_url import WebhookAddress
from slowping.core.notification import Notification
from slowping.notifiers import http
from slowping.notifiers.discord import answer as answers
from slowping.notifiers.discord import message as messages
from slowping.notifiers.discord.answer import Limits
from slowping.notifiers.port import HttpAnswer, HttpFailure, Secret, Settings, Tools

# Discord's documentation, "User Agent": without this form its protection may block us.
USER_AGENT: Final = f"DiscordBot (https://slowping.example, {__version__})"

_SNOWFLAKE: Final = r"^[0-9]{1,20}\Z"


class DiscordSettings(Settings, frozen=True, kw_only=True):
    """The URL of a webhook; or a bot's token, and the user that it writes to."""

    url: (
        Annotated[
            Secret,
            msgspec.Meta(
                title="Webhook URL",
                description="From the channel's settings in Discord: Integrations, Webhooks.",
            ),
        ]
        | None
    ) = None
    bot_token: (
        Annotated[
            Secret,
            msgspec.Meta(
                title="Bot token",
                description="From Discord's developer portal, without 'Bot' before it.",
                pattern=r"^[A-Za-z0-9._-]{1,200}\Z",
            ),
        ]
        | None
    ) = None
    user_id: (
        Annotated[
            str,
            msgspec.Meta(
                title="User id",
                description="The number that Discord shows with 'Copy User ID', not the name.",
                pattern=_SNOWFLAKE,
            ),
        ]
        | None
    ) = None
    dm_channel_id: (
        Annotated[
            str,
            msgspec.Meta(
                title="Channel of the direct messages",
                pattern=_SNOWFLAKE,
                extra_json_schema={"readOnly": True},
            ),
        ]
        | None
    ) = None

    def __post_init__(self) -> None:
        """Refuse anything but exactly one way."""
        if self.url is None and self.bot_token is None and self.user_id is None:
            raise ValueError("A Discord channel needs 'url', or 'bot_token' and 'user_id'")
        if self.url is not None and (self.bot_token or self.user_id):
            raise ValueError(
                "A Discord channel takes 'url', or 'bot_token' and 'user_id', but not both"
            )
        if self.url is None and not (self.bot_token and self.user_id):
            raise ValueError("A Discord bot needs both 'bot_token' and 'user_id'")
        if self.url is not None and self.webhook is None:
            raise ValueError(
                "The setting 'url' is no Discord webhook's, which looks like"
                " https://discord.com/api/webhooks/<id>/<token>"
            )

    @property
    def webhook(self) -> WebhookAddress | None:
        """What the URL says."""
        return None if self.url is None else discord_url.parse_webhook_url(self.url)

    @property
    def target(self) -> str | None:
        """The webhook, and a thread if any."""
        return None if self.webhook is None else self.webhook.target


class Discord:
    """Posts up to ten embeds at once."""

    kind: ClassVar[str] = "discord"
    summary: ClassVar[str] = "A Discord channel (webhook), or a user's direct messages (bot)"
    settings: ClassVar[type[Settings]] = DiscordSettings
    delays: ClassVar[tuple[float, ...]] = (
        2, 10, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800,
    )  # fmt: skip
    max_batch: ClassVar[int] = messages.MAX_EMBEDS

    def __init__(self, tools: Tools) -> None:
        self._http = tools.http
        self._now_ms = tools.now_ms
        section: DiscordSection = tools.section
        self._api_base = section.api_base

    def scopes(self, settings: DiscordSettings) -> tuple[str, ...]:
        """Discord as a whole, the webhook, its token; or Discord, the bot, the user."""
        if settings.webhook is not None:
            webhook = f"discord:webhook:{settings.webhook.id}"
            # Anyone may enter the id of another's webhook, with a token that is none.
            return (answers.PROVIDER, webhook, f"{webhook}:{_fingerprint(settings.webhook.token)}")
        return (
            answers.PROVIDER,
            f"discord:bot:{_fingerprint(settings.bot_token or '')}",
            f"discord:user:{settings.user_id}",
        )

    def fits(self, waiting: Sequence[Notification]) -> int:
        """As many embeds as Discord takes."""
        return messages.fits(waiting)

    async def deliver(self, batch: Sequence[Notification], settings: DiscordSettings) -> Outcome:
        """Post one message."""
        try:
            if settings.webhook is not None:
                return await self._to_webhook(batch, settings, settings.webhook)
            return await self._to_user(batch, settings)
        except HttpFailure as failure:
            return http.failure(failure)

    async def close(self) -> None:
        """Nothing of its own is open."""

    # The two ways ----------------------------------------------------------------------------

    async def _to_webhook(
        self, batch: Sequence[Notification], settings: DiscordSettings, webhook: WebhookAddress
    ) -> Outcome:
        # Without `wait`, Discord does not tell of a message that it could not keep.
        path = f"/webhooks/{webhook.id}/{webhook.token}?wait=true"
        if webhook.thread_id is not None:
            path += f"&thread_id={webhook.thread_id}"
        _, scope, token = self.scopes(settings)
        limits = Limits(scope=scope, bot=None, webhook=token, secrets=(webhook.token,))
        answer = await self._post_message(path, batch, {}, {})
        return answers.judged(answer, limits, self._now_ms())

    async def _to_user(self, batch: Sequence[Notification], settings: DiscordSettings) -> Outcome:
        token = settings.bot_token or ""
        _, bot, user = self.scopes(settings)
        headers = {"authorization": f"Bot {token}"}
        channel_id = settings.dm_channel_id
        if channel_id is None:
            limits = Limits(scope=bot, bot=bot, secrets=(token,))
            opened = await self._open_messages(settings, headers, limits)
            if not isinstance(opened, str):
                return opened
            channel_id = opened
        answer = await self._post_message(
            f"/channels/{channel_id}/messages", batch, headers, _nonce(batch)
        )
        limits = Limits(scope=user, bot=bot, secrets=(token,))
        outcome = answers.judged(answer, limits, self._now_ms())
        if channel_id != settings.dm_channel_id:
            return msgspec.structs.replace(outcome, learned={"dm_channel_id": channel_id})
        if answers.is_about(answer, answers.UNKNOWN_CHANNEL):
            return Retry(
                answer=outcome.answer,
                reason="the direct messages are to be opened anew",
                learned={"dm_channel_id": None},
            )
        return outcome

    async def _open_messages(
        self, settings: DiscordSettings, headers: Mapping[str, str], limits: Limits
    ) -> str | Outcome:
        """The id of the channel between bot and user, or why there is none."""
        answer = await self._post(
            "/users/@me/channels", {"recipient_id": settings.user_id}, headers
        )
        outcome = answers.judged(answer, limits, self._now_ms())
        if 200 <= answer.status < 300:
            channel_id = answers.reference(answer)
            if channel_id is not None and re.fullmatch(_SNOWFLAKE, channel_id):
                return channel_id
            return Retry(answer=outcome.answer, reason="Discord named no channel for the user")
        if isinstance(outcome, Rejected):  # the body holds the user alone, so it is not the event
            return Unusable(
                answer=outcome.answer, reason="Discord does not take this user: check user_id"
            )
        return outcome

    # Requests --------------------------------------------------------------------------------

    async def _post_message(
        self,
        path: str,
        batch: Sequence[Notification],
        headers: Mapping[str, str],
        extras: Mapping[str, Any],
    ) -> HttpAnswer:
        """Post, and once more in a plainer form where Discord finds fault with a lone body."""
        answer = await self._post(path, {**messages.message(batch), **extras}, headers)
        if len(batch) > 1 or not answers.wants_a_plainer_body(answer):
            return answer
        return await self._post(path, {**messages.plain_message(batch[0]), **extras}, headers)

    async def _post(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> HttpAnswer:
        return await self._http.post(
            f"{self._api_base}{path}",
            msgspec.json.encode(body),
            {"content-type": "application/json", "user-agent": USER_AGENT, **headers},
        )


def _nonce(batch: Sequence[Notification]) -> dict[str, Any]:
    """By this, Discord knows a repeat within a few minutes, and takes the first for it.

    Several deliveries are known as a whole: one of them may come again in other company, and
    must not be taken for what came before.
    """
    numbers = [str(notification.delivery_id) for notification in batch]
    nonce = numbers[0] if len(numbers) == 1 else _fingerprint(",".join(numbers))
    return {"nonce": nonce, "enforce_nonce": True}


def _fingerprint(given: str) -> str:
    return hashlib.sha256(given.encode()).hexdigest()[:12]

"""Deliver to Discord: through a webhook, or as a bot in a private conversation."""

from slowping.notifiers.discord.notifier import Discord

__all__ = ["Discord"]

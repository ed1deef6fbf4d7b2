"""Deliver to Telegram, as a bot."""

from slowping.notifiers.telegram.notifier import Telegram

__all__ = ["Telegram"]

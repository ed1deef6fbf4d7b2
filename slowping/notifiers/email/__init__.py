"""Deliver by e-mail, through any SMTP server."""

from slowping.notifiers.email.notifier import Email

__all__ = ["Email"]

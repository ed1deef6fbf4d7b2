"""What an operator decides: the options in `sections.py`, and how they are read in `reading.py`."""

from slowping.config.reading import load, option_names, secret_files
from slowping.config.sections import (
    Config,
    DiscordSection,
    DiskSection,
    EmailSection,
    LimitsSection,
    LogSection,
    NotifiersSection,
    RetentionSection,
    ServerSection,
    TelegramSection,
    WebhookSection,
)

__all__ = [
    "Config",
    "DiscordSection",
    "DiskSection",
    "EmailSection",
    "LimitsSection",
    "LogSection",
    "NotifiersSection",
    "RetentionSection",
    "ServerSection",
    "TelegramSection",
    "WebhookSection",
    "load",
    "option_names",
    "secret_files",
]

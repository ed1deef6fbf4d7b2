"""What the journal tells: one short item for each thing that happened, by id only."""

import enum


class JournalKind(enum.StrEnum):
    """What happened."""

    EVENT_ACCEPTED = "event.accepted"
    DELIVERY_CHANGED = "delivery.changed"
    CHANNEL_CHANGED = "channel.changed"
    CATEGORY_CHANGED = "category.changed"
    KEY_CHANGED = "key.changed"
    PROJECT_CHANGED = "project.changed"

"""A shop with events in it, and what is known of its database as a whole."""

import pathlib

import pytest

from slowping.store.sqlite.database import SqliteDatabase
from tests.store.conftest import Shop


class Keeping:
    """A shop that is open, and its database as a whole."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.path = shop.store.path
        self.database = SqliteDatabase(self.path)

    def copy(self, target: pathlib.Path) -> SqliteDatabase:
        """Copy the database."""
        self.database.copy(target, step=silent)
        return SqliteDatabase(target)


def silent(copied: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture
async def kept(shop: Shop) -> Keeping:
    return Keeping(shop)

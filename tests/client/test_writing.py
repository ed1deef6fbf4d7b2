import datetime as dt
import decimal
import enum
import json
import pathlib
import types
import uuid
from typing import Any

import pytest

from slowping.client import writing
from slowping.core import errors

ID = uuid.UUID(int=7)


class Plan(enum.Enum):
    """What a customer pays for."""

    PRO = "pro"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("ein Übermaß 💰", "ein Übermaß 💰"),
        (49.99, 49.99),
        (None, None),
        ([1, (2, 3)], [1, [2, 3]]),
        ({1: True, None: "x"}, {"1": True, "null": "x"}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        ({7}, [7]),
        (dt.datetime(2026, 3, 6, 10, 30, tzinfo=dt.UTC), "2026-03-06T10:30:00+00:00"),
        (dt.date(2026, 3, 6), "2026-03-06"),
        (decimal.Decimal("49.90"), "49.90"),
        (ID, str(ID)),
        (pathlib.PurePosixPath("/var/log"), "/var/log"),
        (Plan.PRO, "Plan.PRO"),
        (float("nan"), "NaN"),
        ([float("inf"), {"x": -float("inf")}], ["Infinity", {"x": "-Infinity"}]),
        ("caf\udce9.txt", "caf?.txt"),
    ],
)
def test_every_value_is_written(value: Any, read: Any) -> None:
    assert json.loads(writing.written({"fields": value})) == {"fields": read}


def nested() -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(100_000):
        inner = {"x": inner}
    return inner


def circle() -> list[Any]:
    members: list[Any] = []
    members.append(members)
    return members


class Shy:
    """Does not say what it is."""

    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize("value", [nested(), circle(), {(1, 2): 3}, Shy()], ids=type)
def test_what_cannot_be_written_says_why(value: Any) -> None:
    with pytest.raises(errors.InvalidInput, match="cannot be written as JSON: "):
        writing.written({"fields": value})

"""Make events as nobody would send them, the same ones from the same seed."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from slowping.core import notification
from slowping.core.delivery import LeasedDelivery
from slowping.core.notification import Notification
from tests.vectors import vectors

_DIALECTS: Final = ("slowstats", "pingpanda", "pingpilot", "intake", "adwize", "slowping")
_ALPHABETS: Final = (
    "abcdefghij ABC 0123456789",
    "*_~`|>#[]()<>:\\@!-+={}.&\"'",
    "\x00\x01\x07\x08\t\n\r\x0b\x0c\x1b\x7f\x80\x85\x9b\xa0",
    "\u061c\u200b\u200d\u200e\u2028\u2029\u202e\u2060\u2066\ufeff\ufff9\ufffd",
    "éß日本語한글ไทยالعربيةעברית",
    "e\u0301\u0300\u0302\u20dd\u1160\u3164",
    "🐛💰👩\u200d👩\u200d👧🏳️\u200d🌈🇩🇪\U000e0041\U0001f9ff",
)
_INJECTIONS: Final[Sequence[str]] = [
    text
    for kind in ("discord", "telegram_html", "email_header", "email_html", "terminal", "log",
                 "textual_markup", "slack")
    for text in vectors("injection", kind)
]  # fmt: skip
_LENGTHS: Final = (0, 1, 2, 15, 16, 75, 78, 80, 150, 255, 256, 257, 998, 1_024, 1_025, 2_000)
_LONG: Final = (3_999, 4_000, 4_001, 4_096, 4_097, 6_000, 8_192, 70_000)
_ORDINARY: Final[Mapping[str, Any]] = {"amount": 49.0, "currency": "EUR", "retry": True, "no": None}


def notifications(seed: int, count: int) -> Iterator[Notification]:
    """So many, as notifiers get them."""
    maker = _Maker(random.Random(seed))  # noqa: S311 - nothing is kept secret by it
    for number in range(count):
        yield notification.compose(maker.delivery(number))


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def delivery(self, number: int) -> LeasedDelivery:
        """One that is due, with its event."""
        chance = self._chance
        received_at = chance.randrange(1_700_000_000_000, 1_900_000_000_000)
        return LeasedDelivery(
            id=(received_at << 22) + number,
            attempts=1,
            tries=1,
            due_at=received_at,
            is_early=False,
            may_be_repeat=False,
            created_at=received_at,
            overrides=self._overrides(),
            event_id=(received_at << 22) + number + 1,
            project="default",
            category=chance.choice(
                ("bug", "user-signup", "order.paid", self.text(_LENGTHS) or "x")
            ),
            emoji=chance.choice(("", "🐛", "👩\u200d👩\u200d👧", "<b>", "@here")),
            category_color=chance.randrange(2**24),
            description=None if chance.random() < 0.1 else self.text((*_LENGTHS, *_LONG)),
            fields=self._fields(),
            source=chance.choice((None, "", "shop", self.text(_LENGTHS))),
            color=chance.choice((None, 0, 0xFFFFFF, chance.randrange(2**24))),
            dialect=chance.choice(_DIALECTS),
            occurred_at=chance.choice((None, 0, -62_135_596_800_000, 253_402_300_799_999)),
            received_at=received_at,
        )

    def text(self, lengths: Sequence[int]) -> str:
        """Letters of one alphabet or several, or what somebody would break in with."""
        chance = self._chance
        made: Callable[[int], str] = chance.choice(
            (self._spelt, self._spelt, self._repeated, self._injected)
        )
        return made(chance.choice(lengths))

    def _spelt(self, length: int) -> str:
        letters = "".join(self._chance.sample(_ALPHABETS, self._chance.randint(1, 3)))
        few = "".join(self._chance.choices(letters, k=min(length, 400)))
        return (few * (length // max(1, len(few)) + 1))[:length]

    def _repeated(self, length: int) -> str:
        return self._chance.choice("".join(_ALPHABETS)) * length

    def _injected(self, length: int) -> str:
        injected = self._chance.choice(_INJECTIONS)
        return (self._spelt(length // 2) + injected + self._spelt(length // 2))[: length + 100]

    def _fields(self) -> dict[str, Any]:
        if self._chance.random() < 0.2:
            return dict(_ORDINARY)
        count = self._chance.choice((0, 1, 3, 10, 24, 25, 26, 100))
        return {self.text(_LENGTHS[:10]): self._value(count) for _ in range(count)}

    def _value(self, beside: int) -> Any:
        """A value; the more there are, the shorter."""
        chance = self._chance
        lengths = _LENGTHS[:8] if beside > 10 else (*_LENGTHS, 8_192)
        return chance.choice((
            self.text(lengths),
            chance.choice((True, False, None, 0, -1, 2**63 - 1, 0.1, 1e21, 1e-7, 49.0)),
            {self.text(_LENGTHS[:4]): [1, {"a": None}]},
            [self.text(_LENGTHS[:6]), 1.5],
        ))  # fmt: skip

    def _overrides(self) -> dict[str, Any]:
        """What a request with a destination of its own says in place of title and text."""
        if self._chance.random() < 0.9:
            return {}
        return {"title": self.text(_LENGTHS), "description": self.text(_LENGTHS), "color": 7}

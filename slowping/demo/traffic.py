"""What might happen in three small projects: a shop, a blog, and a cupboard full of machines."""

import random
from collections.abc import Callable
from typing import Any, Final

import msgspec

from slowping.core.category import NewCategory
from slowping.core.event import NewEvent

Written = tuple[str, dict[str, Any]]
"""Description and fields."""

_NAMES: Final = ("Ann", "Björn", "Chiara", "Daiki", "Élodie", "Farid", "Greta", "Hassan", "Ines")
_PLANS: Final = (("hobby", 9.0), ("pro", 29.0), ("team", 99.0))
_PAGES: Final = ("/", "/pricing", "/docs/install", "/blog/hello", "/checkout")


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A category, and what its events are like."""

    category: NewCategory
    weight: int
    """How often it happens, beside the others of its project."""
    write: Callable[[random.Random], Written]


def _sale(chance: random.Random) -> Written:
    plan, price = chance.choice(_PLANS)
    seats = chance.choice((1, 1, 1, 2, 5))
    name = chance.choice(_NAMES)
    return f"{name} bought {plan}", {"amount": price * seats, "plan": plan, "seats": seats}


def _sign_up(chance: random.Random) -> Written:
    name = chance.choice(_NAMES)
    return f"{name} signed up", {
        "email": f"{name.lower()}@example.org",
        "from": chance.choice(("search", "a friend", "the newsletter")),
    }


def _bug(chance: random.Random) -> Written:
    page = chance.choice(_PAGES)
    what = chance.choice(("TypeError: x is undefined", "502 from the API", "Timeout after 30 s"))
    return f"{what} on {page}", {"page": page, "users": chance.randint(1, 40)}


def _question(chance: random.Random) -> Written:
    name = chance.choice(_NAMES)
    asked = chance.choice(
        ("Do you ship to Iceland?", "Can I pay **yearly**?", "Where is my invoice?")
    )
    return asked, {"from": name}


def _comment(chance: random.Random) -> Written:
    name = chance.choice(_NAMES)
    said = chance.choice(("Thank you!", "This saved my evening.", "There is a typo in line 3."))
    return f"{name}: {said}", {"post": chance.choice(("hello", "sqlite", "why-we-wait"))}


# What stands at some height is told as text: only what adds up is a number.


def _subscriber(chance: random.Random) -> Written:
    return "A new reader", {"readers": str(chance.randint(1_200, 1_260))}


def _backup(chance: random.Random) -> Written:
    gigabytes = round(chance.uniform(11.5, 13.0), 2)
    return "Backup finished", {"gigabytes": gigabytes, "minutes": chance.randint(4, 9)}


def _disk(chance: random.Random) -> Written:
    return "The disk is filling up", {"host": "attic", "used": f"{chance.randint(80, 97)} %"}


def _door(chance: random.Random) -> Written:
    return chance.choice(("The front door opened", "The front door closed")), {}


def _kind(
    name: str,
    emoji: str,
    color: int,
    weight: int,
    write: Callable[[random.Random], Written],
    priority: int = 0,
) -> Kind:
    category = NewCategory(name=name, emoji=emoji, color=color, priority=priority)
    return Kind(category=category, weight=weight, write=write)


PROJECTS: Final[dict[str, tuple[Kind, ...]]] = {
    "shop": (
        _kind("sale", "💰", 0x2ECC71, 6, _sale),
        _kind("sign-up", "🎉", 0x9B59B6, 5, _sign_up),
        _kind("bug", "🐛", 0xE74C3C, 2, _bug, 10),
        _kind("question", "❓", 0x3498DB, 2, _question),
    ),
    "blog": (
        _kind("comment", "💬", 0x1ABC9C, 4, _comment),
        _kind("subscriber", "📬", 0xF1C40F, 2, _subscriber),
    ),
    "home": (
        _kind("backup", "💾", 0x95A5A6, 1, _backup),
        _kind("disk", "🔥", 0xE67E22, 1, _disk, 20),
        _kind("door", "🚪", 0x8D6E63, 4, _door),
    ),
}  # fmt: skip
"""What happens, by project."""

SHARES: Final = {"shop": 6, "blog": 2, "home": 2}
"""How busy the projects are, beside each other."""


def happening(chance: random.Random, project: str | None = None) -> NewEvent:
    """Something that happens, in this project or in any."""
    if project is None:
        [project] = chance.choices(tuple(SHARES), tuple(SHARES.values()))
    kinds = PROJECTS[project]
    [kind] = chance.choices(kinds, [each.weight for each in kinds])
    description, fields = kind.write(chance)
    return NewEvent(
        project=project,
        category=kind.category.name,
        description=description,
        fields=fields,
        source="demo",
    )


def busyness(hour: int) -> int:
    """About how many events a project has in that hour of the day: people sleep."""
    return (1, 1, 0, 0, 1, 1, 2, 3, 5, 6, 7, 6, 5, 6, 7, 8, 7, 6, 6, 7, 8, 6, 4, 2)[hour % 24]

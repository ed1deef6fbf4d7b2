import random

from slowping.demo import traffic


def test_everything_happens_sooner_or_later() -> None:
    chance = random.Random(1)  # noqa: S311 - a play
    seen = {
        (each.project, each.category) for each in (traffic.happening(chance) for _ in range(999))
    }
    assert seen == {
        (project, kind.category.name)
        for project, kinds in traffic.PROJECTS.items()
        for kind in kinds
    }


def test_the_same_seed_brings_the_same() -> None:
    def day() -> list[object]:
        chance = random.Random(7)  # noqa: S311 - a play
        return [traffic.happening(chance) for _ in range(50)]

    assert day() == day()


def test_only_what_adds_up_is_a_number() -> None:
    chance = random.Random(1)  # noqa: S311 - a play
    numbers = {
        name
        for each in (traffic.happening(chance) for _ in range(999))
        for name, value in (each.fields or {}).items()
        if not isinstance(value, str)
    }
    assert numbers == {"amount", "seats", "users", "gigabytes", "minutes"}


def test_people_sleep() -> None:
    night = sum(map(traffic.busyness, range(6)))
    assert night < sum(map(traffic.busyness, range(14, 20)))

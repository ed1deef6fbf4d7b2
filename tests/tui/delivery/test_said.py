from slowping.core.delivery import DeliveryState
from slowping.tui.delivery import errand, said
from slowping.tui.delivery.errand import Verb
from slowping.tui.delivery.groups import Group
from tests.tui.delivery.samples import BUSY, failed, group, scene

ANYWHERE = scene(is_whole=False)


def test_a_question_names_the_groups_and_how_many_more_there_are() -> None:
    groups = [
        Group.told(group(f"hook-{number}", DeliveryState.FAILED, BUSY, 300)) for number in range(5)
    ]
    question, detail = said.question(errand.of_groups(Verb.RETRY, groups, ANYWHERE))
    assert question == "Retry 1,500 deliveries?"
    assert detail.splitlines()[:4] == [
        "hook-0: HTTP 503", "hook-1: HTTP 503", "hook-2: HTTP 503", "and 2 more groups",
    ]  # fmt: skip


def test_projects_are_named_where_there_are_several() -> None:
    several = [failed(1), failed(2, project="home")]
    act = errand.of_deliveries(Verb.DISCARD, several, ANYWHERE)
    assert said.described(act) == "shop ▸ hook: HTTP 503\nhome ▸ hook: HTTP 503"


def test_what_a_far_side_wrote_is_shortened_and_harmless() -> None:
    act = errand.of_deliveries(Verb.RETRY, [failed(1, last_error="\x1b[31m" * 99)], ANYWHERE)
    assert len(said.described(act)) < 150
    assert "\x1b" not in said.described(act)

from slowping.core.delivery import DeliveryState, Replayed
from slowping.tui.delivery import errand, said
from slowping.tui.delivery.errand import Verb
from slowping.tui.delivery.groups import Group
from slowping.tui.delivery.round import Round
from tests.tui.delivery.samples import BUSY, failed, group, moved, scene

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


def test_one_is_spoken_of_as_one() -> None:
    for verb, begins in ((Verb.RETRY, "It goes out"), (Verb.DISCARD, "It is not sent")):
        _, detail = said.question(errand.of_deliveries(verb, [failed(1)], ANYWHERE))
        assert detail.splitlines()[1].startswith(begins)


def test_no_tick_stands_where_one_has_failed_again() -> None:
    act = Round(errand.of_deliveries(Verb.RETRY, [failed(1)], ANYWHERE))
    act.begin([failed(1)])
    act.step([failed(1)], 1)
    act.is_complete = True
    act.end()
    assert said.progress(act).plain.startswith(" ⟳ Retried 1")
    act.take(moved(failed(1), DeliveryState.FAILED, attempts=9))
    assert said.progress(act).plain.startswith(" ✗ Retried 1: 1 failed again")


def test_a_replay_is_told_of_in_words() -> None:
    told = Replayed(events=1, queued=1, made=0)
    assert said.replayed(told) == "1 event: 1 goes out again"
    nothing = Replayed(events=3, queued=0, made=0)
    assert said.replayed(nothing) == "3 events: nothing goes out"

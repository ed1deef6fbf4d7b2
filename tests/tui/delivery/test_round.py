from slowping.core.delivery import Delivery, DeliveryState
from slowping.tui.delivery.errand import Errand, Verb
from slowping.tui.delivery.round import Round
from tests.tui.delivery.samples import failed, moved

MANY = [failed(number) for number in range(1, 5)]


def begun(verb: Verb = Verb.RETRY, number: int = 4) -> Round:
    return Round(Errand(verb=verb, number=number))


def gone_through(verb: Verb = Verb.RETRY) -> Round:
    act = begun(verb)
    act.begin(MANY)
    act.step(MANY, 4)
    act.is_complete = True
    act.end()
    return act


def requeued(one: Delivery) -> Delivery:
    return moved(one, DeliveryState.PENDING, tries=0)


def test_it_says_how_far_it_is() -> None:
    act = begun(number=1_200)
    act.begin(MANY)
    act.step(MANY, 4)
    assert act.say() == "Retrying 4 of 1,200…"


def test_it_says_what_came_of_each() -> None:
    act = gone_through()
    assert act.say() == "Retried 4: 4 on the way"
    assert act.take(moved(MANY[0], DeliveryState.DELIVERED, attempts=9))
    assert act.take(moved(MANY[1], DeliveryState.FAILED, attempts=9))
    assert act.take(moved(MANY[2], DeliveryState.PENDING, attempts=9))
    assert act.say() == "Retried 4: 1 delivered, 1 failed again, 1 to be tried again, 1 on the way"
    assert not act.is_settled
    assert act.take(moved(MANY[3], DeliveryState.DELIVERED, attempts=9))
    assert act.say() == "Retried 4: 2 delivered, 1 failed again, 1 to be tried again"
    assert act.is_settled


def test_what_was_put_back_into_the_line_has_come_to_nothing_yet() -> None:
    act = gone_through()
    assert not act.take(requeued(MANY[0]))
    assert not act.take(moved(MANY[0], DeliveryState.LEASED, attempts=9))
    assert act.say() == "Retried 4: 4 on the way"


def test_what_comes_to_something_else_in_the_end_is_counted_as_that() -> None:
    act = gone_through()
    act.take(moved(MANY[0], DeliveryState.PENDING, attempts=9))
    act.take(moved(MANY[0], DeliveryState.DELIVERED, attempts=10))
    assert act.say() == "Retried 4: 1 delivered, 3 on the way"


def test_others_are_none_of_its_business() -> None:
    act = gone_through()
    assert not act.take(failed(99))
    assert act.ids == {each.id for each in MANY}


def test_what_was_dealt_with_meanwhile_is_not_counted_as_moved() -> None:
    act = begun()
    act.begin(MANY)
    act.step(MANY, 3)
    act.is_complete = True
    act.end()
    assert act.say() == "Retried 3 of 4: 3 on the way"


def test_one_that_was_stopped_says_so() -> None:
    act = begun(number=1_000)
    act.begin(MANY)
    act.step(MANY, 4)
    act.stop()
    act.end()
    assert act.say() == "Stopped. Retried 4 of 1,000: 4 on the way"


def test_discarding_is_over_when_it_is_done() -> None:
    act = gone_through(Verb.DISCARD)
    assert not act.take(moved(MANY[0], DeliveryState.DISCARDED))
    assert act.say() == "Discarded 4"
    assert act.is_settled


def test_it_knows_whether_any_has_failed_again() -> None:
    act = gone_through()
    act.take(moved(MANY[0], DeliveryState.DELIVERED, attempts=9))
    assert not act.has_failed
    act.take(moved(MANY[1], DeliveryState.FAILED, attempts=9))
    assert act.has_failed

from collections import defaultdict

import pytest

from benchmarks import questions
from benchmarks.questions import Asker, Side
from benchmarks.subjects import Api, Server


def _side(name: str) -> Side:
    return Side(name, Asker(Server(port=1, pid=1, key="", api=Api(1, "")), []))


def test_each_side_is_asked_the_same_in_turn(capsys: pytest.CaptureFixture[str]) -> None:
    few, many = _side("few"), _side("many")
    asked = defaultdict[Asker, list[int]](list)

    def question(asker: Asker, number: int) -> None:
        asked[asker].append(number)

    found = questions.measure({"one event": question}, (few, many))
    assert asked[few.asker] == asked[many.asker] == [*range(6 * questions.TIMES)]
    assert found.keys() == {"one event"}
    assert found["one event"].keys() == {"few", "many"}
    assert "one event" in capsys.readouterr().out

"""What the database is asked never goes through what there may be ten million of."""

import ast
import importlib
import pathlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence

import pytest

import slowping.store.sqlite
from slowping.store.sqlite import migrate
from slowping.store.sqlite.inbox import keys

LARGE = (
    "event", "delivery", "attempt", "journal", "idempotency", "idempotency_recent", "recent_key",
    "metric", "audit", "event_rollup", "field_rollup", "channel_rollup", "latency_rollup",
)  # fmt: skip

GONE_THROUGH = {
    "database.backup": "what a copy holds is counted, beside the server",
    "database.examine": "a check looks at the clock of every line, beside the server",
    "inbox.keys": "recent keys are few, and the oldest are the first that are looked at",
    "retention": "the newest line is the first that is looked at",
}
"""Modules that do so in a statement, and why they may."""

_ON_THEIR_WAY = "USING INDEX delivery_leased"
"""An index of few: of those that are being sent."""

_STATEMENT = re.compile(r"\s*(select|with|insert|update|delete)\b")
_GAP = re.compile(r"\{[\w.]+\}")
_NAMED = re.compile(r":([a-z_]+)")
_CALLED = re.compile(rf"\b(?:from|join|update)\s+(?:{'|'.join(LARGE)})\s+(?:as\s+)?([a-z_]+)")


@pytest.fixture(scope="module")
def scans() -> Mapping[str, Sequence[str]]:
    """What each module goes through, whole."""
    connection = sqlite3.connect(":memory:")
    for script in migrate.scripts():
        connection.executescript(script)
    keys.begin(connection)
    found = {
        module: [scan for text in _texts(module) for scan in _scans(connection, text)]
        for module in _modules()
    }
    connection.close()
    return found


def test_an_index_serves_every_statement(scans: Mapping[str, Sequence[str]]) -> None:
    wrong = {module: found for module, found in scans.items() if found}
    assert wrong.keys() == GONE_THROUGH.keys(), wrong


def test_statements_are_seen_in_what_modules_hold_and_in_their_functions() -> None:
    assert sum(map(_is_statement, _texts("journal"))) > 6
    assert "select id from delivery where event_id = ?" in set(_texts("delivery"))
    assert any("order by seq desc limit 1" in text for text in _texts("retention"))


def _modules() -> Iterator[str]:
    package = slowping.store.sqlite
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield module.name.removeprefix(f"{package.__name__}.")


def _texts(name: str) -> Iterator[str]:
    """Statements that a module holds, and those that stand in its functions.

    Those with gaps are left out: the tests of their modules fill them in.
    """
    module = importlib.import_module(f"{slowping.store.sqlite.__name__}.{name}")
    values = [
        inner
        for value in vars(module).values()
        for inner in (value.values() if isinstance(value, dict) else (value,))
    ]
    assert module.__file__
    tree = ast.parse(pathlib.Path(module.__file__).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            values += [one.value for one in node.args if isinstance(one, ast.Constant)]
    yield from {value for value in values if _is_statement(value)}


def _is_statement(value: object) -> bool:
    return isinstance(value, str) and bool(_STATEMENT.match(value)) and not _GAP.search(value)


def _scans(connection: sqlite3.Connection, statement: str) -> Iterator[str]:
    names = dict.fromkeys(_NAMED.findall(statement))
    values = names or [None] * statement.count("?")
    try:
        plan = connection.execute(f"explain query plan {statement}", values).fetchall()
    except sqlite3.OperationalError as error:
        if "incomplete input" not in str(error):
            raise
        return  # a piece of others
    called = {*LARGE, *_CALLED.findall(statement)}
    for *_, step in plan:
        what, _, rest = step.partition(" ")
        if what == "SCAN" and rest.split()[0] in called and _ON_THEIR_WAY not in rest:
            yield step

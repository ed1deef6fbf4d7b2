"""Every promise of SECURITY.md is shown by a test that is there."""

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOLD = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TOLD)))


@functools.cache
def functions_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_what_is_said_to_show_a_promise_is_a_test(path: str, name: str) -> None:
    assert name.startswith("test_")
    assert name in functions_in(ROOT / path)


def test_every_promise_names_a_test() -> None:
    rows = [line for line in TOLD.splitlines() if line.startswith("| ") and "promised" not in line]
    assert len(rows) > 20
    assert [row for row in rows if "`tests/" not in row] == []


def test_whoever_may_attack_is_told_what_is_not_promised() -> None:
    sections = re.split(r"^## ", TOLD, flags=re.MULTILINE)[1:]
    threats = [section for section in sections if "| promised |" in section]
    assert len(threats) == 9
    assert [section[:30] for section in threats if "Not promised:" not in section] == []

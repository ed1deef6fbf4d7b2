"""The rules of the house that a linter cannot read."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "slowping"
MODULES = sorted(HOUSE.rglob("*.py"))
FOLDERS = sorted({module.parent for module in MODULES})
WRITTEN = [
    *MODULES,
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "benchmarks").rglob("*.py")),
]

VAGUE = {
    "utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "types",
    "constants", "lib", "tools",
}  # fmt: skip

# Spelt apart, so that this file does not find itself.
LEFT_OVERS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|NotImplemented" r"Error")
FOREIGN = re.compile(r"(?:^|[^\w.])/(?:work|root|home)/\w|\.\./shared")

MOST_MODULES = 14
ROOMIER = {
    "slowping/core": 27,  # every noun lives there, and the words that all of them use
    "slowping/cli": 25,  # a command each, most of them a noun's
    "slowping/server": 17,  # the engine by role, and what both of its doors stand on
    "slowping/store/sqlite": 15,  # the roles of a store, and what all of them stand on
    "slowping/client": 16,  # the way of a program, and the way of a sender that loads nothing
    "slowping/server/api": 20,  # every noun with an address, and what walks a request to it
}
MOST_LINES = 400


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", WRITTEN, ids=named)
def test_no_file_has_a_vague_name(path: Path) -> None:
    assert path.stem not in VAGUE


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_no_folder_holds_more_modules_than_one_can_overlook(folder: Path) -> None:
    modules = [module for module in folder.glob("*.py") if module.stem != "__init__"]
    assert len(modules) <= ROOMIER.get(named(folder), MOST_MODULES)


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_a_module_is_short_enough_to_read_at_once(module: Path) -> None:
    lines = module.read_text(encoding="utf-8").count("\n")
    assert lines <= MOST_LINES


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_a_module_opens_with_one_sentence(module: Path) -> None:
    said = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
    assert said is not None
    # The first paragraph is a sentence, with its end.
    assert re.match(r"[A-Z`].*[.:]\Z", said.partition("\n\n")[0], re.DOTALL)


@pytest.mark.parametrize("path", WRITTEN, ids=named)
def test_nothing_is_left_over(path: Path) -> None:
    assert not LEFT_OVERS.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_no_module_knows_the_machine_it_was_written_on(module: Path) -> None:
    assert not FOREIGN.findall(module.read_text(encoding="utf-8"))


def test_every_path_that_the_architecture_names_exists() -> None:
    told = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"(?<![\w/.-])((?:[\w.-]+/)+[\w.-]*\w\.(?:py|md|toml|sql|txt))", told))
    assert paths, "docs/architecture.md names no file"
    gone = {path for path in paths if not any((top / path).exists() for top in (ROOT, HOUSE))}
    assert not gone


def test_the_glossary_has_every_noun_of_the_core() -> None:
    words = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    for noun in ("project", "event", "category", "channel", "delivery", "API key", "feed"):
        assert f"| **{noun}**" in words


def test_the_change_log_tells_of_this_version() -> None:
    from slowping import __version__

    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_constraints_are_plain_names_and_versions() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert pinned
    assert [line for line in pinned if not re.fullmatch(r"[\w.-]+==[\w.!+]+", line)] == []


def test_every_dependency_has_its_reason() -> None:
    told = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in project["dependencies"]:
        name = re.split(r"[<>=!\[;]", requirement)[0]
        assert f"| {name} |" in told

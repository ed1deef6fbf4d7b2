"""What the acceptance tests stand on: an empty home folder in which programs run."""

import pathlib

import pytest

from tests.acceptance.program import Machine


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    return Machine(tmp_path / "home")

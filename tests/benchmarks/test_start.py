import os
import subprocess
import sys

import pytest

from benchmarks import start


def told_by(program: str) -> bytes:
    ran = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        check=True,
    )
    return ran.stderr


def test_each_module_counts_once_and_nothing_else_that_is_said() -> None:
    said = "import sys; print('import this', file=sys.stderr)"
    nothing = start.imports_in(told_by(said))
    assert start.imports_in(told_by(f"import this; import this; {said}")) == nothing + 1


@pytest.mark.parametrize("words", [b"", b"slowping, version 0.1.0\n"])
def test_what_tells_of_no_import_was_not_asked_to(words: bytes) -> None:
    with pytest.raises(ValueError, match="told of"):
        start.imports_in(words)

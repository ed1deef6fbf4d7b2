"""Let programs start as installed ones do: with every module compiled before, wherever it lies."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping


@contextlib.contextmanager
def once() -> Iterator[Mapping[str, str]]:
    """Variables under which the first run compiles what later runs load."""
    with tempfile.TemporaryDirectory() as folder:
        # An empty variable is as good as none, whatever this process was started with.
        yield {"PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}

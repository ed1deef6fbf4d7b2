import pathlib

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Where the platform's folders are for this test: nobody's own settings decide it."""
    home = tmp_path / "home"
    for kind in ("STATE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
    for name in ("SERVER", "API_KEY", "DATA", "CONFIG"):
        monkeypatch.delenv(f"SLOWPING_{name}", raising=False)
    return home

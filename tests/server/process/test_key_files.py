import logging
import pathlib
import stat

import pytest

from slowping.core import api_key
from slowping.core.api_key import Principal, Scope
from slowping.server.process.key_files import ADMIN_KEY_FILE, INGEST_KEY_FILE, KeyFiles

VALUE, OTHER = api_key.mint(b"\1" * 32), api_key.mint(b"\2" * 32)


def live(value: str, key_id: int = 7) -> dict[bytes, Principal]:
    principal = Principal(
        key_id=key_id,
        name="shop",
        scopes=frozenset({Scope.ADMIN}),
        home_project_id=1,
        project_ids=None,
        rate_limit=0,
        origins=frozenset(),
        expires_at=None,
    )
    return {api_key.digest(value): principal}


async def test_a_file_holds_a_key_if_its_value_is_the_keys(tmp_path: pathlib.Path) -> None:
    (tmp_path / ADMIN_KEY_FILE).write_text(f"{VALUE}\n")
    (tmp_path / INGEST_KEY_FILE).write_text(f"{OTHER}\n")
    files = KeyFiles(tmp_path)
    assert await files.holding(7, live(VALUE)) == [tmp_path / ADMIN_KEY_FILE]
    assert await files.holding(8, live(VALUE)) == []


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
async def test_what_is_no_key_is_left_alone(tmp_path: pathlib.Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / ADMIN_KEY_FILE).write_bytes(content)
    assert await KeyFiles(tmp_path).holding(7, live(VALUE)) == []


async def test_a_new_key_is_for_its_owner_alone(tmp_path: pathlib.Path) -> None:
    path = tmp_path / ADMIN_KEY_FILE
    path.write_text(VALUE)
    await KeyFiles(tmp_path).replace([path], OTHER)
    assert path.read_text() == f"{OTHER}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_file_that_cannot_be_written_is_told_to_the_operator(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "gone" / ADMIN_KEY_FILE
    with caplog.at_level(logging.WARNING):
        await KeyFiles(tmp_path).replace([path], VALUE)
    assert str(path) in caplog.text
    assert VALUE not in caplog.text

import pathlib
import subprocess
import sys

import pytest

from slowping.core import errors
from slowping.store.vault import Vault, load_key_file

SECRETS = {"url": "https://discord.com/api/webhooks/1/token", "ports": [25, 587]}


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "secret.key"


@pytest.fixture
def vault(path: pathlib.Path) -> Vault:
    return Vault([load_key_file(path)])


def test_what_is_sealed_can_be_opened(vault: Vault) -> None:
    assert vault.open(vault.seal(SECRETS)) == SECRETS


def test_a_sealed_secret_cannot_be_read(vault: Vault) -> None:
    assert b"discord" not in vault.seal(SECRETS)


def test_an_older_key_still_opens_what_it_sealed(vault: Vault, tmp_path: pathlib.Path) -> None:
    old, new = load_key_file(tmp_path / "secret.key"), load_key_file(tmp_path / "new.key")
    assert Vault([new, old]).open(vault.seal(SECRETS)) == SECRETS


def test_the_newest_key_seals(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    old, new = load_key_file(path), load_key_file(tmp_path / "new.key")
    assert Vault([new]).open(Vault([new, old]).seal(SECRETS)) == SECRETS


def test_another_key_file_is_said_not_to_belong_to_the_database(
    vault: Vault, tmp_path: pathlib.Path
) -> None:
    stranger = Vault([load_key_file(tmp_path / "stranger.key")])
    with pytest.raises(errors.StoreUnusable, match="does not belong to this database"):
        stranger.open(vault.seal(SECRETS))


def test_a_key_file_is_made_for_its_owner_alone(path: pathlib.Path) -> None:
    load_key_file(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_file_keeps_its_key(path: pathlib.Path) -> None:
    assert load_key_file(path) == load_key_file(path)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o666])
def test_a_key_file_that_is_open_to_others_is_refused_with_the_remedy(
    path: pathlib.Path, mode: int
) -> None:
    load_key_file(path)
    path.chmod(mode)
    with pytest.raises(errors.StoreUnusable, match=f"chmod 600 {path}"):
        load_key_file(path)


@pytest.mark.parametrize("content", ["", "secret", "é" * 22, "A" * 43, "A" * 64])
def test_a_file_that_holds_no_key_is_refused_and_left_as_it_is(
    path: pathlib.Path, content: str
) -> None:
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(errors.StoreUnusable, match="does not hold a key"):
        load_key_file(path)
    assert path.read_text(encoding="utf-8") == content


def test_a_refusal_does_not_show_what_the_file_holds(path: pathlib.Path) -> None:
    path.write_text("hunter2")
    path.chmod(0o600)
    with pytest.raises(errors.StoreUnusable) as refusal:
        load_key_file(path)
    assert "hunter2" not in str(refusal.value)


def test_a_key_file_that_cannot_be_made_is_reported(tmp_path: pathlib.Path) -> None:
    with pytest.raises(errors.StoreUnusable, match="cannot be made: No such file"):
        load_key_file(tmp_path / "none" / "secret.key")


def test_a_key_file_that_cannot_be_read_is_reported(tmp_path: pathlib.Path) -> None:
    with pytest.raises(errors.StoreUnusable, match="cannot be read: Is a directory"):
        load_key_file(tmp_path)


def test_a_server_without_secrets_never_loads_the_cipher(path: pathlib.Path) -> None:
    program = (
        "import pathlib, sys; from slowping.store.vault import Vault, load_key_file;"
        "Vault([load_key_file(pathlib.Path(sys.argv[1]))]);"
        "sys.exit('cryptography' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)  # noqa: S603 - ours

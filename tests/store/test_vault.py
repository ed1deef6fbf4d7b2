import subprocess
import sys

import pytest

from slowping.core import errors
from slowping.store.vault import Vault, new_key, read_keys

SECRETS = {"url": "https://discord.com/api/webhooks/1/token", "ports": [25, 587]}
KEY = b"c2xvd3BpbmctdGVzdHMtdXNlLXRoaXMta2V5LW9ubHk="


@pytest.fixture
def vault() -> Vault:
    return Vault([new_key()])


def test_what_is_sealed_can_be_opened(vault: Vault) -> None:
    assert vault.open(vault.seal(SECRETS)) == SECRETS


def test_a_sealed_secret_cannot_be_read(vault: Vault) -> None:
    assert b"discord" not in vault.seal(SECRETS)


def test_an_older_key_still_opens_what_it_sealed() -> None:
    old, new = new_key(), new_key()
    assert Vault([new, old]).open(Vault([old]).seal(SECRETS)) == SECRETS


def test_the_newest_key_seals() -> None:
    old, new = new_key(), new_key()
    assert Vault([new]).open(Vault([new, old]).seal(SECRETS)) == SECRETS


def test_it_is_known_whether_the_newest_key_has_sealed_something() -> None:
    old, new = new_key(), new_key()
    vault = Vault([new, old])
    assert vault.open_for_newest(Vault([old]).seal(SECRETS)) == (SECRETS, False)
    assert vault.open_for_newest(vault.seal(SECRETS)) == (SECRETS, True)


def test_a_vault_takes_other_keys() -> None:
    old, new = new_key(), new_key()
    vault = Vault([old])
    sealed = vault.seal(SECRETS)
    vault.take([new, old])
    assert vault.open(sealed) == SECRETS
    assert Vault([new]).open(vault.seal(SECRETS)) == SECRETS


def test_a_foreign_key_is_said_not_to_belong_to_the_database(vault: Vault) -> None:
    with pytest.raises(errors.StoreUnusable, match="does not belong to this database"):
        Vault([new_key()]).open(vault.seal(SECRETS))


@pytest.mark.parametrize(
    "content",
    [KEY, KEY + b"\n", b" " + KEY, KEY.replace(b"-", b"+").replace(b"_", b"/")],
)
def test_a_key_is_read_however_base64_writes_it(content: bytes) -> None:
    assert read_keys(content) == (KEY,)


def test_what_openssl_makes_is_a_key() -> None:
    # As `openssl rand -base64 32` prints it.
    [key] = read_keys(b"+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/8=\n")
    vault = Vault([key])
    assert vault.open(vault.seal(SECRETS)) == SECRETS


def test_several_keys_are_read_in_their_order() -> None:
    first, second = new_key(), new_key()
    assert read_keys(first + b"\n" + second + b"\n") == (first, second)


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"secret", "é".encode() * 22, b"A" * 43, b"A" * 64, KEY + b" secret"]
)
def test_what_is_no_key_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a key"):
        read_keys(content)


def test_a_server_without_secrets_never_loads_the_cipher() -> None:
    program = (
        "import sys; from slowping.store.vault import Vault, new_key;"
        "Vault([new_key()]);"
        "sys.exit('cryptography' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603 - ours

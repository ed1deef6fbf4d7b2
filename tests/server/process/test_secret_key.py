import pathlib

import pytest

from slowping.core import errors
from slowping.server.process import secret_key
from slowping.server.process.secret_key import KEY_FILE, KeyRing
from slowping.store.vault import new_key

FIRST, SECOND, THIRD = new_key(), new_key(), new_key()


@pytest.fixture
def credentials(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder as systemd gives one: read-only, and readable for a group where an ACL is set."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    return folder


@pytest.fixture
def data(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def keep(path: pathlib.Path, *keys: bytes, mode: int = 0o600) -> pathlib.Path:
    path.write_bytes(b"\n".join(keys))
    path.chmod(mode)
    return path


# Where it is looked for --------------------------------------------------------------------------


def test_a_credential_comes_first(data: pathlib.Path, credentials: pathlib.Path) -> None:
    keep(credentials / KEY_FILE, FIRST, mode=0o440)
    environ = {"CREDENTIALS_DIRECTORY": str(credentials), "SLOWPING_SECRET_KEY": SECOND.decode()}
    ring = secret_key.find(data, environ)
    assert (ring.keys, ring.source) == ((FIRST,), "the credential secret.key")


def test_a_credential_of_another_name_is_not_ours(
    data: pathlib.Path, credentials: pathlib.Path
) -> None:
    keep(credentials / "server.port", b"8080")
    environ = {"CREDENTIALS_DIRECTORY": str(credentials), "SLOWPING_SECRET_KEY": SECOND.decode()}
    assert secret_key.find(data, environ).keys == (SECOND,)


def test_a_variable_names_a_file(data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = keep(tmp_path / "key", FIRST, mode=0o640)
    assert secret_key.find(data, {"SLOWPING_SECRET_KEY_FILE": str(path)}).keys == (FIRST,)


def test_a_variable_holds_the_key(data: pathlib.Path) -> None:
    ring = secret_key.find(data, {"SLOWPING_SECRET_KEY": FIRST.decode()})
    assert (ring.keys, ring.own_file) == ((FIRST,), None)


def test_both_variables_contradict_each_other(data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = keep(tmp_path / "key", FIRST)
    environ = {"SLOWPING_SECRET_KEY_FILE": str(path), "SLOWPING_SECRET_KEY": FIRST.decode()}
    with pytest.raises(errors.ConfigError, match="both set"):
        secret_key.find(data, environ)


def test_the_data_folder_has_it_otherwise(data: pathlib.Path) -> None:
    keep(data / KEY_FILE, FIRST, SECOND)
    ring = secret_key.find(data, {})
    assert (ring.keys, ring.own_file) == ((FIRST, SECOND), data / KEY_FILE)
    assert not ring.is_unwritten


def test_where_there_is_none_one_is_made_and_not_yet_written(data: pathlib.Path) -> None:
    ring = secret_key.find(data, {}, lambda count: b"k" * count)
    assert ring.is_unwritten
    assert len(ring.keys) == 1
    assert not (data / KEY_FILE).exists()


def test_keys_of_the_data_folder_go_on_opening_after_another_place_has_one(
    data: pathlib.Path,
) -> None:
    keep(data / KEY_FILE, SECOND, FIRST)
    ring = secret_key.find(data, {"SLOWPING_SECRET_KEY": f"{FIRST.decode()} {THIRD.decode()}"})
    assert ring.keys == (FIRST, THIRD, SECOND)


# What is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o666])
def test_a_file_of_the_data_folder_that_is_open_to_others_is_refused_with_the_remedy(
    data: pathlib.Path, mode: int
) -> None:
    path = keep(data / KEY_FILE, FIRST, mode=mode)
    with pytest.raises(errors.StoreUnusable, match=f"chmod 600 {path}"):
        secret_key.find(data, {})


def test_a_named_file_that_everybody_can_read_is_refused_with_the_remedy(
    data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    path = keep(tmp_path / "key", FIRST, mode=0o644)
    with pytest.raises(errors.ConfigError, match=f"chmod o= {path}"):
        secret_key.find(data, {"SLOWPING_SECRET_KEY_FILE": str(path)})


def test_a_place_without_a_key_is_refused_and_its_content_not_shown(data: pathlib.Path) -> None:
    keep(data / KEY_FILE, b"hunter2")
    with pytest.raises(errors.StoreUnusable, match="is not a key") as refusal:
        secret_key.find(data, {})
    assert "hunter2" not in str(refusal.value)
    assert (data / KEY_FILE).read_bytes() == b"hunter2"


def test_a_file_that_is_not_there_is_reported(data: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(errors.StoreUnusable, match="cannot be read: No such file"):
        secret_key.find(data, {"SLOWPING_SECRET_KEY_FILE": str(tmp_path / "none")})


# Writing -----------------------------------------------------------------------------------------


def test_keys_are_written_for_their_owner_alone_the_newest_first(data: pathlib.Path) -> None:
    ring = KeyRing(keys=(FIRST,), source="here", own_file=data / KEY_FILE).with_new(SECOND)
    assert ring.is_unwritten
    assert not secret_key.write(ring).is_unwritten
    assert (data / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert secret_key.find(data, {}).keys == (SECOND, FIRST)


def test_no_more_keys_are_written_than_can_be_read(data: pathlib.Path) -> None:
    keys = tuple(new_key() for _ in range(secret_key.MOST_KEYS))
    path = data / KEY_FILE
    secret_key.write(KeyRing(keys=keys, source="here", own_file=path))
    ring = secret_key.find(data, {})
    assert ring.keys == keys
    with pytest.raises(errors.WrongState, match="1,000 keys"):
        secret_key.write(ring.with_new(new_key()))
    assert secret_key.find(data, {}).keys == keys


def test_a_key_of_another_place_is_not_ours_to_write(data: pathlib.Path) -> None:
    ring = secret_key.find(data, {"SLOWPING_SECRET_KEY": FIRST.decode()})
    with pytest.raises(errors.WrongState, match="before it there"):
        secret_key.write(ring.with_new(SECOND))
    assert not (data / KEY_FILE).exists()


def test_a_key_file_that_cannot_be_made_is_reported(tmp_path: pathlib.Path) -> None:
    ring = secret_key.find(tmp_path / "none", {})
    with pytest.raises(errors.ConfigError, match="Cannot write"):
        secret_key.write(ring)

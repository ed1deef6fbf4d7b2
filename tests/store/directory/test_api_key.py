import msgspec
import pytest

from slowping.core import errors, ids, times
from slowping.core.api_key import ApiKey, ApiKeyFilter, Principal, Scope
from slowping.store.port import ApiKeyUse, Store
from tests.store.directory.conftest import Told
from tests.store.samples import DAY, NOW, api_key

LATER = NOW + 60_000


def used(at: int, address: str | None) -> ApiKeyUse:
    return ApiKeyUse(at=at, address=address)


async def test_a_key_is_read_back_as_it_was_stored(
    store: Store, project_id: int, other_id: int
) -> None:
    record = api_key(project_id, project_ids=(other_id, project_id), expires_at=LATER)
    key = await store.directory.create_api_key(record, now=NOW)
    assert (key.name, key.prefix, key.kind) == ("shop", "slp_abcd", "secret")
    assert (key.project, key.projects, key.all_projects) == ("shop", ("other",), False)
    assert (key.scopes, key.rate_limit) == ((Scope.INGEST, Scope.READ), 1_000)
    assert key.origins == ("https://shop.example",)
    assert (key.created_at, key.expires_at) == (times.to_datetime(NOW), times.to_datetime(LATER))
    assert (key.revoked_at, key.last_used_at) == (None, None)
    assert await store.directory.api_key(_id(key)) == key


async def test_a_key_tells_who_its_bearer_is(store: Store, project_id: int, other_id: int) -> None:
    record = api_key(project_id, digest=b"shop", project_ids=(other_id,), expires_at=LATER)
    key = await store.directory.create_api_key(record, now=NOW)
    assert await store.directory.live_api_keys() == {
        b"shop": Principal(
            key_id=_id(key),
            name="shop",
            scopes=frozenset({Scope.INGEST, Scope.READ}),
            home_project_id=project_id,
            project_ids=frozenset({project_id, other_id}),
            rate_limit=1_000,
            origins=frozenset({"https://shop.example"}),
            expires_at=LATER,
        )
    }


@pytest.mark.parametrize(
    ("scopes", "all_projects"), [((Scope.ADMIN,), False), ((Scope.INGEST,), True)]
)
async def test_a_key_of_an_admin_or_for_all_projects_may_use_every_project(
    store: Store, project_id: int, scopes: tuple[Scope, ...], all_projects: bool
) -> None:
    record = api_key(project_id, scopes=scopes, all_projects=all_projects)
    await store.directory.create_api_key(record, now=NOW)
    [principal] = (await store.directory.live_api_keys()).values()
    assert principal.project_ids is None


async def test_a_value_cannot_be_a_key_twice(store: Store, project_id: int) -> None:
    await store.directory.create_api_key(api_key(project_id), now=NOW)
    with pytest.raises(errors.WrongState, match="This value is a key already: shop"):
        await store.directory.create_api_key(api_key(project_id, name="other"), now=NOW)


async def test_keys_may_share_a_name(store: Store, project_id: int) -> None:
    for digest in (b"1", b"2"):
        await store.directory.create_api_key(api_key(project_id, digest=digest), now=NOW)
    assert len(await _listed(store, ApiKeyFilter(name="shop"))) == 2


async def test_a_key_cannot_name_a_project_that_is_gone(
    store: Store, project_id: int, other_id: int
) -> None:
    await store.directory.remove_project(other_id, now=NOW)
    with pytest.raises(errors.NotFound, match="There is no project"):
        await store.directory.create_api_key(api_key(project_id, project_ids=(other_id,)), now=NOW)
    assert await store.directory.live_api_keys() == {}


async def test_a_revoked_key_is_listed_but_lets_nobody_in(store: Store, project_id: int) -> None:
    key = await store.directory.create_api_key(api_key(project_id), now=NOW)
    revoked = await store.directory.revoke_api_key(_id(key), now=LATER)
    assert revoked.revoked_at == times.to_datetime(LATER)
    assert await store.directory.live_api_keys() == {}
    assert await _listed(store, ApiKeyFilter()) == [revoked]


async def test_a_key_that_has_ended_keeps_its_date(
    store: Store, project_id: int, told: Told
) -> None:
    key = await store.directory.create_api_key(api_key(project_id), now=NOW)
    first = await store.directory.revoke_api_key(_id(key), now=NOW)
    told()
    assert await store.directory.revoke_api_key(_id(key), now=LATER) == first
    assert told() == []


# Rotation ------------------------------------------------------------------------------------


async def rotate(store: Store, key: ApiKey, *, overlap_ms: int, now: int = NOW) -> ApiKey:
    return await store.directory.rotate_api_key(
        _id(key), b"new", "slp_wxyz", overlap_ms=overlap_ms, now=now
    )


async def test_a_rotated_key_has_a_successor_that_may_do_the_same(
    store: Store, project_id: int, other_id: int
) -> None:
    record = api_key(project_id, project_ids=(other_id,))
    old = await store.directory.create_api_key(record, now=NOW)
    new = await rotate(store, old, overlap_ms=DAY, now=LATER)
    same = {
        "id": new.id, "prefix": "slp_wxyz", "created_at": times.to_datetime(LATER),
    }  # fmt: skip
    assert new == msgspec.structs.replace(old, **same)
    principals = await store.directory.live_api_keys()
    expected = msgspec.structs.replace(principals[b"digest"], key_id=_id(new), expires_at=None)
    assert principals[b"new"] == expected


async def test_a_key_for_everything_is_rotated_into_another(store: Store, project_id: int) -> None:
    record = api_key(project_id, scopes=(Scope.ADMIN,), all_projects=True)
    old = await store.directory.create_api_key(record, now=NOW)
    new = await rotate(store, old, overlap_ms=0)
    assert (new.scopes, new.all_projects) == ((Scope.ADMIN,), True)


@pytest.mark.parametrize(
    ("expires_at", "ends_at", "new_ends_at"),
    [
        (None, NOW + DAY, None),
        (NOW + DAY + 1, NOW + DAY, NOW + DAY + 1),
        (NOW + DAY - 1, NOW + DAY - 1, NOW + DAY - 1),
        (NOW + 1, NOW + 1, NOW + 1),
    ],
)
async def test_the_old_key_ends_with_the_overlap_or_before(
    store: Store, project_id: int, expires_at: int | None, ends_at: int, new_ends_at: int | None
) -> None:
    old = await store.directory.create_api_key(api_key(project_id, expires_at=expires_at), now=NOW)
    new = await rotate(store, old, overlap_ms=DAY)
    old = await store.directory.api_key(_id(old))
    assert (old.expires_at, old.revoked_at) == (times.to_datetime(ends_at), None)
    assert new.expires_at == (None if new_ends_at is None else times.to_datetime(new_ends_at))


async def test_without_an_overlap_the_old_key_is_revoked(store: Store, project_id: int) -> None:
    old = await store.directory.create_api_key(api_key(project_id, expires_at=LATER), now=NOW)
    new = await rotate(store, old, overlap_ms=0)
    old = await store.directory.api_key(_id(old))
    assert (old.revoked_at, old.expires_at) == (times.to_datetime(NOW), times.to_datetime(LATER))
    assert new.revoked_at is None


async def test_a_key_that_was_rotated_names_its_successor_and_has_no_other(
    store: Store, project_id: int
) -> None:
    old = await store.directory.create_api_key(api_key(project_id), now=NOW)
    new = await rotate(store, old, overlap_ms=DAY)
    assert (await store.directory.api_key(_id(old))).rotated_to == new.id
    assert new.rotated_to is None
    with pytest.raises(errors.WrongState, match=f"{new.id} takes its place: rotate that one"):
        await rotate(store, old, overlap_ms=DAY)


async def test_a_successor_has_not_been_used(store: Store, project_id: int) -> None:
    old = await store.directory.create_api_key(api_key(project_id), now=NOW)
    await store.directory.touch_api_keys({_id(old): used(NOW, "::1")})
    new = await rotate(store, old, overlap_ms=DAY)
    assert (new.last_used_at, new.last_used_from) == (None, None)


async def test_a_rotation_tells_of_both_keys(store: Store, project_id: int, told: Told) -> None:
    old = await store.directory.create_api_key(api_key(project_id), now=NOW)
    told()
    new = await rotate(store, old, overlap_ms=DAY)
    assert told() == [("key.changed", _id(old)), ("key.changed", _id(new))]


async def test_a_key_that_has_ended_has_no_successor(
    store: Store, project_id: int, told: Told
) -> None:
    old = await store.directory.create_api_key(api_key(project_id, expires_at=LATER), now=NOW)
    told()
    ended = r"The key shop expired at 2026-05-28T20:27:40Z, so nothing .*: issue a new key"
    with pytest.raises(errors.WrongState, match=ended):
        await rotate(store, old, overlap_ms=DAY, now=LATER)
    await store.directory.revoke_api_key(_id(old), now=NOW)
    told()
    with pytest.raises(errors.WrongState, match=r"The key shop was revoked, .*: issue a new key"):
        await rotate(store, old, overlap_ms=DAY)
    assert told() == []
    assert len(await _listed(store, ApiKeyFilter())) == 1


async def test_a_key_outlives_its_home_and_is_rotated_there(
    store: Store, project_id: int, other_id: int
) -> None:
    record = api_key(project_id, all_projects=True)
    old = await store.directory.create_api_key(record, now=NOW)
    await store.directory.remove_project(project_id, now=NOW)
    assert (await rotate(store, old, overlap_ms=DAY)).all_projects


# Lists ---------------------------------------------------------------------------------------


async def test_keys_are_listed_by_filter_newest_first(
    store: Store, project_id: int, other_id: int
) -> None:
    create = store.directory.create_api_key
    old = await create(api_key(project_id, digest=b"1", name="old"), now=NOW)
    guest = await create(
        api_key(other_id, digest=b"2", name="guest", project_ids=(project_id,)), now=NOW
    )
    far = await create(api_key(other_id, digest=b"3", name="far"), now=NOW)
    old = await store.directory.revoke_api_key(_id(old), now=LATER)
    assert await _listed(store, ApiKeyFilter()) == [far, guest, old]
    assert await _listed(store, ApiKeyFilter(project_ids=(project_id,))) == [guest, old]
    assert await _listed(store, ApiKeyFilter(name="far")) == [far]
    assert await _listed(store, ApiKeyFilter(revoked=True)) == [old]
    assert await _listed(store, ApiKeyFilter(revoked=False)) == [far, guest]
    assert await store.directory.list_api_keys(ApiKeyFilter(), before=_id(far), limit=1) == [guest]


async def test_the_last_use_of_a_key_never_goes_back(store: Store, project_id: int) -> None:
    one = await store.directory.create_api_key(api_key(project_id, digest=b"1"), now=NOW)
    two = await store.directory.create_api_key(api_key(project_id, digest=b"2"), now=NOW)
    await store.directory.touch_api_keys({_id(one): used(LATER, "::1"), _id(two): used(NOW, "a")})
    await store.directory.touch_api_keys(
        {_id(one): used(NOW, "b"), _id(two): used(LATER, "::1"), 7: used(NOW, "c")}
    )
    for key in await _listed(store, ApiKeyFilter()):
        assert (key.last_used_at, key.last_used_from) == (times.to_datetime(LATER), "::1")


async def test_a_use_from_nowhere_keeps_the_address(store: Store, project_id: int) -> None:
    key = await store.directory.create_api_key(api_key(project_id), now=NOW)
    await store.directory.touch_api_keys({_id(key): used(NOW, "192.0.2.7")})
    await store.directory.touch_api_keys({_id(key): used(LATER, None)})
    key = await store.directory.api_key(_id(key))
    assert (key.last_used_at, key.last_used_from) == (times.to_datetime(LATER), "192.0.2.7")


async def test_a_use_is_no_change_to_tell_of(store: Store, project_id: int, told: Told) -> None:
    key = await store.directory.create_api_key(api_key(project_id), now=NOW)
    assert told()[-1] == ("key.changed", _id(key))
    await store.directory.touch_api_keys({_id(key): used(NOW, "::1")})
    assert told() == []
    await store.directory.revoke_api_key(_id(key), now=NOW)
    assert told() == [("key.changed", _id(key))]


async def test_a_key_that_is_not_there_is_not_found(store: Store) -> None:
    for act in (
        store.directory.api_key(7),
        store.directory.revoke_api_key(7, now=NOW),
        store.directory.rotate_api_key(7, b"new", "slp_", overlap_ms=0, now=NOW),
    ):
        with pytest.raises(errors.NotFound, match="There is no API key 'key_0000000000007'"):
            await act


async def _listed(store: Store, which: ApiKeyFilter) -> list[ApiKey]:
    return list(await store.directory.list_api_keys(which, before=None, limit=10))


def _id(key: ApiKey) -> int:
    return ids.decode(ids.API_KEY, key.id)

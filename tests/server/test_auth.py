import contextlib
from collections.abc import Sequence

import msgspec
import pytest

from slowping.config import ServerSection
from slowping.core import api_key, errors, ids
from slowping.core.api_key import ApiKeyKind, Principal, Scope
from slowping.server.auth import Gatekeeper, check_origin
from slowping.store.port import ApiKeyRecord, ApiKeyUse, StoredProject
from slowping.testing import START_MS
from tests.server.engine import Engine

VALUE = api_key.mint(b"\7" * 32)


@pytest.fixture
def gatekeeper(engine: Engine) -> Gatekeeper:
    return Gatekeeper(engine.roster, engine.clock.now_ms)


async def issue(
    engine: Engine, value: str = VALUE, *, rate_limit: int = 0, expires_at: int | None = None
) -> str:
    record = ApiKeyRecord(
        name="shop",
        digest=api_key.digest(value),
        prefix=api_key.shown(value),
        kind=ApiKeyKind.SECRET,
        scopes=(Scope.INGEST,),
        home_project_id=engine.project_id,
        rate_limit=rate_limit,
        expires_at=expires_at,
    )
    made = await engine.store.directory.create_api_key(record, now=engine.clock.now_ms())
    await engine.roster.renew_api_keys()
    return made.id


async def test_a_key_is_recognised(engine: Engine, gatekeeper: Gatekeeper) -> None:
    await issue(engine)
    principal = gatekeeper.authenticate(VALUE, None)
    assert (principal.name, principal.home_project_id) == ("shop", engine.project_id)
    assert principal.may(Scope.INGEST)
    assert not principal.may(Scope.READ)


async def test_an_imported_key_is_recognised(engine: Engine, gatekeeper: Gatekeeper) -> None:
    await issue(engine, "clm1x2y3z0000abcdefghijkl")
    assert gatekeeper.authenticate("clm1x2y3z0000abcdefghijkl", None).name == "shop"


@pytest.mark.parametrize("value", ["", "slp_", VALUE[:-1] + "x", VALUE.lower(), f"{VALUE} ", "é"])
async def test_any_other_text_is_no_key(engine: Engine, gatekeeper: Gatekeeper, value: str) -> None:
    await issue(engine)
    with pytest.raises(errors.UnknownApiKey):
        gatekeeper.authenticate(value, None)


async def test_a_request_that_goes_on_is_still_the_keys_until_it_ends(
    engine: Engine, gatekeeper: Gatekeeper
) -> None:
    key_id = await issue(engine, expires_at=START_MS + 60_000)
    await issue(engine, api_key.mint(b"\x08" * 32))
    principal = gatekeeper.authenticate(VALUE, None)
    assert gatekeeper.still(principal) == principal
    engine.clock.advance(60)
    with pytest.raises(errors.UnknownApiKey):
        gatekeeper.still(principal)
    engine.clock.step(-60)
    number = ids.decode(ids.API_KEY, key_id)
    await engine.store.directory.revoke_api_key(number, now=engine.clock.now_ms())
    await engine.roster.renew_api_keys()
    with pytest.raises(errors.UnknownApiKey):
        gatekeeper.still(principal)


async def test_a_key_ends_at_its_date(engine: Engine, gatekeeper: Gatekeeper) -> None:
    await issue(engine, expires_at=START_MS + 60_000)
    engine.clock.advance(59.9)
    gatekeeper.authenticate(VALUE, None)
    engine.clock.advance(0.1)
    with pytest.raises(errors.UnknownApiKey):
        gatekeeper.authenticate(VALUE, None)


async def test_a_revoked_key_is_unknown_at_once(engine: Engine, gatekeeper: Gatekeeper) -> None:
    number = ids.decode(ids.API_KEY, await issue(engine))
    await engine.store.directory.revoke_api_key(number, now=START_MS)
    await engine.roster.renew_api_keys()
    with pytest.raises(errors.UnknownApiKey):
        gatekeeper.authenticate(VALUE, None)


async def test_each_key_has_its_own_minute(engine: Engine, gatekeeper: Gatekeeper) -> None:
    await issue(engine, rate_limit=2)
    principal = gatekeeper.authenticate(VALUE, None)
    assert [gatekeeper.limit(principal).remaining for _ in range(2)] == [1, 0]
    with pytest.raises(errors.RateLimited):
        gatekeeper.limit(principal)
    engine.clock.advance(60)
    assert gatekeeper.limit(principal).remaining == 1


async def test_the_last_use_of_each_key_is_told_once(
    engine: Engine, gatekeeper: Gatekeeper
) -> None:
    await issue(engine)
    principal = gatekeeper.authenticate(VALUE, None)
    engine.clock.advance(5)
    gatekeeper.authenticate(VALUE, "192.0.2.7")
    used = ApiKeyUse(at=START_MS + 5_000, address="192.0.2.7")
    assert gatekeeper.take_used() == {principal.key_id: used}
    assert gatekeeper.take_used() == {}


async def test_a_request_that_goes_on_tells_no_new_address(
    engine: Engine, gatekeeper: Gatekeeper
) -> None:
    await issue(engine)
    principal = gatekeeper.authenticate(VALUE, "192.0.2.7")
    gatekeeper.take_used()
    gatekeeper.still(principal)
    used = ApiKeyUse(at=START_MS, address=None)
    assert gatekeeper.take_used() == {principal.key_id: used}


async def test_a_right_key_works_where_too_many_wrong_ones_came_from(engine: Engine) -> None:
    await issue(engine)
    gatekeeper = Gatekeeper(engine.roster, engine.clock.now_ms, wrong_keys=2)
    for _ in range(2):
        with pytest.raises(errors.UnknownApiKey):
            gatekeeper.authenticate("wrong", "192.0.2.7")
    with pytest.raises(errors.TooManyGuesses):
        gatekeeper.authenticate("wrong", "192.0.2.7")
    assert gatekeeper.authenticate(VALUE, "192.0.2.7").name == "shop"
    with pytest.raises(errors.UnknownApiKey):
        gatekeeper.authenticate("wrong", "192.0.2.8")


# Where admin keys may be used ------------------------------------------------------------------

NEARBY = ServerSection().admin_from


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("172.17.0.1", True),
        ("192.168.1.20", True),
        ("100.100.1.1", True),
        ("fd7a:115c:a1e0::1", True),
        ("fe80::1%eth0", True),
        ("192.0.2.7", False),
        ("2001:db8::7", False),
        ("::ffff:192.0.2.7", False),
        ("no address", False),
        (None, False),
    ],
)
def test_an_admin_key_may_be_used_nearby(
    engine: Engine, address: str | None, allowed: bool
) -> None:
    gatekeeper = Gatekeeper(engine.roster, engine.clock.now_ms, admin_from=NEARBY)
    admin = msgspec.structs.replace(principal(()), scopes=frozenset({Scope.ADMIN}))
    refused = (
        contextlib.nullcontext()
        if allowed
        else pytest.raises(errors.Forbidden, match=r"admin_from .* SSH tunnel, or use a read key")
    )
    with refused:
        gatekeeper.check_place(admin, address)
    gatekeeper.check_place(principal(()), address)


def test_an_admin_key_is_refused_where_nobody_can_say_from_where(engine: Engine) -> None:
    gatekeeper = Gatekeeper(engine.roster, engine.clock.now_ms, admin_from=NEARBY)
    admin = msgspec.structs.replace(principal(()), scopes=frozenset({Scope.ADMIN}))
    with pytest.raises(errors.Forbidden, match=r"trusted_proxies.*X-Forwarded-For"):
        gatekeeper.check_place(admin, "127.0.0.1", behind_stranger=True)


def test_an_admin_key_may_be_used_everywhere_where_that_is_said(engine: Engine) -> None:
    everywhere = ("0.0.0.0/0", "::/0")
    gatekeeper = Gatekeeper(engine.roster, engine.clock.now_ms, admin_from=everywhere)
    admin = msgspec.structs.replace(principal(()), scopes=frozenset({Scope.ADMIN}))
    for address in ("192.0.2.7", "2001:db8::7", None):
        gatekeeper.check_place(admin, address, behind_stranger=True)


# Origins -------------------------------------------------------------------------------------

SHOP, BLOG, EVIL = "https://shop.example", "https://blog.example", "https://evil.example"


@pytest.mark.parametrize(
    ("own", "of_project", "allowed"),
    [
        ((), (), (SHOP, BLOG, EVIL, None)),
        ((SHOP,), (), (SHOP, None)),
        ((), (SHOP, BLOG), (SHOP, BLOG, None)),
        ((SHOP,), (SHOP, BLOG), (SHOP, None)),
        ((SHOP, BLOG), (BLOG,), (BLOG, None)),
        ((SHOP,), (BLOG,), (None,)),
        ((SHOP,), None, (SHOP, None)),
        ((), None, (SHOP, BLOG, EVIL, None)),
    ],
)
@pytest.mark.parametrize("origin", [SHOP, BLOG, EVIL, None])
def test_a_page_has_to_be_on_every_list_there_is(
    own: Sequence[str],
    of_project: Sequence[str] | None,
    allowed: Sequence[str | None],
    origin: str | None,
) -> None:
    refused = contextlib.nullcontext() if origin in allowed else pytest.raises(errors.ForeignOrigin)
    with refused:
        check_origin(principal(own), None if of_project is None else stored(of_project), origin)


def principal(origins: Sequence[str]) -> Principal:
    return Principal(
        key_id=1,
        name="shop",
        scopes=frozenset({Scope.INGEST}),
        home_project_id=1,
        project_ids=frozenset({1}),
        rate_limit=0,
        origins=frozenset(origins),
        expires_at=None,
    )


def stored(origins: Sequence[str]) -> StoredProject:
    return StoredProject(
        id=1,
        name="shop",
        strict_destinations=False,
        allowed_origins=frozenset(origins),
        monthly_quota=None,
        created_at=0,
    )

"""A key that may only read is known as such, though it may list keys."""

from slowping.core import errors
from slowping.core.api_key import Scope
from slowping.tui.settings import Profile
from tests.tui.driver import ScriptedServer, moment, running
from tests.tui.things import has_keys, key, value

MINE = Profile(name="test", server="http://server.test:7464", api_key=value(1))


async def test_a_key_is_known_by_its_first_characters(server: ScriptedServer) -> None:
    mine = key(1, scopes=["read"])
    has_keys(server, mine, key(2, scopes=["admin"]))
    async with running(server, profile=MINE) as live:
        await live.connects()
        assert live.app.own_key == mine
        assert not live.app.may_administer


async def test_an_admin_key_may_administer(server: ScriptedServer) -> None:
    has_keys(server, key(1, scopes=["admin"]))
    async with running(server, profile=MINE) as live:
        await live.connects()
        assert live.app.may_administer
        assert live.app.own_key is not None
        assert live.app.own_key.scopes == (Scope.ADMIN,)


async def test_what_cannot_be_told_is_left_to_the_server(server: ScriptedServer) -> None:
    has_keys(server, key(2), key(1, revoked_at=moment(-5)))
    async with running(server, profile=MINE) as live:
        await live.connects()
        assert live.app.may_administer
        assert live.app.own_key is None


async def test_keys_of_the_same_first_characters_are_not_told_apart(
    server: ScriptedServer,
) -> None:
    has_keys(server, key(1), key(2, prefix=key(1).prefix, scopes=["admin"]))
    async with running(server, profile=MINE) as live:
        await live.connects()
        assert live.app.may_administer
        assert live.app.own_key is None


async def test_a_key_that_may_not_ask_may_not_administer(server: ScriptedServer) -> None:
    server.refusing["/keys"] = (401, errors.UnknownApiKey)
    async with running(server, profile=MINE) as live:
        await live.connects()
        assert not live.app.may_administer


async def test_another_key_is_taken_to_administer_until_it_is_known(
    server: ScriptedServer,
) -> None:
    has_keys(server, key(1, scopes=["read"]))
    async with running(server, profile=MINE) as live:
        await live.connects()
        has_keys(server)
        live.app.use(Profile(name="other", server="http://other.test", api_key=value(2)))
        await live.connects()
        assert live.app.may_administer


async def test_what_a_key_may_do_is_learned_once_the_server_answers(
    server: ScriptedServer,
) -> None:
    has_keys(server, key(1, scopes=["read"]))
    server.refusing["/keys"] = server.refusing["/feed"] = (503, errors.Unavailable)
    async with running(server, profile=MINE) as live:
        assert live.app.own_key is None
        server.refusing.clear()
        await live.tries_again()
        assert live.app.own_key is not None
        assert not live.app.may_administer

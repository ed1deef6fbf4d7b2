import os
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint
from typing import Annotated, Any, ClassVar

import jsonschema
import msgspec
import pytest

from slowping.cli import kinds
from slowping.core import errors
from slowping.notifiers.port import Secret, Settings, Tools, secret_names
from slowping.notifiers.registry import GROUP, Registry
from slowping.testing import RecordingNotifier
from tests.notifiers.samples import tools

BUILT_IN = ("console", "discord", "email", "telegram", "webhook")


class Pipe(msgspec.Struct, frozen=True):
    """Something nested."""

    path: str
    spare: "Pipe | None" = None


class OddSettings(Settings, frozen=True, kw_only=True):
    """One of everything."""

    name: Annotated[str, msgspec.Meta(title="Name", max_length=5)]
    token: Annotated[Secret, msgspec.Meta(title="Token", pattern="^tok-")] | None = None
    tags: tuple[str, ...] = ()
    loud: bool = False
    level: Annotated[int, msgspec.Meta(ge=1, le=9)] | None = None
    pipe: Pipe | None = None
    learned_id: Annotated[str, msgspec.Meta(extra_json_schema={"readOnly": True})] | None = None

    def __post_init__(self) -> None:
        if self.loud and self.level == 1:
            raise ValueError("loud does not go with level 1")


class Odd:
    """A notifier that counts itself."""

    kind: ClassVar[str] = "odd"
    summary: ClassVar[str] = "An odd one"
    settings: ClassVar[type[Settings]] = OddSettings
    delays: ClassVar[tuple[float, ...]] = (1, 5)
    built: ClassVar[list[Tools]] = []

    def __init__(self, tools: Tools) -> None:
        self.built.append(tools)
        self.is_open = True

    async def close(self) -> None:
        """Close."""
        self.is_open = False


def entry_point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=GROUP)


class Choosy(Odd):
    """One that knows which names cannot be sent to."""

    kind: ClassVar[str] = "choosy"

    def problem_with(self, settings: OddSettings) -> str | None:
        """What is wrong with the name."""
        if settings.name == "rude":
            raise LookupError(settings.token)
        return "The setting 'name' is refused" if settings.name == "bad" else None


ODD = entry_point("odd", f"{__name__}:Odd")
CHOOSY = entry_point("choosy", f"{__name__}:Choosy")


def registry(*entry_points: EntryPoint) -> Registry:
    return Registry(lambda kind: tools(section=kind), entry_points or None)


def problem_of(settings: dict[str, Any], kind: str = "odd") -> str:
    with pytest.raises(errors.InvalidInput) as refusal:
        registry(ODD).check(kind, settings)
    assert refusal.value.__cause__ is refusal.value.__context__ is None
    return refusal.value.problem


# Kinds ---------------------------------------------------------------------------------------


def test_the_built_in_kinds_are_registered_like_all_others() -> None:
    assert set(BUILT_IN) <= set(registry().kinds())


def test_listing_the_kinds_imports_nothing() -> None:
    known = registry(entry_point("far", "no_such_module_at_all:Far"))
    assert known.kinds() == ("far",)
    assert "no_such_module_at_all" not in sys.modules


async def test_a_notifier_is_built_once_and_closed_in_the_end() -> None:
    known = registry(ODD)
    Odd.built.clear()
    odd = known.notifier("odd")
    assert known.notifier("odd") is odd
    assert [each.section for each in Odd.built] == ["odd"]
    await known.close()
    assert not odd.is_open  # type: ignore[attr-defined]  # our own notifier


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_setting_that_a_person_enters_explains_itself(name: str) -> None:
    [kind] = [each for each in registry().channel_kinds() if each.kind == name]
    for setting, _, meaning in kinds.setting_rows(kind.settings):
        assert len(meaning.split()) > 2, f"{setting}: {meaning}"


def test_settings_that_a_notifier_knows_to_be_of_no_use_are_refused() -> None:
    registry(CHOOSY).require_usable("choosy", {"name": "good"})
    with pytest.raises(errors.InvalidInput, match=r"^The setting 'name' is refused\.$"):
        registry(CHOOSY).require_usable("choosy", {"name": "bad"})
    with pytest.raises(errors.InvalidInput, match=r"^The notifier of kind 'choosy' failed: Look"):
        registry(CHOOSY).require_usable("choosy", {"name": "rude", "token": "tok-1"})


def test_a_notifier_that_knows_of_none_is_not_even_built_for_that() -> None:
    Odd.built.clear()
    registry(ODD).require_usable("odd", {"name": "bad"})
    assert Odd.built == []


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_notifier_is_what_the_port_asks_for(name: str) -> None:
    settings = registry().settings_class(name)
    assert issubclass(settings, Settings)
    assert settings.__struct_config__.forbid_unknown_fields
    [kind] = [each for each in registry().channel_kinds() if each.kind == name]
    assert kind.summary
    assert kind.retry_delays


def test_an_unknown_kind_is_answered_with_the_kinds_and_the_nearest() -> None:
    with pytest.raises(errors.InvalidInput) as refusal:
        registry(ODD, entry_point("email", "x:Y")).check("emial", {})
    assert refusal.value.problem == (
        "There is no channel kind 'emial'. Did you mean 'email'? The kinds are email, odd."
    )


def test_a_plug_in_cannot_take_the_place_of_a_built_in_notifier() -> None:
    ours = entry_point("console", "slowping.notifiers.console:Console")
    for order in ([ours, ODD], [ODD, ours]):
        known = registry(*order, entry_point("console", f"{__name__}:Odd"))
        assert known.settings_class("console").__name__ == "ConsoleSettings"


@pytest.mark.parametrize("value", ["no_such_module_at_all:Far", f"{__name__}:NoSuchClass"])
def test_a_broken_plug_in_says_so_and_harms_no_other(value: str) -> None:
    known = registry(ODD, entry_point("far", value))
    with pytest.raises(errors.InvalidInput, match="notifier of kind 'far' cannot be loaded"):
        known.notifier("far")
    assert [each.kind for each in known.channel_kinds()] == ["odd"]


# Settings ------------------------------------------------------------------------------------


def test_texts_become_what_is_asked_for() -> None:
    settings = registry(ODD).check(
        "odd",
        {"name": "x", "tags": "a, b,", "loud": "true", "level": "7", "retry_delays": "1, 2.5"},
    )
    assert settings == OddSettings(
        name="x", tags=("a", "b"), loud=True, level=7, retry_delays=(1.0, 2.5)
    )


def test_null_is_as_good_as_left_out() -> None:
    assert registry(ODD).check("odd", {"name": "x", "tags": None}) == OddSettings(name="x")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "Channels of kind 'odd' need the setting 'name'."),
        ({"name": None}, "Channels of kind 'odd' need the setting 'name'."),
        (
            {"name": "x", "tokne": "tok-1"},
            "Channels of kind 'odd' have no setting 'tokne'. Did you mean 'token'?",
        ),
        ({"name": "x", "zzzz": 1}, "Channels of kind 'odd' have no setting 'zzzz'."),
        ({"name": 1}, "The setting 'name' takes text, not a whole number."),
        ({"name": "x" * 6}, "The setting 'name' takes text of at most 5 characters."),
        ({"name": "x", "level": "many"}, "The setting 'level' takes a whole number, not text."),
        ({"name": "x", "level": 0}, "The setting 'level' takes a whole number of at least 1."),
        ({"name": "x", "loud": "maybe"}, "The setting 'loud' takes true or false, not text."),
        ({"name": "x", "tags": 1}, "The setting 'tags' takes a list, not a whole number."),
        ({"name": "x", "tags": [1]}, "The setting 'tags' takes text, not a whole number."),
        ({"name": "x", "retry_delays": "-1"},
         "The setting 'retry_delays' takes a number of at least 0.0."),
        ({"name": "x", "token": "hunter2"}, "The setting 'token' has the wrong form."),
        ({"name": "x", "loud": True, "level": 1}, "loud does not go with level 1."),
        ({"name": "x", "pipe": {}}, "The setting 'pipe' has the wrong form: Something nested."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence(settings: dict[str, Any], problem: str) -> None:
    assert problem_of(settings) == problem


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        ("email", {"to": "me@x.test", "tls": "ssl"}, "'tls' takes one of plain, starttls, tls"),
        ("email", {"to": "me@x.test", "host": "a b"}, "'host' has the wrong form: A host name"),
        ("email", {"to": "me"}, "'to' is one plain e-mail address"),
        ("email", {"to": "me@x.test", "sender": "x"}, "no setting 'sender'"),
        ("webhook", {"url": "x"}, "'url' has the wrong form: An https address"),
        ("webhook", {"url": "https://x.test", "secret": "hunter2"}, "'secret' is 'whsec_'"),
    ],
)
def test_the_built_in_kinds_say_what_is_wrong(
    kind: str, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(errors.InvalidInput) as refusal:
        registry().check(kind, settings)
    assert words in refusal.value.problem
    assert "hunter2" not in refusal.value.problem


class _Login(msgspec.Struct):
    user: str
    password: Secret


class _Inner(msgspec.Struct):
    logins: list[_Login]
    again: "_Inner | None" = None


class NestedSettings(Settings, frozen=True, kw_only=True):
    """With secrets further down."""

    plain: str = ""
    within: _Inner | None = None
    by_name: dict[str, _Login] | None = None


def test_a_setting_that_holds_a_secret_somewhere_is_one() -> None:
    assert secret_names(NestedSettings) == {"within", "by_name"}


class TellingSettings(Settings, frozen=True, kw_only=True):
    """Says aloud what is wrong."""

    token: Secret

    def __post_init__(self) -> None:
        raise ValueError(f"The token {self.token} is not to my taste")


class Telling(RecordingNotifier):
    """Takes no token."""

    settings = TellingSettings


def test_a_strangers_words_about_settings_are_told_without_its_secrets() -> None:
    kinds = registry(entry_point("telling", f"{__name__}:Telling"))
    with pytest.raises(errors.InvalidInput) as refusal:
        kinds.check("telling", {"token": "s3cret"})
    assert refusal.value.problem == "The token [secret] is not to my taste."


class LoudSettings(Settings, frozen=True, kw_only=True):
    """Says aloud what it was given, whatever it is asked."""

    token: str

    def __post_init__(self) -> None:
        if self.token.startswith("bad"):
            raise RuntimeError(self.token)

    @property
    def target(self) -> str | None:
        """Fail."""
        raise RuntimeError(self.token)

    @classmethod
    def made(cls, given: Mapping[str, Any], random_bytes: Any) -> dict[str, str]:
        """Fail."""
        raise RuntimeError(given["token"])

    @classmethod
    def carried_over(
        cls, old: Mapping[str, Any], new: Mapping[str, Any], now_ms: int
    ) -> dict[str, Any]:
        """Fail."""
        raise RuntimeError(new["token"])


class Loud(RecordingNotifier):
    """Fails with what it was given."""

    settings = LoudSettings


@pytest.mark.parametrize(
    "ask",
    [
        lambda kinds: kinds.check("loud", {"token": "bad-s3cret"}),
        lambda kinds: kinds.target("loud", {"token": "s3cret"}),
        lambda kinds: kinds.made("loud", {"token": "s3cret"}, os.urandom),
        lambda kinds: kinds.carried_over("loud", {}, {"token": "s3cret"}, 0),
    ],
)
def test_what_a_stranger_says_when_he_fails_is_told_to_nobody(
    ask: Callable[[Registry], object],
) -> None:
    with pytest.raises(errors.InvalidInput) as refusal:
        ask(registry(entry_point("loud", f"{__name__}:Loud")))
    assert refusal.value.problem == "The notifier of kind 'loud' failed: RuntimeError."
    assert refusal.value.__cause__ is refusal.value.__context__ is None


def test_settings_are_split_into_what_may_be_shown_and_secrets() -> None:
    given = {"name": "x", "token": "tok-1", "level": "7", "tags": "", "loud": "false"}
    assert registry(ODD).split("odd", given) == ({"name": "x", "level": 7}, {"token": "tok-1"})


def test_the_settings_of_an_email_channel_keep_their_names() -> None:
    given = {"to": "me@x.test", "from": "ops@x.test", "port": "25", "password": "sesame"}
    shown, secrets = registry().split("email", given)
    assert shown == {"to": "me@x.test", "from": "ops@x.test", "port": 25}
    assert secrets == {"password": "sesame"}


# The form ------------------------------------------------------------------------------------


def test_the_form_is_one_schema_without_references() -> None:
    [kind] = registry(ODD).channel_kinds()
    form = kind.settings
    assert "$" not in msgspec.json.encode(form).decode().replace("$schema", "")
    assert form["required"] == ["name"]
    assert form["properties"]["token"] == {
        "title": "Token", "type": "string", "pattern": "^tok-", "writeOnly": True,
    }  # fmt: skip
    assert form["properties"]["level"] == {"type": "integer", "minimum": 1, "maximum": 9}
    assert form["properties"]["pipe"]["properties"]["path"] == {"type": "string"}
    assert "learned_id" not in form["properties"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_forms_of_the_built_in_kinds_are_valid_schemas(name: str) -> None:
    [kind] = [each for each in registry().channel_kinds() if each.kind == name]
    jsonschema.Draft202012Validator.check_schema(kind.settings)
    settings = registry().settings_class(name)
    hidden = {field for field, form in kind.settings["properties"].items() if form.get("writeOnly")}
    assert hidden <= secret_names(settings)

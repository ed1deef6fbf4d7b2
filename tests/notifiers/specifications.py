"""The far sides' own specifications: large, so they lie beside the repository or nowhere."""

import json
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

_FOLDER: Final = Path(__file__).parents[3] / "shared" / "specs"
_DISCORD: Final = "discord-openapi.json"


class DiscordSchemas:
    """Checks bodies by Discord's OpenAPI document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._components = document["components"]
        self._validators: dict[str, jsonschema.Draft202012Validator] = {}

    def check(self, body: Any, name: str) -> None:
        """Fail where the body is not of the schema, or has members that the schema lacks.

        The schemas allow members that they do not name; Discord ignores those, so a misspelt one
        would go unnoticed.
        """
        if name not in self._validators:
            schema = {"$ref": f"#/components/schemas/{name}", "components": self._components}
            self._validators[name] = jsonschema.Draft202012Validator(schema)
        self._validators[name].validate(body)
        assert body.keys() <= self._members(name)
        for embed in body.get("embeds", ()):
            assert embed.keys() <= self._members("RichEmbed")
            for field in embed.get("fields", ()):
                assert field.keys() <= self._members("RichEmbedField")

    def _members(self, name: str) -> set[str]:
        return set(self._components["schemas"][name]["properties"])


def discord_schemas() -> DiscordSchemas:
    """The schemas; skips the test where the document is not there."""
    return DiscordSchemas(_read(_DISCORD))


def discord_schemas_if_here() -> DiscordSchemas | None:
    """The schemas; None where the document is not there."""
    return discord_schemas() if (_FOLDER / _DISCORD).exists() else None


def telegram_method(name: str) -> dict[str, Any]:
    """What the Bot API says about a method; skips the test where the document is not there."""
    method: dict[str, Any] = _read("telegram-api-structure.json")["methods"][name]
    return method


def _read(name: str) -> dict[str, Any]:
    file = _FOLDER / name
    if not file.exists():
        pytest.skip(f"{name} is not here")
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document

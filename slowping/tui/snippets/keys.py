"""Keep the API keys that are filled into snippets, and decide which may be."""

from typing import Final

from slowping.core import api_key

NO_KEY: Final = "YOUR_API_KEY"
"""What stands in the place of a key that is not known."""


class KeysAtHand:
    """Keys by server and project; they are known as long as the live view runs, and not kept."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], str] = {}

    def of(self, server: str, project: str) -> str | None:
        """The key for a project there, if one is at hand."""
        return self._keys.get((server, project))

    def put(self, server: str, project: str, value: str) -> None:
        """Have this key at hand from now on."""
        self._keys[server, project] = value


def flaw(value: str, own: str) -> str | None:
    """Why a key cannot stand in anybody's code, in a sentence; `own` is the live view's."""
    if value == own:
        return "That is the live view's own key, which must not go into code: k issues another."
    if api_key.is_mistyped(value):
        return "This key starts like one of slowping's, but is mistyped."
    if not value or not all("!" <= letter <= "~" for letter in value):
        return "An API key has printable ASCII characters and no spaces."
    return None

"""Take the examples and the documented answers out of the pages that describe the five dialects.

The pages are text files that lie beside the repository or nowhere. An example is a page's own
text, line by line; only its host is replaced, and its key where a test asks for another one.
"""

import json
import re
import shlex
from pathlib import Path
from typing import Any, Final

import msgspec

FOLDER: Final = Path(__file__).parents[3] / "shared" / "seeds"


class Page(msgspec.Struct, frozen=True):
    """One of the pages, and what stands in it that a test replaces."""

    name: str
    host: str
    key: str

    @property
    def text(self) -> str:
        """The whole page."""
        return (FOLDER / f"{self.name}.txt").read_text(encoding="utf-8")

    def curl(self, number: int) -> str:
        """One of its curl commands, counted from 0."""
        lines = self.text.splitlines()
        first = [at for at, line in enumerate(lines) if line.startswith("curl ")][number]
        for end in range(first + 1, len(lines) + 1):
            command = "\n".join(lines[first:end])
            if _is_whole(command):
                return command
        raise LookupError(f"{self.name}: the curl command {number} has no end")

    def block(self, first: str, last: str) -> str:
        """From the line that starts with `first` to the next that is `last`."""
        lines = self.text.splitlines()
        start = next(at for at, line in enumerate(lines) if line.startswith(first))
        end = next(at for at in range(start, len(lines)) if lines[at] == last)
        return "\n".join(lines[start : end + 1])

    def answer(self, heading: str) -> dict[str, Any]:
        """The JSON object that follows a heading."""
        text = self.text
        start = text.index("{", text.index(heading))
        told: dict[str, Any] = json.JSONDecoder().raw_decode(text, start)[0]
        return told

    def aimed(self, example: str, url: str, key: str | None = None) -> str:
        """An example as it runs here."""
        assert self.host in example
        return example.replace(self.host, url).replace(self.key, key or self.key)


ADWIZE: Final = Page("adwize", "https://api.getadwize.com", "YOUR_API_KEY")
INTAKE: Final = Page("event-intake", "https://api.example.com", "test_123")
PINGPANDA: Final = Page("pingpanda", "https://pingpanda.com", "YOUR_API_KEY")
PINGPILOT: Final = Page("pingpilot", "https://pingpilot.app", "pk_1234567890abcdef")
SLOWSTATS: Final = Page("slowstats", "https://theslow.net", "YOUR_API_KEY_HERE")

PAGES: Final = (ADWIZE, INTAKE, PINGPANDA, PINGPILOT, SLOWSTATS)


def is_documented(body: bytes, documented: dict[str, Any]) -> bool:
    """Whether an answer is a documented one byte for byte, but for what differs each time."""
    pattern = re.escape(json.dumps(documented, separators=(",", ":")))
    for name, value in documented.items():
        if name in _DIFFERS:
            shown = re.escape(json.dumps(value))
            pattern = pattern.replace(f'"{name}":{shown}', f'"{name}":{_DIFFERS[name]}')
    return re.fullmatch(pattern, body.decode()) is not None


_DIFFERS: Final = {
    "eventId": r'"evt_[0-9a-z]{13}"',
    "event_id": r'"evt_[0-9a-z]{13}"',
    "received_at": r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"',
    "retryAfter": r"\d{1,2}",
}


def _is_whole(command: str) -> bool:
    """Whether a shell would run it, rather than ask for more."""
    try:
        shlex.split(command)
    except ValueError:  # a quotation is open
        return False
    return not command.endswith("\\")

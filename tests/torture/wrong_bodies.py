"""Make bodies of requests that are wrong, or nearly right, in every way that comes to mind."""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from tests.vectors import hostile_body, vectors

RIGHT: Final[Mapping[str, tuple[bytes, ...]]] = {
    "/api/v1/events": (
        b'{"category":"bug","description":"It broke.","fields":{"a":1,"b":"x","c":true,"d":1.5}}',
        b'[{"source":"shop","event_type":"sale","data":{"amount":49.5,"of":{"a":[1,null]}}}]',
        b'{"source":"shop","events":[{"type":"sale","data":{"amount":1}},{"type":"bug","data":{}}]}',
    ),
    "/api/v1/event": (b'{"category":"bug","fields":{"a":1},"description":null}',),
    "/api/slowstats/ingest-events": (
        b'{"projectId":"default","eventType":"sale","description":"One.","payload":{"a":{"b":1}},'
        b'"color":255,"discordWebhook":null}',
    ),
    "/api/slowstats/ingest-metrics": (b'{"projectId":"default","payload":{"visitorId":"v1"}}',),
    "/v1/events": (
        b'{"event_type":"sale","occurred_at":"2026-03-06T10:30:00Z","idempotency_key":"k-1",'
        b'"data":{"a":1,"nested":{"b":[1,2,{"c":null}]}}}',
    ),
    "/slowping/v1/events": (
        b'{"category":"sale","description":"One.","fields":{"a":1},"source":"s","color":16777215,'
        b'"occurred_at":"2026-03-06T10:30:00+01:00","notify":false}',
        b'[{"category":"sale"},{"category":"bug","project":"default"}]',
    ),
}
"""For each path where bodies are read, some that are in order there."""

_SCALAR: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null')
_LETTER: Final = re.compile(rb"\w")
_LETTERS: Final = (b"a", b"Z", b"0", b"9", b"-", b" ", b"\\n", b"\xc3\xa9", b"\xe2\x80\xae")

_SOUND: Final[Sequence[bytes]] = (
    b"null", b"true", b"0", b"-0", b"-1", b"1.5", b"1e308", b"5e-324", b"-1e-7", b"16777216",
    b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809", b"9" * 400,
    b'""', b'" "', b'"x"', b'"\\u0000"', b'"\\ud83d\\ude00"', b'"\xf0\x9f\x98\x80"',
    b'"\x7f\xc2\x85"', b'"\\u202e\\u200b"', b'"e' + b"\xcc\x81" * 200 + b'"', b"[]", b"{}",
    b"[[]]", b'{"":0}', b'{"a":1,"a":2}', b'{"a":{"b":[1,null,{"c":"d"}]}}',
    b"[" * 31 + b"]" * 31, b'{"a":' * 31 + b"1" + b"}" * 31, b"[" * 40 + b"]" * 40,
    b'"' + b"x" * 70_000 + b'"', b'"2026-02-30T00:00:00Z"', b'"0001-01-01T00:00:00+14:00"',
    b'"9999-12-31T23:59:59-14:00"', b'"2026-03-06T10:30:00.123456789Z"', b'"20260306T103000Z"',
    b'"now"', b"{%s}" % b",".join(b'"k%d":0' % number for number in range(150)),
    b"[%s]" % b",".join(b"{}" for _ in range(1_001)),
)  # fmt: skip
"""Values that JSON can hold; more of them than one would think are legal somewhere."""

_UNSOUND: Final[Sequence[bytes]] = (
    b"1e309", b"-1e999", b"9" * 5_000, b"NaN", b"Infinity", b"01", b"+1", b".5", b"0x10",
    b'"\x00"', b'"\\ud800"', b'"\xed\xa0\x80"', b'"\xff"', b"[" * 2_000,
    b"[" * 1_500 + b"]" * 1_500, b"'x'", b"undefined", b"// no\n1",
)  # fmt: skip


def vector_bodies() -> list[bytes]:
    """The bodies that are known to bite."""
    return [hostile_body(one) for name in ("ingest_must_be_4xx", "ingest_special")
            for one in vectors(name)]  # fmt: skip


def bodies(path: str, chance: random.Random) -> Iterator[bytes]:
    """Bodies for a path, without an end: one that is right, with something done to it."""
    others = [body for group in RIGHT.values() for body in group]
    while True:
        # Mostly what is right at this path: what is refused at once teaches little.
        body = chance.choice(RIGHT[path] if chance.random() < 0.8 else others)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            body = spoilt(body, chance)
        yield body


def spoilt(body: bytes, chance: random.Random) -> bytes:
    """A body with one thing done to it."""
    return chance.choice(_DEEDS)(body, chance)


def _other_value(body: bytes, chance: random.Random) -> bytes:
    """Put something else in the place of a name or a value."""
    value = chance.choice(_SOUND if chance.random() < 0.8 else _UNSOUND)
    found = list(_SCALAR.finditer(body))
    if not found:
        return value
    start, end = chance.choice(found).span()
    return body[:start] + value + body[end:]


def _other_letter(body: bytes, chance: random.Random) -> bytes:
    """Change a letter or a digit into another one."""
    found = list(_LETTER.finditer(body))
    if not found:
        return body
    at = chance.choice(found).start()
    return body[:at] + chance.choice(_LETTERS) + body[at + 1 :]


def _other_bytes(body: bytes, chance: random.Random) -> bytes:
    """Write over a few bytes, or put some in between."""
    at = chance.randint(0, len(body))
    return body[:at] + chance.randbytes(chance.randint(1, 4)) + body[at + chance.randint(0, 4) :]


def _flipped_bit(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(max(1, len(body)))
    return (
        body[:at]
        + bytes(one ^ 1 << chance.randrange(8) for one in body[at : at + 1])
        + body[at + 1 :]
    )


def _cut(body: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(body))
    return body[:at] if chance.random() < 0.5 else body[at:]


def _repeated(body: bytes, chance: random.Random) -> bytes:
    """Repeat a part, a few times or many."""
    start, end = sorted(chance.randint(0, len(body)) for _ in range(2))
    times = chance.choice((2, 2, 3, 50)) if len(body) < 5_000 else 2
    return body[:start] + body[start:end] * times + body[end:]


def _wrapped(body: bytes, chance: random.Random) -> bytes:
    depth = chance.choice((1, 1, 2, 31, 32, 33, 900, 5_000))
    start, end = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'{"events":', b"}"), (b"[", b"")))
    return start * depth + body + end * depth


def _marked(body: bytes, chance: random.Random) -> bytes:
    """Put something around it that is not seen: a byte order mark, blanks, an end."""
    mark = chance.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\n" * 100, b"\x00", b"//\n", b","))
    return mark + body if chance.random() < 0.5 else body + mark


def _recoded(body: bytes, chance: random.Random) -> bytes:
    return body.decode("latin-1").encode(chance.choice(("utf-16", "utf-32", "utf-7", "utf-8")))


def _noise(body: bytes, chance: random.Random) -> bytes:
    del body
    return chance.randbytes(chance.choice((0, 1, 8, 500)))


_DEEDS: Final[Sequence[Callable[[bytes, random.Random], bytes]]] = (
    *[_other_value] * 12, *[_other_letter] * 6, *[_other_bytes] * 2, _flipped_bit, _cut,
    *[_repeated] * 2, _wrapped, _marked, _recoded, _noise,
)  # fmt: skip

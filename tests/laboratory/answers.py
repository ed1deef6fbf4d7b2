"""What each kind of far side may answer, and what has to come of it."""

import functools
from collections.abc import Iterator, Mapping
from typing import Final

from slowping.testing import START_MS
from tests.laboratory import http, names, smtp
from tests.laboratory.case import YES, Case, Verdict, well
from tests.laboratory.http import answering, json_of, raw
from tests.notifiers.far_side import Behaviour, reply

DELIVERED, RETRIED, UNKNOWN = Verdict.DELIVERED, Verdict.RETRIED, Verdict.UNKNOWN
WAITS, REJECTED, PAUSED = Verdict.WAITS, Verdict.REJECTED, Verdict.PAUSED

_ODD: Final[Mapping[str, bytes]] = {
    "nests too deep": b'{"a":' + b"[" * 8_000,
    "not UTF-8": b'{"message":"\xff","description":"\xff"}',
}

_UNTOLD_S: Final = 60.0  # for who says "wait" and not how long
_DAY_S: Final = 86_400.0


def answers() -> Iterator[Case]:
    """Those of all kinds, one after the other."""
    for kind in ("webhook", "discord", "telegram"):
        yield from _asked_waits(kind, 503, RETRIED)
    yield from _webhook()
    yield from _discord()
    yield from _discord_bot()
    yield from _telegram()
    yield from _email()


def _asked_waits(kind: str, status: int, verdict: Verdict) -> Iterator[Case]:
    """Every form of Retry-After."""
    now = START_MS
    forms: Mapping[str, tuple[str, float]] = {
        "in seconds": ("3600", 3_600.0),
        "with a fraction": ("120.5", 121.0),
        "as a date": (http.http_date(now + 7_200_000), 7_200.0),
        "of a day and more": ("99999999", _DAY_S),
    }
    for form, (value, wait_s) in forms.items():
        yield Case(
            kind=kind,
            fault=f"HTTP {status}, Retry-After {form}",
            broken=answering(reply(status, b"", {"retry-after": value})),
            verdict=verdict,
            wait_s=wait_s,
        )


def _webhook() -> Iterator[Case]:
    case = functools.partial(Case, kind="webhook")
    for status in (401, 403, 404, 405, 406, 408, 409, 418, 421, 425, 451):
        yield case(fault=f"HTTP {status}", broken=answering(reply(status)), verdict=RETRIED)
    for status in (400, 413, 415, 422):
        yield case(fault=f"HTTP {status}", broken=answering(reply(status)), verdict=REJECTED)
    yield case(fault="HTTP 410", broken=answering(reply(410)), verdict=PAUSED)
    for wish, verdict in (("abort-message", REJECTED), ("disable", PAUSED)):
        broken = answering(reply(500, b"", {"webhook-delivery": wish}))
        yield case(fault=f"asks to {wish}", broken=broken, verdict=verdict)
    yield from _asked_waits("webhook", 429, WAITS)
    for value in (None, "soon", "-5", "+7", "٣٠"):
        lines = {} if value is None else {"retry-after": value}
        yield case(
            fault=f"HTTP 429, Retry-After {value}",
            broken=answering(_as_utf8(429, lines)),
            verdict=WAITS,
            wait_s=_UNTOLD_S,
        )
    for address in ("10.0.0.1", "169.254.169.254", "fd00::1", "64:ff9b::7f00:1"):
        yield case(
            fault=f"DNS: leads to {address}",
            broken=well("webhook"),
            verdict=PAUSED,
            resolve=names.changing(names.finding(address), names.finding("127.0.0.1")),
        )


def _as_utf8(status: int, lines: Mapping[str, str]) -> Behaviour:
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode()
    return raw(b"HTTP/1.1 %d Said\r\n%scontent-length: 0\r\n\r\n" % (status, head))


def _discord() -> Iterator[Case]:
    """Status, JSON code, and what follows; from Discord's list of JSON error codes."""
    case = functools.partial(Case, kind="discord")
    for status, code, verdict in (
        (400, 50035, REJECTED), (400, 50006, REJECTED), (400, 50109, REJECTED),
        (400, 40005, REJECTED), (413, 40005, REJECTED),
        (400, 220001, PAUSED), (400, 220002, PAUSED), (400, 220003, PAUSED),
        (400, 220004, PAUSED), (400, 160005, PAUSED),
        (400, 200000, REJECTED), (403, 200001, REJECTED), (400, 240000, REJECTED),
        (403, 20009, REJECTED),
        (401, 50027, PAUSED), (404, 10015, PAUSED), (404, 10003, PAUSED),
        (403, 50001, PAUSED), (403, 50013, PAUSED),
        (401, 0, PAUSED), (403, 0, PAUSED), (404, 0, PAUSED), (400, 0, REJECTED),
        (500, 130000, RETRIED), (400, 130000, RETRIED),
    ):  # fmt: skip
        broken = answering(reply(status, json_of(code=code, message="no")))
        yield case(fault=f"HTTP {status}, code {code}", broken=broken, verdict=verdict)
    for fault, body in _ODD.items():
        yield case(fault=f"404, {fault}", broken=answering(reply(404, body)), verdict=PAUSED)
    for fault, behaviour, wait_s in _discord_waits():
        yield case(fault=fault, broken=answering(behaviour), verdict=WAITS, wait_s=wait_s)


def _discord_waits() -> Iterator[tuple[str, Behaviour, float]]:
    told = functools.partial(json_of, message="You are being rate limited.")
    header = {"retry-after": "65"}
    page = b"<!DOCTYPE html><title>Access denied | discord.com used Cloudflare</title>"
    yield "429 for a while", reply(429, told(retry_after=64.57, **{"global": False}), header), 64.57
    yield "429 everywhere", reply(429, told(retry_after=30.0, **{"global": True})), 30.0
    yield "429 shared", reply(429, told(retry_after=41), {"x-ratelimit-scope": "shared"}), 41.0
    yield "429 for no time", reply(429, told(retry_after=0)), 1.0
    yield "429 for less than none", reply(429, told(retry_after=-3)), 1.0
    yield "429 for ever", reply(429, told(retry_after=1e300)), _DAY_S
    yield "429 as a page", reply(429, page), _UNTOLD_S
    yield "429 as a page, for an hour", reply(429, page, {"retry-after": "3600"}), 3_600.0
    yield "429 without a word", reply(429), _UNTOLD_S
    yield "403 by the wall", reply(403, told(code=40333)), _UNTOLD_S


def _discord_bot() -> Iterator[Case]:
    case = functools.partial(Case, kind="discord bot")
    for status, code, verdict in (
        (401, 0, PAUSED), (403, 50007, PAUSED), (403, 50278, PAUSED), (404, 10013, PAUSED),
        (400, 50033, PAUSED), (500, 0, RETRIED),
    ):  # fmt: skip
        broken = answering(reply(status, json_of(code=code, message="no")))
        yield case(fault=f"HTTP {status}, code {code}", broken=broken, verdict=verdict)
    yield case(
        fault="429, too many new conversations",
        broken=answering(reply(429, json_of(code=40003, retry_after=600.0))),
        verdict=WAITS,
        wait_s=600.0,
    )


def _telegram() -> Iterator[Case]:
    """Code, the text behind it, and what follows; after the Bot API server's own sources."""
    case = functools.partial(Case, kind="telegram")
    for code, text, verdict in (
        (400, "Bad Request: chat not found", PAUSED),
        (400, "Bad Request: group chat was deleted", PAUSED),
        (400, "Bad Request: have no access to the chat", PAUSED),
        (400, "Bad Request: message thread not found", PAUSED),
        (400, "Bad Request: can't parse entities: unexpected end", REJECTED),
        (400, "Bad Request: message is too long", REJECTED),
        (400, "Bad Request: message text is empty", REJECTED),
        (400, "Bad Request: something new", REJECTED),
        (401, "Unauthorized", PAUSED),
        (403, "Forbidden: bot was blocked by the user", PAUSED),
        (403, "Forbidden: user is deactivated", PAUSED),
        (403, "Forbidden: bot was kicked from the group chat", PAUSED),
        (404, "Not Found", PAUSED),
        (409, "Conflict: terminated by other getUpdates request", RETRIED),
        (421, "Misdirected Request", PAUSED),
        (500, "Internal Server Error", RETRIED),
    ):
        told = json_of(ok=False, error_code=code, description=text)
        yield case(fault=f"{code} {text}", broken=answering(reply(code, told)), verdict=verdict)
    for fault, members, lines, wait_s in (
        ("429 in the body", {"parameters": {"retry_after": 37}}, {}, 37.0),
        ("429 for an overload", {"parameters": {"retry_after": 60}}, {}, 60.0),
        ("429 in the header", {}, {"retry-after": "90"}, 90.0),
        ("429 without a word", {}, {}, _UNTOLD_S),
    ):
        told = json_of(ok=False, error_code=429, description="Too Many Requests", **members)
        broken = answering(reply(429, told, lines))
        yield case(fault=fault, broken=broken, verdict=WAITS, wait_s=wait_s)
    for fault, body in _ODD.items():
        yield case(fault=f"403, {fault}", broken=answering(reply(403, body)), verdict=PAUSED)
    moved = json_of(
        ok=False, error_code=400, description="moved", parameters={"migrate_to_chat_id": -1007}
    )
    broken = answering(reply(400, moved), reply(200, YES["telegram"]))
    yield case(fault="the group has moved", broken=broken, verdict=DELIVERED)
    yield case(
        fault="the group moves for ever", broken=answering(reply(400, moved)), verdict=RETRIED
    )


def _email() -> Iterator[Case]:
    case = functools.partial(Case, kind="email")
    yield case(fault="refuses", broken=http.refusing(), verdict=RETRIED)
    yield case(fault="half open", broken=http.half_open(), verdict=RETRIED, hangs=True)
    login = {"username": "ops", "password": "sesame"}
    for place, said, verdict in _smtp_replies():
        yield case(
            fault=f"{place}: {said}",
            broken=smtp.answering(**{place: said}),
            verdict=verdict,
            settings={
                **({"tls": "starttls"} if place == "starttls" else {}),
                **(login if place == "auth" else {}),
            },
            hangs=said == smtp.SILENCE,
            is_mendable=place != "starttls",
        )


def _smtp_replies() -> Iterator[tuple[str, str, Verdict]]:
    for place in smtp.PLACES:
        if place != "quit":  # by then it is delivered
            is_late = place == "end"
            # Once the mail is on its way nobody knows what has arrived.
            yield place, smtp.SILENCE, UNKNOWN if place in ("data", "end") else RETRIED
            yield place, smtp.CUT, UNKNOWN if place in ("data", "end") else RETRIED
            yield place, "421 4.3.2 closing", RETRIED
            yield place, "421 5.7.0 closing", RETRIED
            yield place, "451 4.3.0 not now", RETRIED
            yield place, "554 5.7.1 never", REJECTED if is_late or place == "data" else PAUSED
    yield "quit", smtp.CUT, DELIVERED
    yield "quit", "500 what", DELIVERED
    yield "greeting", "HTTP/1.1 400 Bad Request", RETRIED
    yield "greeting", "220-" + "x" * 40_000, RETRIED
    yield "ehlo", "\r\n".join(["250-x" * 20] * 1_000), RETRIED
    yield "auth", "535 5.7.8 wrong", PAUSED
    yield "auth", "454 4.7.0 not now", RETRIED
    yield from _smtp_codes()


def _smtp_codes() -> Iterator[tuple[str, str, Verdict]]:
    for place, codes in {
        "mail": {"450": RETRIED, "452": RETRIED, "455": RETRIED, "530": PAUSED, "550": PAUSED,
                 "552": REJECTED, "553": PAUSED},
        "rcpt": {"450": RETRIED, "452": RETRIED, "550": PAUSED, "551": PAUSED, "552": RETRIED,
                 "553": PAUSED, "554": PAUSED, "550 4.7.1": RETRIED, "452 5.1.1": PAUSED},
        "end": {"450": RETRIED, "452": RETRIED, "454": RETRIED, "550": REJECTED,
                "552 5.2.2": RETRIED, "552": REJECTED, "554": REJECTED, "550 4.7.0": RETRIED},
    }.items():  # fmt: skip
        for code, verdict in codes.items():
            yield place, f"{code} said", verdict

"""Every fault of every kind of far side."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tests.laboratory import http, names, smtp
from tests.laboratory.answers import answers
from tests.laboratory.case import YES, Case, Verdict, well
from tests.laboratory.http import answering, raw
from tests.laboratory.tls import Authority
from tests.notifiers.far_side import Behaviour, drip, flood, reply, silence

DELIVERED, RETRIED, UNKNOWN = Verdict.DELIVERED, Verdict.RETRIED, Verdict.UNKNOWN

_OVER_HTTP: Final = ("webhook", "discord", "telegram")


def cases(authority: Authority) -> Sequence[Case]:
    """All of them; those of each kind stand apart, so that every tenth is a fair sample."""
    return (
        *_connections(),
        *_encryption(authority),
        *_lasting(),
        *_lookups(),
        *answers(),
    )


def _connections() -> Iterator[Case]:
    for kind in _OVER_HTTP:
        case = functools.partial(Case, kind=kind)
        yield case(fault="refuses", broken=http.refusing(), verdict=RETRIED)
        yield case(fault="half open", broken=http.half_open(), verdict=RETRIED, hangs=True)
        yield case(fault="never reads", broken=http.deaf(), verdict=UNKNOWN, hangs=True)
        for fault, behaviour in (("never answers", silence()), ("drips", drip())):
            yield case(fault=fault, broken=answering(behaviour), verdict=UNKNOWN, hangs=True)
        for fault, behaviour in http.without_end(YES[kind]).items():
            yield case(fault=fault, broken=answering(behaviour), verdict=UNKNOWN)
        for fault, behaviour in _odd_but_well(YES[kind]).items():
            yield case(fault=fault, broken=answering(behaviour), verdict=DELIVERED)
        # Telegram says yes in its body alone; who cannot be understood there may have meant no.
        unclear = UNKNOWN if kind == "telegram" else DELIVERED
        for fault, behaviour in _unreadable(YES[kind]).items():
            yield case(fault=fault, broken=answering(behaviour), verdict=unclear)
        for status in (301, 302, 303, 307, 308):
            broken = answering(http.redirecting(status))
            yield case(fault=f"redirects with {status}", broken=broken, verdict=RETRIED)
        for status in (500, 502, 503, 504, 520, 599):
            yield case(fault=f"HTTP {status}", broken=answering(reply(status)), verdict=RETRIED)


def _odd_but_well(yes: bytes) -> Mapping[str, Behaviour]:
    length = b"content-length: %d\r\n\r\n" % len(yes)
    return {
        "takes its time": http.late(0.1, reply(200, yes)),
        "reset after the body": raw(http.HEAD + length, yes, reset=True),
        "drips and ends": raw(http.HEAD + length, *(yes[no : no + 1] for no in range(len(yes)))),
        "early hints first": raw(b"HTTP/1.1 103 Early Hints\r\n\r\n", http.HEAD + length + yes),
        "speaks on after the end": raw(http.HEAD + length + yes, b"HTTP/1.1 500 Oh\r\n\r\n"),
        "no length, then closed": raw(http.HEAD + b"\r\n", yes),
    }


def _unreadable(yes: bytes) -> Mapping[str, Behaviour]:
    return {
        "a body that is not JSON": reply(200, b"<html>fine</html>"),
        "a body of another form": reply(200, b'["ok"]'),
        "a body with wrong members": reply(200, b'{"id":7,"ok":"yes","code":"x"}'),
        "a body that nests too deep": reply(200, b'{"a":' + b"[" * 8_000),
        "a body that is not UTF-8": reply(200, b'{"id":"\xff","description":"\xff"}'),
        "no body": reply(200),
        "status 204": reply(204),
        "shorter by its Content-Length": raw(http.HEAD + b"content-length: 2\r\n\r\n", yes),
        "a packed body": http.packed(),
        "a body without end": flood(),
    }


def _lasting() -> Iterator[Case]:
    for kind in _OVER_HTTP:
        broken = answering(reply(500))
        yield Case(kind=kind, fault="HTTP 500 for ever", broken=broken, verdict=RETRIED, lasts=True)
    broken = smtp.answering(end="451 4.3.0 not now")
    yield Case(kind="email", fault="451 for ever", broken=broken, verdict=RETRIED, lasts=True)


def _encryption(authority: Authority) -> Iterator[Case]:
    faults = {
        "wrong name": authority.wrong_name,
        "expired": authority.expired,
        "self-signed": authority.self_signed,
        "TLS 1.0": authority.outdated,
    }
    for kind in _OVER_HTTP:
        for fault, context in faults.items():
            yield Case(
                kind=kind,
                fault=f"certificate: {fault}",
                broken=answering(reply(200, YES[kind]), tls=context()),
                verdict=RETRIED,
                is_encrypted=True,
            )


def _lookups() -> Iterator[Case]:
    here = names.finding("127.0.0.1")
    for kind in ("webhook", "discord", "telegram", "email"):
        case = functools.partial(Case, kind=kind, broken=well(kind))
        for fault, resolve in {
            "no such name": names.no_such_name(),
            "SERVFAIL": names.server_failure(),
            "a name without addresses": names.finding(),
        }.items():
            mended = names.changing(resolve, here)
            yield case(fault=f"DNS: {fault}", verdict=RETRIED, resolve=mended)
        slow = names.late(0.1, here)
        yield case(fault="DNS: takes its time", verdict=DELIVERED, resolve=slow)
        silent = names.changing(names.silence(), here)
        yield case(fault="DNS: silence", verdict=RETRIED, resolve=silent, hangs=True)
        refused = names.finding("127.0.0.9", "127.0.0.1")
        yield case(fault="DNS: the first address refuses", verdict=DELIVERED, resolve=refused)
        yield Case(
            kind=kind,
            fault="DNS: IPv6 is a black hole",
            broken=http.beside_black_hole(well(kind)),
            verdict=DELIVERED,
            resolve=names.finding(http.BLACK_HOLE, "127.0.0.1"),
        )

"""Ask for all that the OpenAPI document tells of, in every form, and hold the answers to it."""

import asyncio
import collections
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import schemathesis
from schemathesis import hooks
from schemathesis.engine import events, from_schema

from slowping.core import ids
from tests.acceptance.program import Machine, Server
from tests.torture.bar import Bar, Figure, Run, enough, never

EXAMPLES: Final = 1_000
"""For each operation."""

EXAMPLES_AT_LEAST: Final = 100
"""The same over all of them: of some there are not so many."""

CHAINS: Final = 300
"""Sequences of operations, each using what an earlier one has answered."""

SHORTEST_WITH_LIMITS: Final = 0.01

UNDOCUMENTED: Final = ("status_code_conformance", "unsupported_method", "allow_header_conformance")
BROKEN: Final = (
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
OPEN: Final = ("ignored_auth",)
CHECKS: Final = ("not_a_server_error", *UNDOCUMENTED, *BROKEN, *OPEN)

_ENDLESS: Final = "/slowping/v1/feed"
_UNKNOWN: Final = {"keys": ids.encode(ids.API_KEY, 0), "projects": ids.encode(ids.PROJECT, 0)}
_CONFIG: Final = """
[limits]
rate_limit = 0
[log]
level = "error"
[notifiers.discord]
api_base = "http://127.0.0.1:9"
[notifiers.telegram]
api_base = "http://127.0.0.1:9"
"""
"""Nobody listens there: what is sent never leaves the machine."""


class Seen:
    """What was asked and answered so far."""

    def __init__(self) -> None:
        self.requests = 0
        self.faults = 0
        self.unanswered = 0
        self.failures: collections.Counter[str] = collections.Counter()
        self.operations: set[str] = set()
        self.told: dict[tuple[str, str], str] = {}
        """The first failure of each operation and check, with the request that shows it."""

    def note(self, event: Any) -> None:
        """Count what an event of the engine tells."""
        if isinstance(event, events.NonFatalError):
            self.unanswered += 1
            self.told.setdefault((event.label, "error"), str(event.info.message))
        if isinstance(event, events.ScenarioFinished):
            for interaction in event.recorder.interactions.values():
                self._note_answer(interaction.response)
            for case in event.recorder.cases.values():
                self.operations.add(case.value.operation.label)
            for case_id, checks in event.recorder.checks.items():
                for check in checks:
                    if check.failure_info is not None:
                        self._note_failure(event.recorder, case_id, check)

    def _note_answer(self, response: Any) -> None:
        self.requests += 1
        if response is None:
            self.unanswered += 1
        elif response.status_code >= 500:
            self.faults += 1

    def _note_failure(self, recorder: Any, case_id: str, check: Any) -> None:
        failure = check.failure_info.failure
        answer = recorder.interactions[failure.case_id or case_id].response
        # Who has come with too many wrong keys is told so, which is no welcome either.
        if check.name in OPEN and answer is not None and answer.status_code == 429:
            return
        self.failures[check.name] += 1
        self.told.setdefault(
            (failure.operation, check.name), f"{failure}\n{check.failure_info.code_sample}"
        )

    def failed(self, checks: Sequence[str]) -> int:
        """How often one of these checks failed."""
        return sum(self.failures[name] for name in checks)


async def run(asked: Run) -> Sequence[Figure]:
    """Start the program, and put it to all phases of the test."""
    machine = Machine(asked.folder / "home")
    config = asked.folder / "config.toml"
    config.write_text(_CONFIG)
    async with machine.serving(asked.folder / "data", "--config", config) as server:
        protected = await _protected(server)
        seen, count = await asyncio.to_thread(_put_to_test, server, protected, asked)
    for (operation, check), words in sorted(seen.told.items()):
        asked.say(f"{operation}: {check}\n{words}\n")
    asked.say(f"{seen.requests:,} requests to {len(seen.operations)} operations")
    counted = {
        "answers of 500 or above": seen.faults,
        "requests without an answer": seen.unanswered,
        "answers that are not documented": seen.failed(UNDOCUMENTED),
        "answers that break their schema": seen.failed(BROKEN),
        "answers to who has no key": seen.failed(OPEN),
    }
    reached = len(seen.operations)
    return [
        enough("operations asked for", reached, count),
        enough("requests", seen.requests, count * asked.times(EXAMPLES_AT_LEAST)),
        *(never(what, number) for what, number in counted.items()),
    ]


async def _protected(server: Server) -> frozenset[str]:
    """What the test must not take away, or it is over: its own key, and that key's project."""
    async with server.client() as client:
        keys = [key.id for key in (await client.list_api_keys()).items]
        projects = [project.id for project in (await client.list_projects()).items]
    return frozenset(keys + projects)


def _put_to_test(server: Server, protected: frozenset[str], asked: Run) -> tuple[Seen, int]:
    config = schemathesis.Config.from_dict(_settings(server, asked))
    schema = schemathesis.openapi.from_url(f"{server.url}/slowping/v1/openapi.json", config=config)
    seen = Seen()
    with _spared(protected):
        for event in from_schema(schema).execute():
            seen.note(event)
            if isinstance(event, events.PhaseFinished) and event.phase.is_enabled:
                asked.say(f"after {event.phase.name.value.lower()}: {seen.requests:,} requests")
    return seen, schema.statistic.operations.selected


@contextlib.contextmanager
def _spared(protected: frozenset[str]) -> Iterator[None]:
    """Have the engine ask for what there is not, in place of what the run needs itself."""

    def before_call(context: Any, case: Any, kwargs: Mapping[str, Any]) -> None:
        del context, kwargs
        if case.path_parameters and case.path_parameters.get("id") in protected:
            kind = case.operation.path.split("/")[3]
            case.path_parameters["id"] = _UNKNOWN.get(kind, case.path_parameters["id"])

    schemathesis.hook(before_call)
    try:
        yield
    finally:
        hooks.unregister(before_call)


def _settings(server: Server, asked: Run) -> dict[str, Any]:
    key = server.admin_key
    return {
        "headers": {"Authorization": f"Bearer {key}", "X-API-Key": key},
        "workers": 1,  # with more, CPython 3.11 counts how deep `ast` is for all threads together
        "request-timeout": 20.0,
        "checks": {"enabled": False, **{name: {"enabled": True} for name in CHECKS}},
        "generation": {"max-examples": asked.times(EXAMPLES)},
        "phases": {
            # Every value at its limits: as many requests however few examples are asked for.
            "coverage": {"enabled": asked.scale >= SHORTEST_WITH_LIMITS},
            "stateful": {
                "generation": {"max-examples": asked.times(CHAINS)},
                # The other way, by addresses in answers, fails on texts that nearly are one.
                "inference": {"algorithms": ["dependency-analysis"]},
            },
        },
        "operations": [
            {
                "include-path": _ENDLESS,
                "request-timeout": 0.2,
                "max-stream-events": 1,
                "generation": {"max-examples": asked.times(EXAMPLES // 10)},
            }
        ],
    }


BAR = Bar(
    name="open_api",
    promise="Every operation answers as the OpenAPI document says, whatever is sent to it.",
    run=run,
)

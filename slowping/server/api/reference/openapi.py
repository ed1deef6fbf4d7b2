"""Write the OpenAPI document: our own endpoints, and the operations of the five dialects."""

import functools
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

import slowping
from slowping.core import errors, problem
from slowping.core.api_key import Scope
from slowping.core.errors import SlowpingError
from slowping.core.problem import Problem
from slowping.server.api.endpoint import EVENT_STREAM, PREFIX, Endpoint, Text
from slowping.server.api.services import DescribedDialect, DescribedOperation
from slowping.server.errors import CONDITIONS

Json = dict[str, Any]
"""Part of the document."""

_UNIONS: Final = (typing.Union, types.UnionType)
_COMPONENT: Final = "#/components/schemas/"
_SCHEMES: Final[Mapping[bytes, str]] = {b"authorization": "bearer", b"x-api-key": "apiKey"}
"""The names under which the document tells of the headers that hold a key."""

_RATE_HEADERS: Final[Mapping[str, str]] = {
    "X-RateLimit-Limit": "Requests a minute that the key may make.",
    "X-RateLimit-Remaining": "How many of them are left.",
    "X-RateLimit-Reset": "When the minute ends, in Unix seconds.",
}
_ABOUT: Final = (
    "slowping takes events over HTTP, keeps them, and delivers them to channels such as Discord, "
    "Telegram, e-mail and webhooks. Its own API stands under `/slowping/v1`; what stands outside "
    "are the five dialects, in which clients of other services are answered as they expect."
)


class Schemas:
    """JSON schemas of types; what they share is gathered once."""

    def __init__(self) -> None:
        self.components: Json = {}

    def of(self, wanted: Any) -> Json:
        """The schema of any type that msgspec understands.

        Raises:
            ValueError: two types of the same name look different.
        """
        if typing.get_origin(wanted) in _UNIONS:
            # One by one: msgspec itself refuses a union of structs, which nobody has to decode.
            return {"anyOf": [self.of(arm) for arm in typing.get_args(wanted)]}
        (schema,), components = msgspec.json.schema_components(
            (wanted,), ref_template=_COMPONENT + "{name}"
        )
        for name, component in components.items():
            if self.components.setdefault(name, component) != component:
                raise ValueError(f"two types named {name} look different")
        return schema

    def members(self, wanted: type) -> Mapping[str, Json]:
        """The schemas of a struct's members, without the struct itself."""
        name = self.of(wanted)["$ref"].removeprefix(_COMPONENT)
        members: Mapping[str, Json] = self.components.pop(name)["properties"]
        return members


def document(endpoints: Sequence[Endpoint[Any, Any]], dialects: Sequence[DescribedDialect]) -> Json:
    """The whole document, as JSON has it."""
    schemas = Schemas()
    schemas.of(Problem)
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        place = paths.setdefault(PREFIX + endpoint.path, {})
        place[endpoint.method.lower()] = _own(schemas, endpoint)
    for path, method, operation in _foreign_operations(schemas, dialects):
        place = paths.setdefault(path, {})
        known = place.get(method)
        place[method] = operation if known is None else merged(known, operation)
    _tell_wrong_methods(schemas, dialects, paths)
    tags = [_tag(endpoint) for endpoint in endpoints] + [dialect.name for dialect in dialects]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "slowping",
            "version": slowping.__version__,
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(tags)],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": _problem_responses(),
            "headers": {
                name: {"description": words, "schema": {"type": "integer"}}
                for name, words in _RATE_HEADERS.items()
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


# Our own --------------------------------------------------------------------------------------


def _own(schemas: Schemas, endpoint: Endpoint[Any, Any]) -> Json:
    operation: Json = {
        "operationId": f"{endpoint.method.lower()}_{_slug(endpoint.path)}",
        "summary": endpoint.summary,
        "description": endpoint.handle.__doc__ or endpoint.summary,
        "tags": [_tag(endpoint)],
        "security": _security(endpoint.scope),
        "parameters": _parameters(schemas, endpoint),
        "responses": {
            str(endpoint.status): _success(schemas, endpoint),
            **{
                str(status): {"$ref": f"#/components/responses/Problem{status}"}
                for status in sorted({CONDITIONS[kind][0] for kind in _refusals(endpoint)})
            },
        },
    }
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": endpoint.body_required,
            "content": _json(schemas.of(endpoint.body)),
        }
    return operation


def _success(schemas: Schemas, endpoint: Endpoint[Any, Any]) -> Json:
    success: Json = {"description": "No content" if endpoint.answer is None else "Done"}
    if endpoint.answer is Text:
        success["content"] = {endpoint.media_type: {}}
    elif endpoint.answer is not None:
        schema = schemas.of(endpoint.answer)
        if endpoint.media_type == EVENT_STREAM:
            schema = _streamed(schema)
        success["content"] = {endpoint.media_type: {"schema": schema}}
    if endpoint.scope is not None:
        success["headers"] = {
            name: {"$ref": f"#/components/headers/{name}"} for name in _RATE_HEADERS
        }
    return success


def _streamed(data: Json) -> Json:
    """Each event of a stream, as OpenAPI describes those: what is sent as JSON is a text there."""
    told = {"type": "string", "contentMediaType": "application/json", "contentSchema": data}
    text = {"type": "string"}
    return {
        "type": "object",
        "properties": {"id": text, "event": text, "data": told},
        "required": ["id", "event", "data"],
    }


def _parameters(schemas: Schemas, endpoint: Endpoint[Any, Any]) -> list[Json]:
    parameters: list[Json] = []
    if "{id}" in endpoint.path:
        parameters.append(
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
        )
    for name, schema in schemas.members(endpoint.query).items():
        parameters.append({"name": name, "in": "query", "schema": _given(schema)})
    if endpoint.repeatable:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "The promise that two requests with it are one.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            }
        )
    return parameters


def _given(schema: Json) -> Json:
    """The schema of a parameter where it is given: nobody can send null in a query."""
    arms = [arm for arm in schema.get("anyOf", ()) if arm != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    if not rest.get("default"):
        rest.pop("default", None)
    if len(arms) == 1:
        return {**arms[0], **rest}
    return {**rest, "anyOf": arms} if arms else rest


def _refusals(endpoint: Endpoint[Any, Any]) -> Iterable[type[SlowpingError]]:
    """What an endpoint may say no with."""
    yield from endpoint.refusals
    if endpoint.scope is not None:
        yield from (errors.UnknownApiKey, errors.Forbidden, errors.RateLimited, errors.Unavailable)
    if "{id}" in endpoint.path or "project" in endpoint.query.__struct_fields__:
        yield errors.NotFound
    if endpoint.body is not None:
        yield from (errors.InvalidJson, errors.InvalidInput, errors.TooLarge)
        yield from (errors.UnsupportedEncoding, errors.SlowBody)
    if endpoint.query.__struct_fields__:
        yield errors.InvalidInput


def _problem_responses() -> Json:
    by_status: dict[int, list[str]] = {}
    for kind, (status, _) in CONDITIONS.items():
        by_status.setdefault(status, []).append(f"`{problem.condition_of(kind)}`")
    return {
        f"Problem{status}": {
            "description": f"Conditions: {', '.join(names)}",
            "content": {problem.MEDIA_TYPE: {"schema": {"$ref": f"{_COMPONENT}Problem"}}},
        }
        for status, names in sorted(by_status.items())
    }


def _tag(endpoint: Endpoint[Any, Any]) -> str:
    """The noun: the name of the module that holds the handler."""
    return endpoint.handle.__module__.rpartition(".")[2]


# The dialects' --------------------------------------------------------------------------------


def _foreign_operations(
    schemas: Schemas, dialects: Sequence[DescribedDialect]
) -> Iterable[tuple[str, str, Json]]:
    for dialect in dialects:
        sending = dialect.operation
        also = [f"Answers at `{alias}` as well." for alias in dialect.aliases]
        yield (
            sending.path,
            sending.method.lower(),
            _foreign(schemas, dialect, sending, Scope.INGEST, also),
        )
        for extra in dialect.extras:
            operation = extra.operation
            told = _foreign(schemas, dialect, operation, extra.scope, ())
            yield operation.path, operation.method.lower(), told


def _tell_wrong_methods(
    schemas: Schemas, dialects: Sequence[DescribedDialect], paths: Mapping[str, Json]
) -> None:
    """Where dialects share a path, who asks as a client of one that lacks the method hears so."""
    for dialect in dialects:
        own = [dialect.operation, *(extra.operation for extra in dialect.extras)]
        for path in {operation.path for operation in own}:
            for told in paths[path].values():
                if dialect.name not in told["tags"]:
                    refused = told["responses"]["405"]
                    words = _json(schemas.of(dialect.operation.answers[405]))
                    refused["content"] = _either([refused["content"], words])


def _foreign(
    schemas: Schemas,
    dialect: DescribedDialect,
    operation: DescribedOperation,
    scope: Scope,
    description: Iterable[str],
) -> Json:
    in_path = re.findall(r"\{(\w+)\}", operation.path)
    parameters: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in in_path
    ]
    parameters += (
        {"name": name, "in": "query", "schema": _given(schemas.of(kind))}
        for name, kind in operation.query.items()
    )
    told: Json = {
        "operationId": f"{dialect.name}_{operation.method.lower()}_{_slug(operation.path)}",
        "summary": operation.summary,
        "description": " ".join((f"In the dialect {dialect.name}.", *description)),
        "tags": [dialect.name],
        "security": [{_SCHEMES[dialect.key_header]: [scope.value]}],
        "parameters": parameters,
        "responses": {
            str(status): {
                "description": "Done" if status < 400 else "Refused",
                "content": _json(schemas.of(kind)),
            }
            for status, kind in operation.answers.items()
        },
    }
    if operation.body is not None:
        told["requestBody"] = {"required": True, "content": _json(schemas.of(operation.body))}
    return told


def merged(one: Json, other: Json) -> Json:
    """Two operations that share path and method, told as alternatives: OpenAPI allows only one."""
    statuses = dict.fromkeys([*one["responses"], *other["responses"]])
    bodies = [told["requestBody"]["content"] for told in (one, other) if "requestBody" in told]
    both: Json = {
        "operationId": f"{one['operationId']}_or_{other['operationId']}",
        "summary": f"{one['summary']}, or: {other['summary']}",
        "description": f"{one['description']} {other['description']}",
        "tags": [*one["tags"], *other["tags"]],
        "security": [*one["security"], *other["security"]],
        "parameters": list(
            {(told["in"], told["name"]): told for told in one["parameters"] + other["parameters"]}
            .values()
        ),
        "responses": {
            status: {
                "description": "Done" if int(status) < 400 else "Refused",
                "content": _either(
                    [
                        told["responses"][status]["content"]
                        for told in (one, other)
                        if status in told["responses"]
                    ]
                ),
            }
            for status in statuses
        },
    }  # fmt: skip
    if bodies:
        both["requestBody"] = {"required": True, "content": _either(bodies)}
    return both


def _either(contents: Sequence[Json]) -> Json:
    """`anyOf`, not `oneOf`: a body that fits both is legal."""
    schemas: list[Json] = []
    for content in contents:
        schema = content["application/json"]["schema"]
        arms = schema["anyOf"] if schema.keys() == {"anyOf"} else [schema]
        schemas += (arm for arm in arms if arm not in schemas)
    return _json(schemas[0] if len(schemas) == 1 else {"anyOf": schemas})


# For both -------------------------------------------------------------------------------------


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _security(scope: Scope | None) -> list[Json]:
    """Either header will do; the scope that it takes is told as a role."""
    return [] if scope is None else [{name: [scope.value]} for name in _SCHEMES.values()]


@functools.cache
def _slug(path: str) -> str:
    return re.sub(r"\W+", "_", path).strip("_")

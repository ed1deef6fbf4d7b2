import html.parser
import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from slowping.core import problem
from slowping.server.api import ENDPOINTS
from slowping.server.api.endpoint import PREFIX
from slowping.server.api.reference import Reference, openapi
from slowping.server.dialects import DIALECTS
from slowping.server.errors import CONDITIONS
from tests.conftest import RunningHouse


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    # As a reader gets it, not as Python holds it.
    reference = Reference(ENDPOINTS, DIALECTS)
    told: dict[str, Any] = json.loads(reference._json)
    return told


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, place in document["paths"].items()
        for method, operation in place.items()
    }


def test_every_endpoint_and_every_operation_of_a_dialect_is_told(document: dict[str, Any]) -> None:
    told = operations(document).keys()
    assert {(one.method, PREFIX + one.path) for one in ENDPOINTS} <= told
    for dialect in DIALECTS:
        for one in (dialect.operation, *(extra.operation for extra in dialect.extras)):
            assert (one.method, one.path) in told


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))):
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_every_schema_is_a_schema(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    assert "oneOf" not in json.dumps(document)


def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(names) == len(set(names))


def test_every_name_in_a_path_is_told(document: dict[str, Any]) -> None:
    for (_, path), operation in operations(document).items():
        told = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert told == set(re.findall(r"\{(\w+)\}", path))


def test_the_path_of_two_dialects_tells_both(document: dict[str, Any]) -> None:
    shared = operations(document)["POST", "/api/v1/events"]
    assert shared["tags"] == ["pingpanda", "adwize"]
    content = shared["requestBody"]["content"]["application/json"]["schema"]
    assert len(content["anyOf"]) >= 2
    assert {"200", "201"} <= shared["responses"].keys()
    refused = shared["responses"]["401"]["content"]["application/json"]["schema"]
    assert len(refused["anyOf"]) == 2


def test_a_method_that_one_of_two_dialects_lacks_is_refused_in_its_words(
    document: dict[str, Any],
) -> None:
    listing = operations(document)["GET", "/api/v1/events"]
    assert listing["tags"] == ["adwize"]
    refused = listing["responses"]["405"]["content"]["application/json"]["schema"]
    assert refused["anyOf"] == [
        {"$ref": "#/components/schemas/AdwizeRefused"},
        {"$ref": "#/components/schemas/PingRefused"},
    ]


def test_the_feed_tells_of_a_place_that_is_lost(document: dict[str, Any]) -> None:
    told = operations(document)["GET", "/slowping/v1/feed"]["responses"]["200"]["content"]
    data = told["text/event-stream"]["schema"]["properties"]["data"]
    arms = data["contentSchema"]["anyOf"]
    assert {"$ref": "#/components/schemas/FeedReset"} in arms
    # Nothing but nothing: what holds for the others is not loosened by it.
    schema = document["components"]["schemas"]["FeedReset"]
    assert (schema["properties"], schema["additionalProperties"]) == ({}, False)


def test_who_needs_a_key_is_told(document: dict[str, Any]) -> None:
    assert operations(document)["GET", "/slowping/v1/health/live"]["security"] == []
    assert operations(document)["POST", "/slowping/v1/projects"]["security"] == [
        {"bearer": ["admin"]},
        {"apiKey": ["admin"]},
    ]
    assert document["components"]["securitySchemes"].keys() == {"bearer", "apiKey"}


@pytest.mark.parametrize(
    ("method", "path", "schemes"),
    [
        ("POST", "/api/v1/event", [{"bearer": ["ingest"]}]),
        ("POST", "/api/slowstats/ingest-events", [{"apiKey": ["ingest"]}]),
        ("GET", "/api/v1/events", [{"apiKey": ["read"]}]),
        ("POST", "/api/v1/events", [{"bearer": ["ingest"]}, {"apiKey": ["ingest"]}]),
    ],
)
def test_a_dialect_takes_its_key_where_its_clients_send_it(
    document: dict[str, Any], method: str, path: str, schemes: list[dict[str, list[str]]]
) -> None:
    assert operations(document)[method, path]["security"] == schemes


def test_a_parameter_of_a_query_is_never_null(document: dict[str, Any]) -> None:
    for operation in operations(document).values():
        for parameter in operation["parameters"]:
            assert '"null"' not in json.dumps(parameter)


def test_types_of_one_name_have_to_look_alike() -> None:
    import msgspec

    schemas = openapi.Schemas()
    schemas.of(msgspec.defstruct("Twin", [("a", int)]))
    with pytest.raises(ValueError, match="Twin"):
        schemas.of(msgspec.defstruct("Twin", [("b", int)]))


async def test_the_document_is_served_without_a_key(
    house: RunningHouse, document: dict[str, Any]
) -> None:
    answer = await house.client.get("/slowping/v1/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == document


class Page(html.parser.HTMLParser):
    """What a page holds, loads and leads to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what matters."""
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            elif name in {"href", "src"}:
                self.links.add(value or "")


async def test_the_page_needs_no_script_and_nothing_from_elsewhere(house: RunningHouse) -> None:
    answer = await house.client.get("/slowping/v1/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert not page.tags & {"script", "link", "img", "iframe", "form"}
    inner = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert page.links - {f"#{link}" for link in inner} == {"/slowping/v1/openapi.json"}
    assert inner <= page.ids


async def test_the_page_tells_where_the_key_goes(house: RunningHouse) -> None:
    page = (await house.client.get("/slowping/v1/docs")).text
    assert "<code>admin</code>, with the key in <code>Authorization: Bearer</code> or" in page
    assert "<code>ingest</code>, with the key in <code>X-API-Key</code>." in page


async def test_the_type_of_every_problem_leads_to_its_place(house: RunningHouse) -> None:
    page = Page((await house.client.get("/slowping/v1/docs")).text)
    assert {problem.condition_of(kind) for kind in CONDITIONS} <= page.ids


async def test_the_page_can_do_nothing_but_be_read(house: RunningHouse) -> None:
    answer = await house.client.get("/slowping/v1/docs")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "<script" not in answer.text

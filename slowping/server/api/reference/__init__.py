"""Hand out the reference: the OpenAPI document, and a page made from it for people."""

import functools
import pathlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from slowping.core import problem
from slowping.server.api.endpoint import PREFIX, Call, Endpoint, Text
from slowping.server.api.listing import NoQuery
from slowping.server.api.reference import openapi
from slowping.server.api.services import DescribedDialect
from slowping.server.errors import CONDITIONS

_TEMPLATE: Final = pathlib.Path(__file__).with_name("page.html.jinja")


class Reference:
    """Both forms, made when they are asked for first and kept."""

    def __init__(
        self, endpoints: Sequence[Endpoint[Any, Any]], dialects: Sequence[DescribedDialect]
    ) -> None:
        self.endpoints: tuple[Endpoint[Any, Any], ...] = (
            Endpoint(
                method="GET",
                path="/openapi.json",
                summary="Read the OpenAPI document",
                scope=None,
                handle=self.tell_document,
                answer=Text,
            ),
            Endpoint(
                method="GET",
                path="/docs",
                summary="Read the reference as a page",
                scope=None,
                handle=self.tell_page,
                answer=Text,
                media_type="text/html",
            ),
        )
        self._described = (*endpoints, *self.endpoints)
        self._dialects = dialects

    async def tell_document(self, call: Call[NoQuery, None]) -> Text:
        """For programs."""
        del call
        return Text(content=self._json, media_type="application/json")

    async def tell_page(self, call: Call[NoQuery, None]) -> Text:
        """For people; it needs no script and nothing from elsewhere."""
        del call
        return Text(content=self._page, media_type="text/html; charset=utf-8")

    @functools.cached_property
    def _json(self) -> bytes:
        return msgspec.json.encode(self._document())

    @functools.cached_property
    def _page(self) -> bytes:
        import jinja2  # most servers are never asked for the page

        environment = jinja2.Environment(
            autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
        )
        template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
        conditions = [
            (problem.condition_of(kind), status, title, (kind.__doc__ or "").partition("\n")[0])
            for kind, (status, title) in CONDITIONS.items()
        ]
        page = template.render(
            document=self._document(), conditions=conditions, json_at=f"{PREFIX}/openapi.json"
        )
        return page.encode()

    def _document(self) -> openapi.Json:
        return openapi.document(self._described, self._dialects)

import ast
import json
import shlex

import pytest

from slowping.core import text
from slowping.tui.snippets import services, writing
from slowping.tui.snippets.keys import NO_KEY
from slowping.tui.snippets.services import SERVICES, Service, Target
from slowping.tui.snippets.writing import LANGUAGES

NASTY = (
    'it\'s "$HOME" $(id) `id` ${x} #{y}',
    "back\\slash \\n \\u0041 \\' %s %d",
    "日本語 💰 é",
    "blank\u3164blank 💰",
    "!! {{x}} # & ; | <b> </script> /* // --",
    "-d @/etc/passwd",
)
"""Names that a category can have."""

OWN, SLOWSTATS, PINGPANDA, PINGPILOT, INTAKE, ADWIZE = SERVICES


def target(category: str = "sale", api_key: str | None = "slp_x") -> Target:
    return Target(
        server="http://127.0.0.1:7464/", project="shop", category=category, api_key=api_key
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_snippet_names_address_key_and_category(service: Service, language: str) -> None:
    code = writing.snippet(service, language, target())
    assert f"http://127.0.0.1:7464{service.path}" in code
    assert "slp_x" in code
    assert '"sale"' in code


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_key_that_is_not_known_has_a_place(language: str) -> None:
    assert NO_KEY in writing.snippet(PINGPANDA, language, target(api_key=None))


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_snippet_looks_as_it_is(service: Service, language: str, name: str) -> None:
    code = writing.snippet(service, language, target(name))
    assert text.visible(code) == code


@pytest.mark.parametrize("name", NASTY)
def test_a_shell_reads_the_name_as_it_is(name: str) -> None:
    words = shlex.split(writing.snippet(OWN, "curl", target(name)).replace("\\\n", " "))
    assert json.loads(words[-1])["category"] == name


@pytest.mark.parametrize("name", NASTY)
def test_python_reads_the_name_as_it_is(name: str) -> None:
    tree = ast.parse(writing.snippet(OWN, "Python", target(name)))
    assert name in {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}


def test_nothing_in_a_name_ends_the_quotes_of_a_shell() -> None:
    code = writing.snippet(OWN, "curl", target("'\"\\"))
    assert '"category": "\\u0027\\u0022\\u005c"' in code


def test_a_key_with_quotes_is_quoted() -> None:
    code = writing.snippet(ADWIZE, "curl", target(api_key="it's$5"))
    assert "X-API-Key: it's$5" in shlex.split(code.replace("\\\n", " "))


@pytest.mark.parametrize(
    ("service", "name", "can"),
    [
        (OWN, "It's", True),
        (SLOWSTATS, "It's", True),
        (INTAKE, "It's", True),
        (ADWIZE, "It's", True),
        (PINGPANDA, "sale_2-a", True),
        (PINGPANDA, "Sale", False),
        (PINGPANDA, "x" * 51, False),
        (PINGPANDA, "sale\n", False),
        (PINGPILOT, "Sale-2", True),
        (PINGPILOT, "sale_2", False),
    ],
)
def test_what_a_service_can_name(service: Service, name: str, can: bool) -> None:
    assert service.can_name(name) is can


def test_curl_for_our_own_api() -> None:
    assert writing.snippet(OWN, "curl", target()) == (
        "curl http://127.0.0.1:7464/slowping/v1/events \\\n"
        "  -H 'Authorization: Bearer slp_x' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        "  -d '{\n"
        '    "category": "sale",\n'
        '    "project": "shop",\n'
        '    "description": "Hello from curl",\n'
        '    "fields": {"amount": 49.99, "customer": "Ann"}\n'
        "  }'"
    )


def test_services_that_cannot_name_a_category() -> None:
    assert services.strangers("sale") == ()
    assert services.strangers("Sale") == ("PingPanda",)
    assert services.strangers("sale_2") == ("PingPilot",)
    assert services.strangers("sale!") == ("PingPanda", "PingPilot")


def test_what_becomes_of_a_name_that_is_gone() -> None:
    told = services.once_gone("sale")
    assert "send to 'sale' are refused (404) where they speak PingPanda or PingPilot" in told
    assert "all others make a new category of that name" in told

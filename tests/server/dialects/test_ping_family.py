import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slowping.core import errors, ids
from slowping.core.event import EventDraft, Receipt
from slowping.server.dialects.pingpanda import PingPanda
from slowping.server.dialects.pingpilot import PingPilot
from slowping.server.dialects.port import Reply

PANDA, PILOT = PingPanda(), PingPilot()
FAMILY = pytest.mark.parametrize("dialect", [PANDA, PILOT], ids=["pingpanda", "pingpilot"])
Ping = PingPanda | PingPilot


def draft(dialect: Ping, **body: Any) -> EventDraft:
    [draft] = dialect.read(json.dumps(body).encode()).drafts
    return draft


def message(reply: Reply) -> str:
    body = json.loads(reply.body)
    assert list(body) == ["message"]
    text = body["message"]
    assert isinstance(text, str)
    return text


def said(dialect: Ping, body: bytes) -> str:
    with pytest.raises(errors.InvalidInput) as caught:
        dialect.read(body)
    reply = dialect.refusal(caught.value)
    assert reply.status == 422
    return message(reply)


def issues(dialect: Ping, body: bytes) -> list[dict[str, Any]]:
    found = json.loads(said(dialect, body))
    assert isinstance(found, list)
    return found


# Credentials --------------------------------------------------------------------------------


@FAMILY
@pytest.mark.parametrize(
    ("header", "key"),
    [
        (b"Bearer k", "k"),
        (b"  Bearer k\t", "k"),
        (b"Bearer k extra", "k"),
        (b"Bearer a.b_c-d", "a.b_c-d"),
    ],
)
def test_the_second_word_is_the_key(dialect: Ping, header: bytes, key: str) -> None:
    assert dialect.credentials({b"authorization": header}) == key


@FAMILY
@pytest.mark.parametrize(
    ("header", "condition", "text"),
    [
        (None, errors.NoCredential, "Unauthorized"),
        (b"", errors.NoCredential, "Unauthorized"),
        (b"  ", errors.NoCredential, "Unauthorized"),
        (
            b"Token x",
            errors.MalformedCredential,
            "Invalid auth header format. Expected: 'Bearer [API_KEY]'",
        ),
        (
            b"bearer k",
            errors.MalformedCredential,
            "Invalid auth header format. Expected: 'Bearer [API_KEY]'",
        ),
        (
            b"Bearer ",
            errors.MalformedCredential,
            "Invalid auth header format. Expected: 'Bearer [API_KEY]'",
        ),
        (
            b"Bearer\tk",
            errors.MalformedCredential,
            "Invalid auth header format. Expected: 'Bearer [API_KEY]'",
        ),
        (b"Bearer  k", errors.EmptyCredential, "Invalid API key"),
    ],
)
def test_each_way_to_get_the_header_wrong_has_its_text(
    dialect: Ping, header: bytes | None, condition: type[errors.Refused], text: str
) -> None:
    headers = {} if header is None else {b"authorization": header}
    with pytest.raises(condition) as caught:
        dialect.credentials(headers)
    reply = dialect.refusal(caught.value)
    assert (reply.status, message(reply)) == (401, text)


def test_the_key_of_another_header_is_not_read() -> None:
    with pytest.raises(errors.NoCredential):
        PANDA.credentials({b"x-api-key": b"k"})


# Bodies -------------------------------------------------------------------------------------


@FAMILY
def test_a_whole_event_becomes_a_draft(dialect: Ping) -> None:
    body = {
        "category": "sale",
        "fields": {"amount": 49.99, "customer": "john@example.com", "first": True, "n": 3},
        "description": "New sale completed!",
    }
    assert draft(dialect, **body) == EventDraft(
        category="sale",
        description="New sale completed!",
        fields={"amount": 49.99, "customer": "john@example.com", "first": True, "n": 3},
    )


@FAMILY
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"description": None},
        {"description": ""},
        {"fields": None},
        {"fields": {}},
        {"description": None, "fields": {}},
    ],
)
def test_null_and_empty_count_as_left_out(dialect: Ping, more: dict[str, Any]) -> None:
    assert draft(dialect, category="sale", **more) == EventDraft(category="sale")


@FAMILY
def test_true_stays_true_and_numbers_keep_their_kind(dialect: Ping) -> None:
    fields = draft(dialect, category="sale", fields={"a": True, "b": 1, "c": 49.0}).fields
    assert [type(value) for value in fields.values()] == [bool, int, float]


@FAMILY
def test_integers_beyond_64_bits_become_text(dialect: Ping) -> None:
    fields = draft(dialect, category="bug", fields={"a": 99999999999999999999999}).fields
    assert fields == {"a": "99999999999999999999999"}


@FAMILY
def test_nul_is_replaced(dialect: Ping) -> None:
    made = draft(dialect, category="bug", description="a\0b", fields={"c\0": "d\0"})
    assert (made.description, made.fields) == ("a\ufffdb", {"c\ufffd": "d\ufffd"})


@FAMILY
def test_of_duplicate_members_the_last_one_wins(dialect: Ping) -> None:
    [made] = dialect.read(b'{"category":"bug","fields":{"a":1,"a":2}}').drafts
    assert made.fields == {"a": 2}


@pytest.mark.parametrize("name", ["a", "a_b", "a-b", "0", "_", "a" * 50])
def test_pingpanda_takes_lower_case_names(name: str) -> None:
    assert draft(PANDA, category=name).category == name


@pytest.mark.parametrize("name", ["a", "Sale", "user-signup", "0", "-", "a" * 51])
def test_pingpilot_takes_both_cases(name: str) -> None:
    assert draft(PILOT, category=name).category == name


@pytest.mark.parametrize("name", ["Sale", "a b", "ä", "a\n", "bug\u0000", "a~", "\u0661"])
def test_pingpanda_names_the_letters_it_takes(name: str) -> None:
    assert issues(PANDA, json.dumps({"category": name}).encode()) == [
        {
            "validation": "regex",
            "code": "invalid_string",
            "message": "Category name can only contain lowercase letters, numbers, hyphens or "
            "underscores.",
            "path": ["category"],
        }
    ]


@pytest.mark.parametrize("name", ["a_b", "a b", "ä", "a\n", "\u0661"])
def test_pingpilot_names_the_letters_it_takes(name: str) -> None:
    assert issues(PILOT, json.dumps({"category": name}).encode()) == [
        {
            "validation": "regex",
            "code": "invalid_string",
            "message": "Category name can only contain letters, numbers or hypens.",
            "path": ["category"],
        }
    ]


def test_pingpanda_says_how_long_a_name_may_be() -> None:
    assert issues(PANDA, b'{"category":"%s"}' % (b"a" * 51)) == [
        {
            "code": "too_big",
            "maximum": 50,
            "type": "string",
            "inclusive": True,
            "exact": False,
            "message": "Category name can have at most 50 characters.",
            "path": ["category"],
        }
    ]


# What zod says ------------------------------------------------------------------------------


@FAMILY
def test_a_missing_category_is_required(dialect: Ping) -> None:
    assert said(dialect, b"{}") == (
        "[\n"
        "  {\n"
        '    "code": "invalid_type",\n'
        '    "expected": "string",\n'
        '    "received": "undefined",\n'
        '    "path": [\n'
        '      "category"\n'
        "    ],\n"
        '    "message": "Required"\n'
        "  }\n"
        "]"
    )


@FAMILY
@pytest.mark.parametrize(
    ("body", "received"),
    [
        (b"[]", "array"),
        (b'[{"category":"sale"}]', "array"),
        (b"null", "null"),
        (b"1", "number"),
        (b"1.5", "number"),
        (b"true", "boolean"),
        (b'"x"', "string"),
    ],
)
def test_a_body_that_is_no_object_is_named(dialect: Ping, body: bytes, received: str) -> None:
    assert said(dialect, body) == (
        "[\n"
        "  {\n"
        '    "code": "invalid_type",\n'
        '    "expected": "object",\n'
        f'    "received": "{received}",\n'
        '    "path": [],\n'
        f'    "message": "Expected object, received {received}"\n'
        "  }\n"
        "]"
    )


@FAMILY
@pytest.mark.parametrize(
    ("value", "received"),
    [
        ("1", "number"),
        ("null", "null"),
        ("[]", "array"),
        ("{}", "object"),
        ("true", "boolean"),
    ],
)
def test_a_category_of_another_type_is_named(dialect: Ping, value: str, received: str) -> None:
    assert issues(dialect, f'{{"category":{value}}}'.encode()) == [
        {
            "code": "invalid_type",
            "expected": "string",
            "received": received,
            "path": ["category"],
            "message": f"Expected string, received {received}",
        }
    ]


def test_an_empty_category_is_two_issues() -> None:
    found = issues(PILOT, b'{"category":""}')
    assert [list(issue.items()) for issue in found] == [
        [
            ("code", "too_small"),
            ("minimum", 1),
            ("type", "string"),
            ("inclusive", True),
            ("exact", False),
            ("message", "Category name is required."),
            ("path", ["category"]),
        ],
        [
            ("validation", "regex"),
            ("code", "invalid_string"),
            ("message", "Category name can only contain letters, numbers or hypens."),
            ("path", ["category"]),
        ],
    ]


@FAMILY
def test_a_bad_field_is_a_union_in_a_union(dialect: Ping) -> None:
    [issue] = issues(dialect, b'{"category":"bug","fields":{"ok":1,"x":null}}')
    path = ["fields", "x"]

    def wrong(expected: str) -> dict[str, Any]:
        text = f"Expected {expected}, received null"
        kind = {"code": "invalid_type", "expected": expected, "received": "null"}
        return {"issues": [{**kind, "path": path, "message": text}], "name": "ZodError"}

    inner = {
        "code": "invalid_union",
        "unionErrors": [wrong("string"), wrong("number")],
        "path": path,
        "message": "Invalid input",
    }
    assert list(issue.items()) == [
        ("code", "invalid_union"),
        ("unionErrors", [{"issues": [inner], "name": "ZodError"}, wrong("boolean")]),
        ("path", path),
        ("message", "Invalid input"),
    ]


@FAMILY
def test_unknown_members_are_named_in_one_issue(dialect: Ping) -> None:
    [issue] = issues(dialect, b'{"foo":1,"category":"bug","bar":2}')
    assert list(issue.items()) == [
        ("code", "unrecognized_keys"),
        ("keys", ["foo", "bar"]),
        ("path", []),
        ("message", "Unrecognized key(s) in object: 'foo', 'bar'"),
    ]


@FAMILY
def test_issues_come_in_the_order_of_the_schema_and_strangers_last(dialect: Ping) -> None:
    body = b'{"zzz":1,"description":1,"fields":[],"category":1}'
    assert [(issue["code"], issue["path"]) for issue in issues(dialect, body)] == [
        ("invalid_type", ["category"]),
        ("invalid_type", ["fields"]),
        ("invalid_type", ["description"]),
        ("unrecognized_keys", []),
    ]


@FAMILY
@pytest.mark.parametrize("value", [{"b": 1}, [1], None])
def test_fields_hold_scalars_only(dialect: Ping, value: Any) -> None:
    body = json.dumps({"category": "bug", "fields": {"a": value}}).encode()
    assert [issue["code"] for issue in issues(dialect, body)] == ["invalid_union"]


@FAMILY
@pytest.mark.parametrize("value", [1, None])
def test_more_fields_than_the_limit_are_one_issue(dialect: Ping, value: Any) -> None:
    fields = {f"k{number}": value for number in range(101)}
    [issue] = issues(dialect, json.dumps({"category": "bug", "fields": fields}).encode())
    assert (issue["code"], issue["message"]) == ("custom", "An event has at most 100 fields.")


@FAMILY
def test_what_is_no_json_is_400(dialect: Ping) -> None:
    with pytest.raises(errors.InvalidJson) as caught:
        dialect.read(b"{")
    reply = dialect.refusal(caught.value)
    assert (reply.status, message(reply)) == (400, "Invalid JSON request body")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)  # fmt: skip


@given(
    value=JSON_VALUES
    | st.fixed_dictionaries(
        {},
        optional={
            "category": st.sampled_from(["sale", "Sale", "a_b", ""]) | JSON_VALUES,
            "fields": JSON_VALUES,
            "description": JSON_VALUES,
            "foo": JSON_VALUES,
        },
    )
)
def test_every_refused_body_has_at_least_one_issue(value: Any) -> None:
    body = json.dumps(value).encode()
    for dialect in (PANDA, PILOT):
        assert problem_of(dialect, body) != []


def problem_of(dialect: Ping, body: bytes) -> list[object] | None:
    try:
        dialect.read(body)
    except errors.InvalidInput as error:
        return list(error.issues)
    return None


# Answers ------------------------------------------------------------------------------------


@FAMILY
@pytest.mark.parametrize("deduplicated", [False, True])
def test_the_receipt_has_the_event_id(dialect: Ping, deduplicated: bool) -> None:
    receipt = Receipt(first_event_id=7, count=1, received_at=0, deduplicated=deduplicated)
    assert dialect.receipt(receipt, 0) == Reply(
        200,
        b'{"message":"Event processed successfully","eventId":"%s"}'
        % ids.encode("evt", 7).encode(),
    )


@FAMILY
@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (errors.UnknownApiKey(), 401, "Invalid API key"),
        (
            errors.NoDestination("discord"),
            403,
            "Please enter your discord ID in your account settings",
        ),
        (
            errors.NoDestination("telegram"),
            403,
            "Telegram username not set. Please set your telegram username in your account "
            "settings to receive notifications",
        ),
        (errors.ForeignOrigin("https://evil.test"), 403, "Origin not allowed"),
        (
            errors.QuotaReached(100),
            429,
            "Monthly quota reached. Please upgrade your plan for more events",
        ),
        (errors.UnknownCategory('a"b'), 404, 'You dont have a category named "a"b"'),
        (errors.TooLarge(1), 413, "Request body too large"),
        (errors.SlowBody(), 408, "Request timeout"),
        (errors.UnsupportedEncoding("gzip"), 415, "Unsupported content encoding"),
        (
            errors.IdempotencyKeyReused(),
            422,
            "Idempotency-Key was already used with a different request.",
        ),
        (errors.UnknownPath(), 404, "Not found"),
        (errors.WrongMethod(["POST"]), 405, "Method not allowed"),
        (errors.Unavailable("disk full"), 503, "Service unavailable. Please try again later."),
        (errors.SlowpingError("secret"), 500, "Internal server error"),
        (errors.NotFound("event", "x"), 500, "Internal server error"),
    ],
)
def test_every_condition_has_its_words(
    dialect: Ping, error: errors.SlowpingError, status: int, text: str
) -> None:
    reply = dialect.refusal(error)
    assert (reply.status, message(reply)) == (status, text)


@FAMILY
def test_the_category_is_quoted_in_the_json(dialect: Ping) -> None:
    reply = dialect.refusal(errors.UnknownCategory("sale"))
    assert reply.body == b'{"message":"You dont have a category named \\"sale\\""}'


@FAMILY
def test_the_minute_limit_says_when_to_come_back(dialect: Ping) -> None:
    assert dialect.refusal(errors.RateLimited(45)) == Reply(
        429, b'{"message":"Rate limit exceeded. Please try again later.","retryAfter":45}'
    )

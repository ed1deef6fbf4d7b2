import email.message
import email.parser
import email.policy
import html.parser

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slowping.core.notification import Notification
from slowping.notifiers.email import message as messages
from slowping.notifiers.email.message import Letterhead
from tests.notifiers.samples import bug
from tests.vectors import vectors

LETTERHEAD = Letterhead(
    sender="slowping@example.test",
    sender_name="slowping",
    to="me@example.test",
    message_id_domain="example.test",
)
HEADERS = [
    "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
]  # fmt: skip


def parsed(*batch: Notification) -> email.message.EmailMessage:
    parser = email.parser.BytesParser(policy=email.policy.default)
    message = parser.parsebytes(messages.write(batch, LETTERHEAD))
    assert isinstance(message, email.message.EmailMessage)
    return message


def text_of(*batch: Notification) -> str:
    part = parsed(*batch).get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def page_of(*batch: Notification) -> str:
    part = parsed(*batch).get_body(("html",))
    assert part is not None
    return str(part.get_content())


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def tags_of(*batch: Notification) -> _Tags:
    tags = _Tags()
    tags.feed(page_of(*batch))
    return tags


def test_the_text_says_everything() -> None:
    assert text_of(bug()) == (
        "Category: 🐛 Bug\n"
        "Description: Critical database connection error\n"
        "Color Code: #E74C3C\n"
        "Timestamp: 2026-03-06T10:30:00.000Z\n"
        "\n"
        "Details:\n"
        "  severity: high\n"
        "  retry_count: 3\n"
    )


def test_the_page_says_the_same() -> None:
    told = " ".join(tags_of(bug()).text.split())
    assert told.endswith(
        "Category 🐛 Bug Description Critical database connection error Color Code #E74C3C"
        " Timestamp 2026-03-06T10:30:00.000Z Details severity high retry_count 3"
    )


def test_the_colour_bar_is_a_table_cell_with_both_kinds_of_background() -> None:
    cells = [
        found for tag, found in tags_of(bug()).tags if tag == "td" and found.get("width") == "6"
    ]
    assert [cell["bgcolor"] for cell in cells] == ["#E74C3C"]
    assert "background-color:#E74C3C" in (cells[0]["style"] or "")


def test_without_description_and_fields_their_rows_are_left_out() -> None:
    quiet = bug(body="", fields=())
    assert text_of(quiet) == (
        "Category: 🐛 Bug\nColor Code: #E74C3C\nTimestamp: 2026-03-06T10:30:00.000Z\n"
    )
    assert "Details" not in page_of(quiet)


def test_further_lines_of_a_text_cannot_pass_for_ours() -> None:
    forged = bug(body="fine\r\nTimestamp: never", fields=(("a\nb: c", "1\n  d: 2"),))
    assert "Description: fine\n    Timestamp: never\n" in text_of(forged)
    assert "  a b: c: 1\n      d: 2\n" in text_of(forged)
    assert "fine<br>Timestamp: never" in page_of(forged)


# Headers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batch", "subject"),
    [
        ([bug()], "🐛 Bug"),
        ([bug(dialect="pingpilot")], "PingPilot Alert"),
        ([bug(dialect="pingpilot")] * 2, "2 notifications: PingPilot Alert"),
        ([bug(), bug(), bug(title="💰 Sale")], "3 notifications: 🐛 Bug, 💰 Sale"),
        ([bug(title="x" * 200)], "x" * 149 + "…"),
        ([bug(title="\n")], "Notification"),
        ([bug(), bug(title="\n")], "2 notifications: 🐛 Bug"),
        ([bug(title="\n"), bug(title="")], "2 notifications"),
    ],
)
def test_the_subject_is_the_title_or_says_how_many(batch: list[Notification], subject: str) -> None:
    assert parsed(*batch)["Subject"] == subject


def test_message_id_and_date_stay_the_same_over_attempts() -> None:
    first = messages.write([bug()], LETTERHEAD)
    assert first == messages.write([bug()], LETTERHEAD)
    assert parsed(bug())["Date"] == "Fri, 06 Mar 2026 10:30:00 +0000"
    assert parsed(bug())["Message-ID"].endswith("@example.test>")


def test_other_deliveries_have_another_message_id() -> None:
    other = bug(delivery_id=7_000_000_000_000_002)
    ids = {parsed(*batch)["Message-ID"] for batch in ([bug()], [other], [bug(), other])}
    assert len(ids) == 3


@pytest.mark.parametrize(
    "title",
    [
        *vectors("injection", "email_header"),
        "=?utf-8?q?x=0D=0ABcc: evil@example.test?= y",
        "=?utf-8?b?eA0KQmNjOiBldmls?=",
        "\ud800",
        "é " * 80,
        "\x85\u2028x",
    ],
)
def test_no_title_adds_or_changes_a_header(title: str) -> None:
    raw = messages.write([bug(title=title)], LETTERHEAD)
    head = raw.partition(b"\r\n\r\n")[0]
    assert parsed(bug(title=title)).keys() == HEADERS
    assert b"\r" not in head.replace(b"\r\n", b"")
    assert all(32 <= byte < 127 for byte in head.replace(b"\r\n", b""))
    assert max(map(len, head.split(b"\r\n"))) <= 100


@settings(deadline=None)  # the first mail loads the template engine
@given(st.text())
def test_every_title_makes_one_subject_line_of_encoded_words_that_fit(title: str) -> None:
    raw = messages.write([bug(title=title)], LETTERHEAD)
    assert parsed(bug(title=title)).keys() == HEADERS
    subject = raw.partition(b"\r\nFrom:")[0]
    assert all(len(line) <= 78 for line in subject.split(b"\r\n"))
    assert parsed(bug(title=title))["Subject"] == messages.subject([bug(title=title)])


def test_long_addresses_are_not_folded_into_encoded_words() -> None:
    domain = ".".join(["d" * 60] * 3) + ".test"
    long = msgspec.structs.replace(LETTERHEAD, to=f"me@{domain}", message_id_domain=domain)
    raw = messages.write([bug()], long)
    assert f"\r\nTo: me@{domain}\r\n".encode() in raw
    assert f"@{domain}>\r\n".encode() in raw
    assert b"=?" not in raw.partition(b"\r\nFrom:")[2].partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize(
    "title", ["x" * 70 + " é", "é) (=~ " * 20, "word " * 29, "a" * 150, "日本 語 " * 30, "é  é"]
)
def test_every_space_of_a_subject_arrives(title: str) -> None:
    sent = messages.subject([bug(title=title)])
    assert str(parsed(bug(title=title))["Subject"]) == sent


def test_every_line_ends_with_crlf_and_keeps_within_78_columns() -> None:
    raw = messages.write([bug(body="wide 日本語 " * 500)], LETTERHEAD)
    assert b"\n" not in raw.replace(b"\r\n", b"")
    body = raw.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 78


# What an event must not be able to do ---------------------------------------------------------


@pytest.mark.parametrize("text", vectors("injection", "email_html"))
def test_no_text_breaks_out_of_the_page(text: str) -> None:
    hostile = bug(title=text, body=text, fields=((text, text),))
    found = tags_of(hostile)
    plain = tags_of(bug(title="x", body="x", fields=(("x", "x"),)))
    assert found.tags == plain.tags
    assert found.text.count(text) == 5


def test_the_page_loads_and_runs_nothing() -> None:
    names = {tag for tag, _ in tags_of(bug(), bug()).tags}
    assert not names & {"img", "script", "style", "link", "a", "iframe", "form"}


@pytest.mark.parametrize("text", ["\x1b[31m", "\u202e", "\x00"])
def test_control_characters_become_visible(text: str) -> None:
    hostile = bug(title=text, body=text, fields=((text, text),))
    assert text not in text_of(hostile)
    assert text not in page_of(hostile)


# Size ----------------------------------------------------------------------------------------

HUGE = [
    bug(body="&" * 1_000_000),
    bug(body="\n" * 1_000 + "x" * 1_000_000 + "\n" * 10),
    bug(body="\n".join("'" * 20_000)),
    bug(title="<" * 10_000, body="🐛" * 100_000, fields=(("🐛" * 9_000, "&" * 90_000),) * 100),
    bug(fields=tuple((f"k{no}", "v") for no in range(1_000))),
    bug(fields=tuple((f"k{no}", '"' * 400) for no in range(100))),
]


@pytest.mark.parametrize("huge", HUGE)
def test_a_huge_notification_is_cut_where_one_can_see_it(huge: Notification) -> None:
    page = page_of(huge)
    assert len(page.encode()) <= messages.HTML_LIMIT
    assert "…" in page
    assert "…" in text_of(huge)


def test_what_is_left_out_is_counted() -> None:
    many = bug(fields=tuple((f"k{no}", "v") for no in range(1_000)))
    shown = text_of(many).count(": v\n")
    assert f"… and {1_000 - shown} more" in text_of(many)
    assert f"and {1_000 - shown} more" in page_of(many)


def test_marks_that_take_no_room_do_not_make_it_read_for_long() -> None:
    hidden = bug(fields=tuple((f"k{no}", "\u0301" * 4_000) for no in range(20)))
    assert messages.fits([bug(), hidden, hidden]) == 1
    shown = text_of(hidden)
    assert shown.endswith(f"… and {20 - shown.count('  k')} more\n")
    assert shown.count("  k") < 16


def test_ordinary_fields_are_all_shown() -> None:
    usual = bug(fields=tuple((f"field_{no}", "value " * 10) for no in range(100)))
    assert "field_99" in page_of(usual)


@pytest.mark.parametrize(
    "each",
    [
        bug(body="x" * 5_000),
        bug(title="", body="", fields=()),
        bug(fields=(("k", "v"),) * 30),
        bug(body="'\n" * 400, fields=(("<" * 90, "🐛" * 90),) * 3),
    ],
)
def test_a_digest_takes_as_many_as_fit_uncut(each: Notification) -> None:
    count = messages.fits([each] * 50)
    page = page_of(*[each] * count)
    assert 0.6 * messages.HTML_LIMIT < len(page.encode()) <= messages.HTML_LIMIT
    assert "…" not in page


def test_small_notifications_go_into_one_mail_and_a_huge_one_goes_alone() -> None:
    assert messages.fits([bug()] * 20) == 20
    assert messages.fits([HUGE[0], bug()]) >= 1
    assert messages.fits([HUGE[3]]) == 1

import datetime as dt
import json

import click
import pytest

from slowping.cli import output
from slowping.cli.output import Column, ExitCode
from slowping.client.whereabouts import Address
from slowping.core import errors
from slowping.core.project import Project

HOSTILE = "\x1b]0;owned\x07\x9b31m\u202ex\ny"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.Unreachable("no answer"), ExitCode.UNREACHABLE),
        (errors.UnknownApiKey(), ExitCode.REFUSED),
        (errors.NoCredential(), ExitCode.REFUSED),
        (errors.ForeignProject("shop"), ExitCode.REFUSED),
        (errors.InvalidInput("no"), ExitCode.WRONG_USAGE),
        (errors.NotFound("channel", "ops"), ExitCode.FAILED),
        (errors.NameTaken("channel", "ops"), ExitCode.FAILED),
        (errors.StoreUnusable("locked"), ExitCode.FAILED),
        (errors.ConfigError("no"), ExitCode.FAILED),
        (errors.UnexpectedAnswer("HTML"), ExitCode.FAILED),
    ],
)
def test_each_condition_has_its_exit_code(error: errors.SlowpingError, code: ExitCode) -> None:
    assert output.exit_code(error) == code


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (errors.UnknownApiKey(), "It came from the file /data/admin.key."),
        (errors.UnknownApiKey(), "the next start of the server makes one"),
        (errors.ForeignProject("shop"), "The key came from the file /data/admin.key."),
        (errors.ForeignProject("shop"), "slowping key create --name NAME --project shop"),
        (errors.Forbidden("Not you."), "Not you. The key came from the file /data/admin.key"),
    ],
)
def test_a_key_that_is_refused_is_told_by_its_place(error: errors.Refused, told: str) -> None:
    address = Address("http://a", "k", "the file /data/admin.key")
    assert told in output.in_words(error, address)
    for nobody in (None, Address("http://a", None)):
        assert output.in_words(error, nobody) == str(error)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (errors.ConfigError("a: wrong.\nb: wrong."), "slowping: a: wrong.\nslowping: b: wrong.\n"),
        (errors.InvalidInput("a\nslowping: b"), "slowping: a slowping: b\n"),
    ],
)
def test_what_is_wrong_in_a_configuration_has_a_line_each_and_nothing_else_has(
    error: errors.SlowpingError, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ctx = click.Context(click.Command("any"))
    with pytest.raises(click.exceptions.Exit), output.answering(ctx):
        raise error
    assert capsys.readouterr().err == told


@pytest.mark.parametrize("error", [errors.Unreachable("Gone."), errors.UnexpectedAnswer("Gone.")])
def test_a_server_that_nobody_named_is_told_by_who_remembers_it(
    error: errors.SlowpingError,
) -> None:
    remembered = Address("http://a", "k", "the memory", server_from="the memory")
    told = "Gone. This server is that of the memory: give another with --server."
    assert output.in_words(error, remembered) == told
    assert output.in_words(error, Address("http://a", "k", "the memory")) == "Gone."


def project(name: str) -> Project:
    return Project(
        id="prj_1",
        name=name,
        strict_destinations=False,
        allowed_origins=(),
        monthly_quota=None,
        created_at=dt.datetime(2026, 3, 6, tzinfo=dt.UTC),
    )


def test_json_keeps_its_value_but_shows_a_terminal_no_instruction(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.as_json([project(HOSTILE + "🐛ü")])
    printed = capsys.readouterr().out
    assert not set("\x1b\x07\x9b\u202e") & set(printed)
    assert "🐛ü" in printed
    assert json.loads(printed)[0]["name"] == HOSTILE + "🐛ü"


def test_a_table_shows_a_terminal_no_instruction(capsys: pytest.CaptureFixture[str]) -> None:
    output.table("things", [Column("NAME")], [(HOSTILE,)])
    printed = capsys.readouterr().out
    assert not set("\x1b\x07\x9b\u202e") & set(printed)
    assert printed.count("\n") == 2


def test_markup_in_a_table_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    output.table("things", [Column("NAME")], [("[bold]:bug: x[/bold]",)])
    assert "[bold]:bug: x[/bold]" in capsys.readouterr().out


def test_what_goes_into_a_pipe_is_a_line_a_row_with_long_texts_cut(
    capsys: pytest.CaptureFixture[str],
) -> None:
    columns = [Column("ID", whole=True), Column("NAME"), Column("WHY"), Column("HELP", prose=True)]
    output.table("things", columns, [("i" * 200, "a" * 119, "b" * 200, "word " * 50)])
    title, row = capsys.readouterr().out.splitlines()
    assert title.startswith("ID")
    assert row.split()[:3] == ["i" * 200, "a" * 119, "b" * 119 + "…"]
    assert row.count("word") == 50


def test_what_is_empty_is_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    output.table("things", [Column("NAME"), Column("WHY")], [("a", "")])
    output.details([("origins", "")])
    assert capsys.readouterr().out.splitlines()[1:] == ["a     -  ", "origins  -"]


def test_on_a_terminal_of_80_columns_ids_stay_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    columns = [
        Column("ID", whole=True), Column("CHANNEL"), Column("ATTEMPTS", whole=True),
        Column("STATE", whole=True), Column("CATEGORY"), Column("KIND"), Column("LAST ERROR"),
    ]  # fmt: skip
    why = "word " * 40
    output.table(
        "things", columns, [("dlv_0123456789abc", "ops", "1", "discarded", "a" * 9, "b" * 9, why)]
    )
    _, row = capsys.readouterr().out.splitlines()
    assert "dlv_0123456789abc" in row
    assert "ops" in row
    assert "…" in row


def test_on_a_terminal_prose_goes_on_below(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "80")
    output.table("things", [Column("KIND"), Column("HELP", prose=True)], [("a", "word " * 40)])
    printed = capsys.readouterr().out
    assert printed.count("word") == 40
    assert max(map(len, printed.splitlines())) <= 80


def test_where_there_is_no_room_a_long_text_stands_below_its_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [Column("ID", whole=True), Column("NAME"), Column("WHY", below=True)]
    rows = [("dlv_1", "ops", "word " * 20 + "\x1b[2J"), ("dlv_2", "team", "")]
    for name, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "60")
    output.table("things", columns, rows)
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert printed[0] == "ID     NAME"
    assert printed[1] == "dlv_1  ops"
    assert printed[2].startswith("  word word")
    assert printed[-1] == "dlv_2  team"
    assert sum(line.count("word") for line in printed) == 20
    assert "\x1b" not in "".join(printed)
    monkeypatch.setenv("COLUMNS", "160")
    output.table("things", columns, rows)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_an_empty_list_is_told_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    output.table("deliveries", [Column("ID")], [])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "slowping: No deliveries.\n"


def test_names_of_details_are_as_harmless_as_their_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.details([(HOSTILE, "x"), ("n" * 1_000, "y")])
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert max(map(len, printed.splitlines())) < 100


def test_details_are_one_pair_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.details([("id", "prj_1"), ("monthly quota", HOSTILE)])
    printed = capsys.readouterr().out
    assert printed.startswith("id             prj_1\n")
    assert printed.count("\n") == 2
    assert "\x1b" not in printed


def test_an_age_is_brief() -> None:
    assert output.age(dt.datetime.now(dt.UTC) - dt.timedelta(days=3, minutes=1)) == "3d"


def test_a_moment_that_never_came_is_a_dash() -> None:
    assert output.moment(None) == "-"
    assert output.age(None) == "-"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-5, "0s"), (0, "0s"), (59.9, "59s"), (60, "1m"), (3_600, "1h"), (86_399, "23h"),
     (86_400, "1d"), (34_560_000, "400d")],
)  # fmt: skip
def test_a_brief_span_has_one_unit(seconds: float, told: str) -> None:
    assert output.brief(dt.timedelta(seconds=seconds)) == told

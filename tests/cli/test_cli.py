import subprocess
import sys

import pytest
import rich_click as click
from click.testing import CliRunner

import slowping
from slowping import cli

HEAVY = {"litestar", "textual", "httpx", "aiosqlite", "uvicorn", "jinja2", "cryptography"}


def loaded_by(*arguments: str) -> set[str]:
    """Modules that are loaded once the command line has run."""
    program = (
        "import sys\n"
        "from slowping import cli\n"
        f"sys.argv = ['slowping', *{arguments!r}]\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    ran = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    return set(ran.stderr.split())


@pytest.mark.parametrize(
    "arguments",
    [("--version",), ("--help",), ("serve", "--help"), ("channel", "create", "--help")],
    ids=" ".join,
)
def test_whoever_asks_for_help_waits_for_no_heavy_import(arguments: tuple[str, ...]) -> None:
    assert not HEAVY & loaded_by(*arguments)


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_whoever_asks_the_program_itself_waits_for_no_command(option: str) -> None:
    ours = {name for name in loaded_by(option) if name.startswith("slowping.")}
    assert ours == {"slowping.cli", "slowping.cli.group"}


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_list_says_of_each_command_what_it_says_of_itself(name: str) -> None:
    command = cli.cli.get_command(click.Context(cli.cli), name)
    assert command is not None
    first, _, _ = (command.help or "").partition("\n\n")
    assert cli.COMMANDS[name].help == " ".join(first.split())


def test_a_shell_is_told_the_commands_and_what_they_are_for() -> None:
    words = {"COMP_WORDS": "slowping he", "COMP_CWORD": "1"}
    environ = {"_SLOWPING_COMPLETE": "zsh_complete", **words}
    told = CliRunner().invoke(cli.cli, env=environ, prog_name="slowping").stdout
    assert told.splitlines() == ["plain", "health", "Tell whether the server works; no key is..."]


def test_a_shell_is_told_the_commands_of_a_noun() -> None:
    words = {"COMP_WORDS": "slowping key ro", "COMP_CWORD": "2"}
    environ = {"_SLOWPING_COMPLETE": "bash_complete", **words}
    told = CliRunner().invoke(cli.cli, env=environ, prog_name="slowping").stdout
    assert told == "plain,rotate\n"


def test_python_dash_m_is_the_same_as_the_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "slowping", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert ran.stdout == f"slowping, version {slowping.__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion(shell: str) -> None:
    ran = CliRunner().invoke(cli.cli, ["completion", shell])
    assert ran.exit_code == 0
    assert "_SLOWPING_COMPLETE" in ran.stdout


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found.append((*path, name))
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
    return found


@pytest.mark.parametrize("path", commands(cli.cli), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    ran = CliRunner().invoke(cli.cli, [*path, "--help"])
    assert ran.exit_code == 0
    assert f"Usage: cli {' '.join(path)}" in ran.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("send",),
        ("send", "bug", "-f", "amount"),
        ("channel", "create", "webhook"),
        ("channel", "create", "webhook", "--name", "a", "--set", "url"),
        ("category", "create", "bug", "--color", "green"),
        ("delivery", "list", "--state", "gone"),
        ("delivery", "list", "--since", "someday"),
        ("key", "create", "--name", "a", "--import-value", "swordfish"),
        ("key", "create", "--name", "a", "--scope", "everything"),
        ("project", "change", "default"),
        ("project", "change", "default", "--any-origin", "--origin", "https://example.org"),
        ("category", "change", "bug"),
        ("category", "change", "bug", "--channel", "a", "--all-channels"),
        ("channel", "change", "hook"),
        ("channel", "change", "hook", "--set", "secret=a", "--unset", "secret"),
        ("health", "--server", "127.0.0.1:7480"),
        ("serve", "--port", "abc"),
        ("serve", "--port", "70000"),
        ("serve", "--config", "/nowhere/config.toml"),
        ("check", "--config", "/nowhere/config.toml"),
        ("restore", "/nowhere/copy.db"),
        ("event", "import", "/nowhere/events.jsonl"),
        ("event", "list", "--limit", "-1"),
        ("demo", "--rate", "fast"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_says_so_on_stderr(arguments: tuple[str, ...]) -> None:
    # Whatever it asks for, nobody is there: wrong usage is found before that.
    server = {"SLOWPING_SERVER": "http://127.0.0.1:9", "SLOWPING_API_KEY": "slp_nobody"}
    ran = CliRunner().invoke(cli.cli, list(arguments), env=server)
    assert ran.exit_code == 2
    assert ran.stdout == ""
    assert "Error" in ran.stderr


def test_an_address_without_its_scheme_is_told_with_it() -> None:
    ran = CliRunner().invoke(cli.cli, ["health", "--server", "127.0.0.1:7480"])
    assert "http://127.0.0.1:7480" in ran.stderr
    ran = CliRunner().invoke(cli.cli, ["health"], env={"SLOWPING_SERVER": "127.0.0.1:7480"})
    assert ran.exit_code == 2
    assert "SLOWPING_SERVER: write the address as http://127.0.0.1:7480" in ran.stderr


def test_what_is_no_number_is_told_in_plain_words() -> None:
    ran = CliRunner().invoke(cli.cli, ["serve", "--port", "abc"])
    assert "'abc' is not a valid whole number." in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "meant"), [(("evnt", "list"), "event"), (("event", "lst"), "list")], ids=str
)
def test_a_mistyped_command_is_told_the_nearest(arguments: tuple[str, ...], meant: str) -> None:
    ran = CliRunner().invoke(cli.cli, list(arguments))
    assert ran.exit_code == 2
    assert f"Did you mean '{meant}'?" in ran.stderr


@pytest.mark.parametrize("path", commands(cli.cli), ids=" ".join)
def test_every_option_explains_itself(path: tuple[str, ...]) -> None:
    command: click.Command | None = cli.cli
    for name in path:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name)
    assert command is not None
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert [each.name for each in options if not each.help] == []


def test_no_server_ends_with_3(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("data")
    ran = CliRunner().invoke(cli.cli, ["project", "list", "--data", str(folder)])
    assert ran.exit_code == 3
    assert ran.stdout == ""
    assert ran.stderr.startswith(f"slowping: No server is running on the data folder {folder}")

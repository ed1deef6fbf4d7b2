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


def test_the_version_loads_no_command() -> None:
    assert "slowping.cli.project" not in loaded_by("--version")


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
        ("delivery", "list", "--since", "yesterday"),
        ("key", "create", "--name", "a", "--import-value", "swordfish"),
        ("key", "create", "--name", "a", "--scope", "everything"),
        ("project", "change", "default"),
        ("project", "change", "default", "--any-origin", "--origin", "https://example.org"),
        ("category", "change", "bug"),
        ("category", "change", "bug", "--channel", "a", "--all-channels"),
        ("channel", "change", "hook"),
        ("channel", "change", "hook", "--set", "secret=a", "--unset", "secret"),
        ("health", "--server", "127.0.0.1:7480"),
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

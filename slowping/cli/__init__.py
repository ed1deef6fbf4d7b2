"""The command line: one file a noun, every heavy import inside its command.

May import everything below it. Start with `_COMMANDS`, which names the module of each command;
`where.py` finds the server, `output.py` speaks to the terminal.
"""

import difflib
import importlib
from typing import Final

import rich_click as click

import slowping
from slowping.cli import output

_COMMANDS: Final = {
    "serve": "serve",
    "tui": "tui",
    "send": "send",
    "tail": "tail",
    "project": "project",
    "category": "category",
    "channel": "channel",
    "key": "api_key",
    "event": "event",
    "delivery": "delivery",
    "health": "health",
}
"""Module of each command; the module holds the command under the command's name."""


class _Lazy(click.RichGroup):
    """Imports a command's module when that command is asked for, and answers for its errors."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [*_COMMANDS, *self.commands]

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return self.commands.get(cmd_name)
        module = importlib.import_module(f"slowping.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # click looks for the nearest among `commands`, where the lazy ones are not.
        typed, names = args[0], self.list_commands(ctx)
        nearest = difflib.get_close_matches(typed, names, n=1)
        if typed not in names and nearest and not ctx.resilient_parsing:
            ctx.fail(f"No such command '{typed}'. Did you mean '{nearest[0]}'?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> None:
        with output.answering(ctx):
            super().invoke(ctx)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(slowping.__version__, prog_name="slowping")
def cli() -> None:
    """Take events in over HTTP, keep them, and tell Discord, Telegram, e-mail and webhooks."""


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands in a SHELL.

    For bash and zsh, put `eval "$(slowping completion bash)"` into the shell's start file (with
    zsh for zsh); for fish, `slowping completion fish | source`.
    """
    from click import shell_completion

    script = shell_completion.get_completion_class(shell)
    if script is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(script(ctx.find_root().command, {}, "slowping", "_SLOWPING_COMPLETE").source())


def main() -> None:
    """Run the command line."""
    cli(prog_name="slowping")

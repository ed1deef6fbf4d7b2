"""Find a command by its name, load it when it is run, and list all of them without loading any."""

import contextlib
import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import rich_click as click

import slowping
from slowping.cli import COMMANDS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class _Lazy(click.RichGroup):
    """Imports a command's module when that command is asked for, and answers for its errors."""

    _only_lists = False

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [*COMMANDS, *self.commands]

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return self.commands.get(cmd_name)
        listed = COMMANDS[cmd_name]
        if self._only_lists:
            return click.RichCommand(name=cmd_name, help=listed.help)
        module = importlib.import_module(f"slowping.cli.{listed.module}")
        command: click.Command = getattr(module, cmd_name)
        return command if isinstance(command, click.RichCommand) else _rich(command)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # rich_click's own, as it takes them
        with self._listing():
            super().format_help(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        with self._listing():
            return super().shell_complete(ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # click looks for the nearest among `commands`, where the lazy ones are not.
        typed, names = args[0], self.list_commands(ctx)
        if typed not in names and not ctx.resilient_parsing:
            import difflib

            if nearest := difflib.get_close_matches(typed, names, n=1):
                ctx.fail(f"No such command '{typed}'. Did you mean '{nearest[0]}'?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> None:
        from slowping.cli import output

        with output.answering(ctx):
            super().invoke(ctx)

    @contextlib.contextmanager
    def _listing(self) -> Iterator[None]:
        """Give commands that are only shown, and load none."""
        self._only_lists = True
        try:
            yield
        finally:
            self._only_lists = False


def _rich(command: click.Command) -> click.RichCommand:
    """A plain command with the help and the errors of all others."""
    return click.RichCommand(
        name=command.name, callback=command.callback, params=command.params, help=command.help
    )


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

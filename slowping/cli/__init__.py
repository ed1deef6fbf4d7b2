"""The command line: one file a noun, every heavy import inside its command.

May import everything below it. Start with `COMMANDS`, which names the module of each command;
`where.py` finds the server, `output.py` speaks to the terminal.
"""

import contextlib
import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import rich_click as click

import slowping

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Listed(NamedTuple):
    """What a list of commands shows of one, so that only the one that is run has to be loaded."""

    module: str
    """It holds the command under the command's name."""
    help: str
    """The first sentence of what the command says of itself."""


COMMANDS: Final = {
    "serve": Listed("serve", "Run the server."),
    "tui": Listed("tui", "Open the live view."),
    "send": Listed("send", "Send an event of a CATEGORY, and print its id."),
    "tail": Listed("tail", "Print events as they come, one line each, until you press Ctrl+C."),
    "demo": Listed("demo", "Try the live view on a server that is gone afterwards."),
    "project": Listed("project", "Projects own categories, channels, events and API keys."),
    "category": Listed(
        "category",
        "Categories are the drawers events go into; they decide channels and looks.",
    ),
    "channel": Listed(
        "channel",
        "Channels are where notifications go: Discord, Telegram, e-mail, webhooks, the console.",
    ),
    "key": Listed("api_key", "API keys let senders in and programs look and act."),
    "event": Listed("event", "Events are what senders told; they never change."),
    "delivery": Listed("delivery", "Deliveries bring one event to one channel each."),
    "overview": Listed(
        "overview", "Tell what came in today, this week and this month, and how it went out."
    ),
    "health": Listed("health", "Tell whether the server works; no key is needed."),
}


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
        return command

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

"""Fill the command palette: every command that works now, then what one can jump to."""

from typing import Final

from textual.command import DiscoveryHit, Hit, Hits, Provider

from slowping.tui.command import Command, Commanded, action_of, shown_keys


class CommandProvider(Provider):
    """The commands of the screen and of the application, with their keys."""

    async def search(self, query: str) -> Hits:
        """The commands whose names are like what was typed."""
        matcher = self.matcher(query)
        for node, command in self._commands():
            score = matcher.match(command.name)
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(command.name),
                    self._runner(node, command),
                    text=command.name,
                    help=self._help(command),
                )

    async def discover(self) -> Hits:
        """All commands, as long as nothing is typed."""
        for node, command in self._commands():
            yield DiscoveryHit(command.name, self._runner(node, command), help=self._help(command))

    def _commands(self) -> list[tuple[Commanded, Command]]:
        nodes = [self.focused, self.screen, self.app]
        found: dict[str, tuple[Commanded, Command]] = {}
        for node in nodes:
            if isinstance(node, Commanded):
                for command, _ in node.answered.values():
                    found.setdefault(command.id, (node, command))
        return list(found.values())

    def _help(self, command: Command) -> str:
        keys = self.app._keymap.get(command.id, command.key)  # noqa: SLF001 - no other way to ask
        return f"{shown_keys(keys)}  {command.help}"

    def _runner(self, node: Commanded, command: Command) -> "Runner":
        return Runner(node, command)


class Runner:
    """Carries a command out when it is chosen."""

    def __init__(self, node: Commanded, command: Command) -> None:
        self._node = node
        self._command = command

    async def __call__(self) -> None:
        """Carry it out, or say why not."""
        await self._node.app.run_action(action_of(self._command), self._node)


PROVIDERS: Final = (CommandProvider,)

"""Say what a command is, and bind commands to the methods that carry them out."""

import enum
import inspect
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, Final, ParamSpec, TypeVar

import msgspec
from textual import work
from textual.binding import Binding, BindingType

if TYPE_CHECKING:
    from textual.dom import DOMNode as _Node
    from textual.worker import Worker
else:
    # A plain class at run time: Textual follows the first base that is a node for its styles.
    _Node = object

_ANSWERS: Final = "_answers_commands"
_ALONE: Final = "_acts_alone"

ALONE: Final = "alone"
"""The group of workers of which a node begins one at a time."""

P = ParamSpec("P")
R = TypeVar("R")
Method = TypeVar("Method", bound=Callable[..., Any])


class Need(enum.Enum):
    """What has to be there before a command can be carried out."""

    LINE = "line"
    """The server answers."""
    ADMIN = "admin"
    """The API key may administer; asks for the line as well."""
    ROW = "row"
    """Something is under the cursor."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person can ask for; keys, palette, footer, help and docs are views of it."""

    id: str
    """By which `[keys]` in the settings rebinds it, such as `delivery.retry`."""
    name: str
    help: str
    """One or two sentences."""
    key: str
    """Keys, separated by commas, as Textual names them."""
    where: str
    """A place's name, `list` for whatever has rows, or `everywhere`."""
    footer: str = ""
    """The word for it in the footer; empty where it is not shown there."""
    needs: tuple[Need, ...] = ()
    at_once: bool = False
    """Carried out before the next key is read: it moves the focus, and people type ahead."""


def on_command(*commands: Command) -> Callable[[Method], Method]:
    """Mark a method of a screen, modal, widget or app as what carries the commands out."""

    def mark(method: Method) -> Method:
        setattr(method, _ANSWERS, commands)
        return method

    return mark


def alone(method: Callable[P, Coroutine[None, None, R]]) -> "Callable[P, Worker[R]]":
    """Carry an act out in a worker that nothing cancels; no other such act begins meanwhile.

    Stands below `on_command`. An act may have been done though its answer is not there yet, and
    the answer may have a secret in it: that is why a second one waits, where reading starts anew.
    """
    begin = work(group=ALONE, name=method.__name__)(method)
    setattr(begin, _ALONE, True)
    return begin


def only_asks(worker: "Worker[Any]") -> bool:
    """Whether a worker changes nothing at the server."""
    return worker.group in getattr(worker.node, "READS", ())


def binding(command: Command, action: str | None = None) -> Binding:
    """The command as Textual's key binding."""
    return Binding(
        command.key,
        action or action_of(command),
        command.footer or command.name,
        show=bool(command.footer),
        priority=command.at_once,
        tooltip=command.help,
        id=command.id,
    )


def action_of(command: Command) -> str:
    """The action that carries the command out on a node that answers it."""
    return f"command('{command.id}')"


class Commanded(_Node):
    """What answers commands: its bindings come from the marked methods, inherited ones included."""

    answered: ClassVar[dict[str, tuple[Command, str]]] = {}
    """By id: the command and the name of the method."""

    READS: ClassVar[frozenset[str]] = frozenset()
    """Groups of its workers that only ask: they may be given up at any time, or done again."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        own = {
            command.id: (command, name)
            for name, method in vars(cls).items()
            for command in getattr(method, _ANSWERS, ())
        }
        cls.answered = {**cls.answered, **own}
        written: list[BindingType] = vars(cls).get("BINDINGS", [])
        cls.BINDINGS = [*written, *(binding(command) for command, _ in own.values())]
        super().__init_subclass__(**kwargs)

    def asked_for(self, action: str) -> Command | None:
        """The command that an action means here, if it means one."""
        name, _, rest = action.partition("('")
        found = self.answered.get(rest.removesuffix("')")) if name == "command" else None
        return found[0] if found else None

    async def action_command(self, command_id: str) -> None:
        """Carry a command out."""
        answer = getattr(self, self.answered[command_id][1])()
        if inspect.isawaitable(answer):
            await answer

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """None greys the key out: it is shown, and `why_not` says what is missing."""
        if action == "command" and self.why_not(self.answered[str(parameters[0])][0]):
            return None
        return super().check_action(action, parameters)

    def why_not(self, command: Command) -> str | None:
        """Why the command cannot be carried out now, in a sentence; None where it can."""
        _, answer = self.answered.get(command.id, (command, ""))
        if not hasattr(getattr(self, answer, None), _ALONE):
            return None
        own = (w for w in self.workers if w.node is self and w.group == ALONE)
        begun = {worker.name for worker in own if not worker.is_finished}
        names = [each.name for each, method in self.answered.values() if method in begun]
        return f"wait until this has ended: {names[0]}." if names else None


_SHOWN = {
    "question_mark": "?", "slash": "/", "colon": ":", "semicolon": ";",
    "exclamation_mark": "!", "escape": "esc",
    "space": "space", "pagedown": "pgdn", "pageup": "pgup", "down": "↓", "up": "↑",
    "left": "←", "right": "→",
}  # fmt: skip


def shown_keys(keys: str) -> str:
    """Keys as a person reads them: `j ↓`."""
    return " ".join(_SHOWN.get(key.strip(), key.strip()) for key in keys.split(","))

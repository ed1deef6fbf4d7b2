"""Answer for every act: a busy mark while it lasts, a toast for how it ended.

The only place of the live view that catches errors of the client.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

from textual.message_pump import MessagePump
from textual.worker import NoActiveWorker, get_current_worker

from slowping.core import errors, text
from slowping.tui.command import only_asks

if TYPE_CHECKING:
    from slowping.tui.app import SlowpingApp

T = TypeVar("T")


class Ending:
    """How an act has ended."""

    error: errors.SlowpingError | None = None
    """Why it failed; None where it did not."""


@contextlib.asynccontextmanager
async def acting(
    node: MessagePump, doing: str, done: str | None = None, *, endless: bool = False
) -> AsyncIterator[Ending]:
    """Carry an act out: `doing` says what it is, `done` what has come of it.

    An error ends the block, is told, and goes no further. What is `endless` has no busy mark.
    """
    app: SlowpingApp = node.app  # type: ignore[assignment]  # the only app there is
    ending = Ending()
    with contextlib.nullcontext() if endless else app.busy(doing):
        try:
            yield ending
        except errors.SlowpingError as error:
            ending.error = error
            app.tell_error(f"{doing} failed", error, advice(error, asked=_only_asks()))
            return
    if done is not None:
        app.tell(done)


async def is_allowed(call: Callable[[], Awaitable[object]]) -> bool | None:
    """Whether the server lets the key do this; None where it did not say."""
    try:
        await call()
    except (errors.Forbidden, errors.UnknownApiKey):
        return False
    except errors.SlowpingError:
        return None
    return True


async def is_there(call: Callable[[], Awaitable[object]]) -> bool:
    """Carry a call out; False where what it names is not there, or not for this key."""
    try:
        await call()
    except (errors.NotFound, errors.ForeignProject):
        return False
    return True


async def problem(call: Callable[[], Awaitable[object]]) -> str | None:
    """What is wrong with a call, in a sentence for a form; None where nothing is."""
    try:
        await call()
    except errors.SlowpingError as error:
        return told(error)
    return None


async def answer(call: Callable[[], Awaitable[T]]) -> T | errors.SlowpingError:
    """What the server answers, or the condition that it names: for what goes on by itself."""
    try:
        return await call()
    except errors.SlowpingError as error:
        return error


def _only_asks() -> bool:
    """Whether what goes on here changes nothing at the server."""
    try:
        return only_asks(get_current_worker())
    except NoActiveWorker:
        return False


def told(error: errors.SlowpingError) -> str:
    """The error as a sentence that a terminal can be shown."""
    return text.visible(str(error) or type(error).__name__)


def advice(error: errors.SlowpingError, *, asked: bool = False) -> str:
    """What a person can do about it, in a sentence; `asked` where nothing was to be changed."""
    if asked and isinstance(error, errors.Unreachable):
        return "ctrl+r tries now."
    for kind, words in _ADVICE.items():
        if isinstance(error, kind):
            return words(error) if callable(words) else words
    return ""


_OTHER_KEY: Final = "Connect with another API key: ctrl+o."

_ADVICE: Final[dict[type[errors.SlowpingError], str | Callable[..., str]]] = {
    errors.UnknownApiKey: _OTHER_KEY,
    errors.NoCredential: _OTHER_KEY,
    errors.MalformedCredential: _OTHER_KEY,
    errors.EmptyCredential: _OTHER_KEY,
    errors.ForeignProject: _OTHER_KEY,
    errors.Forbidden: _OTHER_KEY,
    errors.RateLimited: lambda error: f"Do it again in {error.retry_after_s} s.",
    errors.Unavailable: lambda error: f"Do it again in {error.retry_after_s} s.",
    errors.Unreachable: "See whether it was done before you do it again.",
    errors.UnexpectedAnswer: "See whether the address is right: ctrl+o.",
    errors.NotFound: "It may have been removed; ctrl+r loads what is there.",
    errors.WrongState: "It may have changed; ctrl+r loads what is there.",
    errors.NameTaken: "Choose another name.",
    errors.InvalidInput: "Change it and do it again.",
}

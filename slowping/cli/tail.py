"""Print what happens, a line each: for pipes, logs and screen readers."""

import asyncio
import contextlib
import datetime as dt
import os
import stat
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import rich_click as click

from slowping.cli import named, output, where
from slowping.core import text, times
from slowping.core.category import DEFAULT_EMOJI, Category
from slowping.core.channel import Channel
from slowping.core.delivery import Delivery
from slowping.core.event import Event
from slowping.core.feed import (
    CategoryChanged,
    ChannelChanged,
    Connected,
    DeliveryChanged,
    EventAccepted,
    FeedItem,
    KeyChanged,
    Lost,
    ProjectChanged,
)

if TYPE_CHECKING:
    from slowping.client.client import Client

MAX_DESCRIPTION: Final = 500
MAX_FIELDS: Final = 12
MAX_VALUE: Final = 60
"""Most characters of a field's value."""


@click.command()
@click.option(
    "--category",
    "categories",
    multiple=True,
    metavar="NAME",
    help="Only what belongs to this category. Repeat for several.",
)
@named.project_option
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Tell of deliveries, channels, categories, keys and projects too.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print JSON, one object a line: the event, or with --all what happened.",
)
@where.connected(where.ADMIN_KEY_FILE)
async def tail(
    client: "Client",
    categories: tuple[str, ...],
    project: str | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Print events as they come, one line each, until you press Ctrl+C.

    When the connection is lost it comes back by itself, and tells what happened meanwhile. In a
    pipe it ends when the program that reads it does.
    """
    printer = Printer(everything=everything, as_json=as_json, with_project=project is None)
    try:
        with _while_it_is_read():
            await _follow(client, categories, project, printer)
    except asyncio.CancelledError:
        return  # by Ctrl+C, which is how this ends, or because nobody reads any more
    except BrokenPipeError:
        # Python writes out what is left when it ends, and would complain once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Printer:
    """Prints items; what it learns of categories it uses for the events that follow."""

    def __init__(self, *, everything: bool, as_json: bool, with_project: bool) -> None:
        self._everything = everything
        self._as_json = as_json
        self._with_project = with_project
        self._emojis: dict[tuple[str, str], str] = {}

    def learn(self, category: Category) -> None:
        """How the events of a category look."""
        self._emojis[category.project, category.name] = category.emoji

    def print(self, item: FeedItem, now: dt.datetime) -> None:
        """Print what is asked for; `now` is for what has no time of its own."""
        if isinstance(item, CategoryChanged) and item.category is not None:
            self.learn(item.category)
        if not (self._everything or isinstance(item, EventAccepted)):
            return
        if not self._as_json:
            output.data(self.line(item, now))
        elif isinstance(item, EventAccepted) and not self._everything:
            output.json_line(item.event)
        else:
            output.json_line(item)

    def line(self, item: FeedItem, now: dt.datetime) -> str:
        """An item in words."""
        match item:
            case EventAccepted(event=event):
                return f"{_time(event.received_at)} {self._event(event)}"
            case DeliveryChanged(delivery=delivery):
                told = self._delivery(delivery)
            case ChannelChanged(channel=channel) if channel is not None:
                place = self._place(channel.project, channel.name)
                told = f"{place} ({channel.kind}){_trouble(channel)}"
            case CategoryChanged(category=category) if category is not None:
                told = self._category(category.project, category.name)
            case KeyChanged(api_key=key) if key is not None:
                told = f"{key.name} ({key.prefix}…){', revoked' if key.revoked_at else ''}"
            case ProjectChanged(project=project) if project is not None:
                told = project.name
            case _:
                told = f"{item.id} is gone"
        return f"{_time(now)} {item.__struct_config__.tag} {told}"

    def _event(self, event: Event) -> str:
        parts = [self._category(event.project, event.category)]
        if event.description:
            parts.append(text.clip(event.description, MAX_DESCRIPTION))
        if event.fields:
            parts.append(" ".join(_fields(event)))
        return " · ".join(parts)

    def _delivery(self, delivery: Delivery) -> str:
        error = f": {delivery.last_error}" if delivery.last_error else ""
        return (
            f"{delivery.id} {self._category(delivery.project, delivery.category)} → "
            f"{delivery.channel} ({delivery.kind}): {delivery.state}, {_attempts(delivery)}{error}"
        )

    def _category(self, project: str, name: str) -> str:
        emoji = self._emojis.get((project, name), DEFAULT_EMOJI)
        return f"{emoji} {self._place(project, name)}"

    def _place(self, project: str, name: str) -> str:
        return f"{project}/{name}" if self._with_project else name


@contextlib.contextmanager
def _while_it_is_read() -> Iterator[None]:
    """Cancel what runs in the block when stdout is a pipe, and its reader has gone.

    Printing would find out too, but only when there is something to print.
    """
    if sys.stdout is None:
        raise click.UsageError("There is no standard output to print to.")
    loop, here = asyncio.get_running_loop(), asyncio.current_task()
    pipe = _pipe()
    if pipe is None or here is None:
        yield
        return
    # A pipe's end to write to is never readable, but for the error that nobody reads it.
    loop.add_reader(pipe, here.cancel)
    try:
        yield
    finally:
        loop.remove_reader(pipe)


def _pipe() -> int | None:
    """The number of stdout, if it is a pipe."""
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):  # it is no file, or closed
        return None
    return number if stat.S_ISFIFO(os.fstat(number).st_mode) else None


async def _follow(
    client: "Client", categories: tuple[str, ...], project: str | None, printer: Printer
) -> None:
    from slowping.client.client import all_items

    # This is also where it ends if nobody answers at all, or the key may not.
    async for category in all_items(client.list_categories, project=project):
        printer.learn(category)
    stream = client.stream(project=project, categories=categories)
    async with contextlib.aclosing(stream):
        async for item in stream:
            match item:
                case Lost():
                    output.talk(f"{item.reason} Trying again in {_whole(item.retry_in_s)} s.")
                case Connected(reset=True):
                    output.talk("Connected, but the server no longer knows what came meanwhile.")
                case Connected():
                    output.talk("Connected.")
                case _:
                    printer.print(item, dt.datetime.now(dt.UTC))


def _fields(event: Event) -> Iterator[str]:
    for number, (name, value) in enumerate(event.fields.items()):
        if number == MAX_FIELDS:
            yield text.ELLIPSIS
            return
        shown = text.clip(text.show(value), MAX_VALUE)
        yield f'{name}="{shown}"' if " " in shown else f"{name}={shown}"


def _attempts(delivery: Delivery) -> str:
    return "1 attempt" if delivery.attempts == 1 else f"{delivery.attempts} attempts"


def _whole(seconds: float) -> int:
    return max(1, round(seconds))


def _trouble(channel: Channel) -> str:
    if channel.paused_at is not None:
        return f", paused: {channel.paused_reason}"
    return "" if channel.held_until is None else f", troubled: {channel.held_reason}"


def _time(moment: dt.datetime) -> str:
    return times.iso_s(times.to_ms(moment))

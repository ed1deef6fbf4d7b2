"""Commands of the categories."""

from typing import Final

from slowping.tui.command import Command, Need

NEW: Final = Command(
    id="category.new",
    name="New category",
    help="Name it, and choose its emoji, colour and channels.",
    key="n",
    where="category",
    footer="New",
    needs=(Need.ADMIN,),
)
EDIT: Final = Command(
    id="category.edit",
    name="Change the category",
    help="Its name, looks, channels or priority. A new name holds for past events as well.",
    key="e",
    where="category",
    footer="Edit",
    needs=(Need.ADMIN, Need.ROW),
)
REMOVE: Final = Command(
    id="category.remove",
    name="Remove the category",
    help="Says first what hangs on it. Its events stay.",
    key="d",
    where="category",
    footer="Remove",
    needs=(Need.ADMIN, Need.ROW),
)
SNIPPETS: Final = Command(
    id="category.snippets",
    name="Code snippets",
    help="Code that sends to this category, in curl, Python and JavaScript, and what comes of it.",
    key="c",
    where="category",
    footer="Code",
    needs=(Need.ROW,),
)
EVENTS: Final = Command(
    id="category.events",
    name="View its events",
    help="Show the category's events in the feed.",
    key="v",
    where="category",
    needs=(Need.ROW,),
)
QUICK_START: Final = Command(
    id="category.quick-start",
    name="Add bug, sale and question",
    help="Three categories to start with, their emojis and colours chosen.",
    key="a",
    where="category",
    needs=(Need.ADMIN,),
)

COMMANDS: Final = (NEW, EDIT, REMOVE, SNIPPETS, EVENTS, QUICK_START)

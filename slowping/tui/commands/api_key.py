"""Commands of the API keys."""

from typing import Final

from slowping.tui.command import Command, Need

NEW: Final = Command(
    id="api_key.new",
    name="New API key",
    help="Say what it is for and what it may do; its value is shown once.",
    key="n",
    where="api_key",
    footer="New",
    needs=(Need.ADMIN,),
)
ROTATE: Final = Command(
    id="api_key.rotate",
    name="Rotate the key",
    help="A new key that may do the same; the old one works beside it as long as you say.",
    key="R",
    where="api_key",
    footer="Rotate",
    needs=(Need.ADMIN, Need.ROW),
)
REVOKE: Final = Command(
    id="api_key.revoke",
    name="Revoke the key",
    help="It is refused from then on; says who used it last, and asks for its name first.",
    key="d",
    where="api_key",
    footer="Revoke",
    needs=(Need.ADMIN, Need.ROW),
)
REVOKED: Final = Command(
    id="api_key.revoked",
    name="Show or hide the revoked ones",
    help="Keys that were revoked are kept, so that you can see what they were used for.",
    key="v",
    where="api_key",
)

COMMANDS: Final = (NEW, ROTATE, REVOKE, REVOKED)

"""Projects, categories, channels, API keys and acts: a file for each, one more for the engine."""

from slowping.store.sqlite.directory.api_key import ApiKeys
from slowping.store.sqlite.directory.audit import Acts
from slowping.store.sqlite.directory.category import Categories
from slowping.store.sqlite.directory.channel import Channels
from slowping.store.sqlite.directory.project import Projects
from slowping.store.sqlite.directory.snapshot import Snapshots


class Directory(Projects, Categories, Channels, ApiKeys, Acts, Snapshots):
    """The directory of the port, each noun from its own file."""


__all__ = ["Directory"]

"""Count what the server did since its start, for those who watch it."""

import collections


class Tally:
    """Counters that only grow."""

    def __init__(self) -> None:
        self.events: collections.Counter[str] = collections.Counter()
        """Accepted events, by dialect."""
        self.attempts: collections.Counter[str] = collections.Counter()
        """Messages sent, by outcome."""
        self.refused: collections.Counter[str] = collections.Counter()
        """Requests refused, by condition."""
        self.pruned: collections.Counter[str] = collections.Counter()
        """What was old enough to go, by kind."""

"""Count what happens while the server runs, for whoever watches its figures."""

from collections import Counter


class Tally:
    """Plain counters, bumped where things happen and read when somebody asks."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        """Accepted events by dialect; `slowping` is our own API."""
        self.attempts: Counter[str] = Counter()
        """Attempts at deliveries by outcome."""
        self.refused: Counter[str] = Counter()
        """Refused requests by condition, such as `unknown-api-key`."""

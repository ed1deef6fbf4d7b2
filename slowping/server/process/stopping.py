"""Hear that the server is asked to stop, and whether there is time to finish what is on its way."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from typing import Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """What was asked for: a stop, and then haste."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.urged = asyncio.Event()
        """Who asks twice does not want to wait."""
        self.is_starting = True
        """A start is not broken off, but finished and followed by the stop."""

    def ask(self, number: signal.Signals) -> None:
        """A signal has come."""
        if not self.asked.is_set():
            self.asked.set()
        elif self.is_starting:
            # Nothing is on its way yet, and the store survives this at any moment.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        else:
            self.urged.set()

    @contextlib.contextmanager
    def by_signals(self) -> Iterator[None]:
        """Listen to the signals that ask for a stop."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.ask, number)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)
                # Whatever the loop puts in their place: what is left of the end needs no words.
                signal.signal(number, signal.SIG_DFL)

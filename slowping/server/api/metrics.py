"""Tell Prometheus how the server does; everything is worked out when it asks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from slowping.core.delivery import DeliveryState
from slowping.server.process.disk import Disk
from slowping.server.tally import Tally
from slowping.store.port import Store

if TYPE_CHECKING:  # the library is loaded when the figures are asked for first
    from prometheus_client import Metric


_OPEN: Final = (DeliveryState.PENDING, DeliveryState.LEASED, DeliveryState.FAILED)
"""What an operator may want to do something about; counting all that went well would take long."""


class Counts(msgspec.Struct, frozen=True):
    """One figure, split by a label."""

    name: str
    help: str
    label: str
    counts: Mapping[str, int]
    may_fall: bool = False
    """Whether it is a gauge; what only ever grows is a counter."""


class Metrics:
    """The figures of one server."""

    def __init__(self, store: Store, disk: Disk, tally: Tally) -> None:
        self._store = store
        self._disk = disk
        self._tally = tally

    async def exposition(self) -> tuple[bytes, str]:
        """The figures as Prometheus reads them, and the media type of that."""
        from prometheus_client import (  # costs memory that most servers save
            CollectorRegistry,
            ProcessCollector,
            generate_latest,
        )
        from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

        registry = CollectorRegistry()
        registry.register(_Snapshot(await self._counts()))
        ProcessCollector(registry=registry)
        return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4

    async def _counts(self) -> Sequence[Counts]:
        by_state = await self._store.outbox.count_by_state(_OPEN)
        space = await self._store.retention.space()
        tally = self._tally
        return (
            Counts(
                "slowping_deliveries",
                "Deliveries that wait, are on their way, or have failed.",
                "state",
                {state.value: by_state.get(state, 0) for state in _OPEN},
                may_fall=True,
            ),
            Counts("slowping_events", "Events accepted.", "dialect", tally.events),
            Counts("slowping_attempts", "Messages sent.", "outcome", tally.attempts),
            Counts("slowping_refused_requests", "Requests refused.", "condition", tally.refused),
            Counts("slowping_pruned", "What was kept for long enough.", "what", tally.pruned),
            Counts(
                "slowping_database_bytes",
                "What the database takes of the disk: used, free for what comes, and its log.",
                "part",
                {"used": space.used, "free": space.free, "log": space.log},
                may_fall=True,
            ),
            Counts(
                "slowping_disk_bytes",
                "The disk of the data folder.",
                "part",
                {"total": self._disk.usage.total, "free": self._disk.usage.free},
                may_fall=True,
            ),
        )


class _Snapshot:
    """What is known at one moment, as the library collects it."""

    def __init__(self, counts: Sequence[Counts]) -> None:
        self._counts = counts

    def collect(self) -> Iterator["Metric"]:
        """The figures, one after the other."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
        )

        for counts in self._counts:
            kind = GaugeMetricFamily if counts.may_fall else CounterMetricFamily
            family = kind(counts.name, counts.help, labels=[counts.label])
            for value, count in counts.counts.items():
                family.add_metric([value], count)
            yield family

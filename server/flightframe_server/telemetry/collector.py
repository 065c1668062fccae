"""What an installation is at the moment it is looked at, beside what its metrics count.

What comes in: a running installation. What goes out: gauges of its stores, statements and queues,
read when Prometheus asks. It must never ask the database anything, nor hold an engine that was
replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from flightframe_server import __version__
from flightframe_server.cache.store import EntryStore
from flightframe_server.runtime import Runtime

_STORE_COUNTS = (
    ("evictions", "evicted", "Entries that were dropped to keep within the budget."),
    ("damaged_entries", "damaged", "Entries that were dropped since their file was altered."),
    ("unstored_answers", "unstored", "Answers that were not kept."),
    ("store_failures", "failures", "Operations that the disk refused to the store."),
)


class RuntimeCollector(Collector):
    """Reads a running installation for Prometheus.

    Args:
        runtime: the installation.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Remember what to read."""
        self._runtime = runtime

    def collect(self) -> Iterable[Metric]:
        """Yield every gauge as it is now."""
        yield InfoMetricFamily(
            "flightframe",
            "The version that runs, and what it serves.",
            value={"version": __version__, "installation_id": self._runtime.installation_id},
        )
        yield from self._stores()
        yield from self._statements()

    def _stores(self) -> Iterator[Metric]:
        stores: dict[str, EntryStore] = {
            name: engine.store
            for name, engine in self._runtime.engines.items()
            if engine.store is not None
        }
        entries = {name: tuple(store.holdings()) for name, store in stores.items()}
        yield _by_collection(
            "entries", "Entries of the store.", {name: len(of) for name, of in entries.items()}
        )
        yield _by_collection(
            "entry_bytes",
            "Bytes of the entries' files.",
            {name: sum(entry.bytes for entry in of) for name, of in entries.items()},
        )
        yield _by_collection(
            "budget_bytes",
            "The most bytes that the entries may take.",
            {name: store.max_bytes for name, store in stores.items()},
        )
        for name, attribute, text in _STORE_COUNTS:
            family = CounterMetricFamily(f"flightframe_{name}", text, labels=("collection",))
            for collection, store in stores.items():
                family.add_metric((collection,), getattr(store.counts(), attribute))
            yield family

    def _statements(self) -> Iterator[Metric]:
        statements = self._runtime.statements
        gauges = (
            ("statements_running", "Statements under way, waiting ones among them."),
            ("statements_waiting", "Statements that wait for a permit."),
            ("streams_waiting", "Large answers that wait for a permit."),
        )
        numbers = (
            len(statements.running()),
            statements.permits.waiting,
            statements.stream_permits.waiting,
        )
        for (name, text), number in zip(gauges, numbers, strict=True):
            yield GaugeMetricFamily(f"flightframe_{name}", text, value=number)


def _by_collection(name: str, text: str, values: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"flightframe_{name}", text, labels=("collection",))
    for collection, value in values.items():
        family.add_metric((collection,), value)
    return family

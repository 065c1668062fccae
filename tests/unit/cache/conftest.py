"""Keys, tables, a clock that stands still, and stores that are closed at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flightframe_server.algebra.reducers import Domain, Operator
from flightframe_server.cache.store import EntryStore, Timing
from flightframe_server.planner.identity import EntryGroup, EntryKey

NO_THREAD = Timing(refresh=0.0, flush=None)


class Clock:
    """Seconds since 1970 UTC that move only when told."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(2_000_000_000.0)


@pytest.fixture
def make_key() -> Callable[..., EntryKey]:
    def build(
        family: str = "revenue", anchor: tuple[str, ...] = ("day",), filter: tuple[str, ...] = ()
    ) -> EntryKey:
        group = EntryGroup("c0ffee", "duckdb", Domain.METRIC, family, Operator("SUM"))
        return EntryKey(group, anchor, filter)

    return build


@pytest.fixture
def make_table() -> Callable[..., pa.Table]:
    """Tables that differ for different numbers; `rows` numbers that zstd cannot shrink much."""

    def build(number: int = 0, rows: int = 3) -> pa.Table:
        values = [Decimal((number + 1) * 2_654_435_761 * (row + 1) % 10**12) for row in range(rows)]
        days = pa.array(range(rows), pa.int32()).cast(pa.date32())
        return pa.table({"day": days, "value": pa.array(values, pa.decimal128(38, 2))})

    return build


@pytest.fixture
def open_store(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., EntryStore]]:
    opened: list[EntryStore] = []

    def build(**options: Any) -> EntryStore:
        settings = {"max_bytes": 1 << 30, "clock": clock, "timing": NO_THREAD, **options}
        store = EntryStore(settings.pop("root", tmp_path / "cache"), **settings)
        opened.append(store)
        return store

    yield build
    for store in opened:
        store.close()

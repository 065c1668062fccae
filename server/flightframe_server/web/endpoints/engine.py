"""The engine of a session's collection: what it holds.

What comes in: calls under a session. What goes out: entries, as numbers and names. It must never
show a value that a filter compares with, nor a text that somebody asked.
"""

from __future__ import annotations

import time
from typing import Any

from flightframe_server.answer import engine_named
from flightframe_server.cache.entries import Counts, EntryRecord
from flightframe_server.engine.engine import MetricEngine
from flightframe_server.engine.snapshot import DataSnapshot
from flightframe_server.planner.masked_filters import levels_named, without_values
from flightframe_server.web.api_call import ApiCall, Services
from flightframe_server.web.reply import Reply, json_reply


def manifest(services: Services, call: ApiCall) -> Reply:
    """Return what the engine of a session's collection holds.

    Raises:
        UnknownName: there is no such session.
        BackendError: which version the data are of cannot be told.
    """
    engine = engine_of(services, call)
    store = engine.store
    records = [] if store is None else store.records()
    snapshot = engine.snapshot(call.context)
    size = sum(record.bytes for record in records)
    budget = 0 if store is None else store.max_bytes
    counts = Counts() if store is None else store.counts()
    answered = services.runtime.counts.of(engine.collection.name)
    return json_reply(
        {
            "ac_name": engine.collection.name,
            "enabled": engine.enabled,
            "entries": [_entry(record, engine, snapshot) for record in records],
            "entry_count": len(records),
            "bytes": size,
            "budget_bytes": budget,
            "budget_percent": round(100 * size / budget, 3) if budget else 0.0,
            "hits": answered.hits,
            "rollups": answered.rollups,
            "misses": answered.misses,
            "hot_hits": answered.hot_hits,
            "counts": {
                "evicted": counts.evicted,
                "damaged": counts.damaged,
                "unstored": counts.unstored,
                "failures": counts.failures,
            },
        }
    )


def engine_of(services: Services, call: ApiCall) -> MetricEngine:
    """Return the engine that the session of a call looks at.

    Raises:
        UnknownName: the caller has no such session, or its collection is gone.
    """
    session = services.sessions.find(call.path["id"], call.context.caller)
    return engine_named(services.runtime, session.collection)


def _entry(record: EntryRecord, engine: MetricEngine, snapshot: DataSnapshot) -> dict[str, Any]:
    now, group = time.time(), record.key.group
    current = group.collection == engine.collection.content_hash
    levels = levels_named(record.key.filter)
    lineage = record.lineage
    return {
        "id": record.entry_id,
        # A metric with a condition of its own carries that in its identity.
        "family": without_values(group.family),
        "anchor": list(record.key.anchor),
        "operator": str(group.operator),
        "filtered": bool(record.key.filter),
        "filter": list(levels),
        "rows": record.rows,
        "bytes": record.bytes,
        "hits": record.hits,
        "age_seconds": max(0.0, now - record.created),
        "last_used_seconds": max(0.0, now - record.last_used),
        "pinned": record.pinned,
        "route": "rollup" if lineage.route == "rollup" else "backend",
        "from_anchor": None if lineage.source_anchor is None else list(lineage.source_anchor),
        "fresh": current and snapshot.is_of(record.version),
    }

"""EXPLAIN as a frame.

What comes in: a plan and the back-end that would carry out its queries. What goes out: a table of
text. It must never run any of them.
"""

from __future__ import annotations

import pyarrow as pa

from flightframe_server.backends.protocol import Backend
from flightframe_server.planner.explain import STEP_FIELDS, Step, explain
from flightframe_server.planner.plan import Plan
from flightframe_server.planner.source import FrameQuery, SourceQuery

EXPLAIN_SCHEMA = pa.schema(
    [pa.field(name, pa.int64() if name == "step" else pa.string()) for name in STEP_FIELDS]
)


def explanation(plan: Plan, backend: Backend, note: str | None = None) -> pa.Table:
    """Return the steps of a plan, one row each, with the columns of `Step`; a note comes last."""

    def text_of(query: SourceQuery | FrameQuery) -> str:
        return backend.text(query)

    steps = explain(plan, text_of)
    if note is not None:
        steps.append(Step(len(steps) + 1, "", "", "", "", "note", note, ""))
    columns = [
        pa.array([getattr(step, field.name) for step in steps], field.type)
        for field in EXPLAIN_SCHEMA
    ]
    return pa.Table.from_arrays(columns, schema=EXPLAIN_SCHEMA)

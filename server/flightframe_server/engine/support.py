"""What a back-end cannot do is refused before anything runs.

What comes in: a plan and the back-end that it would ask. What goes out: nothing, or NOT_SUPPORTED.
It must never refuse what an entry answers: only what would have to be fetched counts.
"""

from __future__ import annotations

from flightframe_server.backends.protocol import Backend
from flightframe_server.errors import NotSupported
from flightframe_server.planner.plan import Plan


def refuse_unsupported(plan: Plan, backend: Backend) -> None:
    """Check that the back-end computes every reducer that a plan fetches.

    Raises:
        NotSupported: it lacks one; the message names both.
    """
    capabilities = backend.capabilities()
    if not capabilities.answers:
        return
    streamed = () if plan.stream is None else plan.stream.sources
    for query in (*plan.queries, *streamed):
        for metric in query.metrics:
            if metric.operator.name not in capabilities.reducers:
                raise NotSupported(
                    f"the back-end {backend.id} does not compute {metric.operator.name}",
                    hint="an answer that the cache already holds is still served",
                )

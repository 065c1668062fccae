"""A plan as rows of text, for EXPLAIN.

What comes in: a plan. What goes out: rows that say for each column where its parts come from and,
for each entry that was passed over, the first rule it failed. It must never read data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

from flightframe_server.catalog.types import Kind
from flightframe_server.planner.plan import Exact, Fetch, Part, Plan, Rollup
from flightframe_server.planner.source import FrameQuery, SourceQuery
from flightframe_server.resolver.question import Need, Question
from flightframe_server.resolver.terms import metrics_of, needs_of

SqlOf = Callable[[SourceQuery | FrameQuery], str]


@dataclass(frozen=True, slots=True)
class Step:
    """One row of EXPLAIN; what does not apply is None.

    Attributes:
        step: counted from 1.
        column: the output column, or `(hidden)` for HAVING and ORDER BY.
        family: the metric family.
        operator: the reducer.
        anchor: the grain it is had at, such as `day, region`.
        route: `exact`, `rollup`, `backend` or `stream`.
        source: the entry read and how it is rolled up, or the SQL.
        why_not: the entries considered, and the first rule each failed.
    """

    step: int
    column: str
    family: str
    operator: str
    anchor: str
    route: str
    source: str
    why_not: str


STEP_FIELDS = tuple(item.name for item in fields(Step))


def explain(plan: Plan, sql_of: SqlOf) -> list[Step]:
    """Return the steps of a plan; `sql_of` gives the text of a back-end query."""
    steps: list[Step] = []
    for column, part in _uses(plan):
        route, source = _route(plan, part, sql_of)
        steps.append(
            Step(
                len(steps) + 1,
                column,
                part.metric.identity,
                str(part.metric.operator),
                ", ".join(part.key.anchor),
                route,
                source,
                "; ".join(str(reason) for reason in part.why_not),
            )
        )
    for note in _notes(plan.question):
        steps.append(Step(len(steps) + 1, note[0], "", "", "", "note", note[1], ""))
    return steps


def _uses(plan: Plan) -> Iterator[tuple[str, Part]]:
    if plan.question.members_of is not None:
        names = ", ".join(column.name for column in plan.question.columns)
        yield names, plan.parts[0]
        return
    by_need = {part.need: part for part in plan.parts}
    used: set[Need] = set()
    for column in plan.question.columns:
        for need in dict.fromkeys(needs_of(column.term, plan.question.anchor)):
            used.add(need)
            yield column.name, by_need[need]
    for need, part in by_need.items():
        if need not in used:
            yield "(hidden)", part


def _route(plan: Plan, part: Part, sql_of: SqlOf) -> tuple[str, str]:
    if plan.stream is not None:
        return "stream", sql_of(plan.stream)
    match part.how:
        case Exact(entry=entry):
            return "exact", f"entry {entry.entry_id} of {entry.rows} rows"
        case Rollup(entry=entry):
            path = f"entry {entry.entry_id} @({', '.join(entry.key.anchor)}) of {entry.rows} rows"
            along = f" along {', '.join(part.how.edges)}" if part.how.edges else ""
            narrowed = " filtered" if part.how.filter else ""
            return "rollup", f"{path}{along}{narrowed}"
        case Fetch(query=index):
            return "backend", sql_of(plan.queries[index])


def _notes(question: Question) -> Iterator[tuple[str, str]]:
    keys = [key.term for key in question.ordering]
    if question.having is not None:
        keys.append(question.having)
    doubles = any(metric.type.kind is Kind.DOUBLE for term in keys for metric in metrics_of(term))
    if doubles:
        yield (
            "(order)",
            "HAVING or ORDER BY reads doubles, whose last digits may differ from route to route",
        )

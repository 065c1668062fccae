"""A plan as rows of text, for EXPLAIN.

What comes in: a plan. What goes out: rows that say for each column where its parts come from and,
for each entry or sibling that was passed over, the first rule it failed; then notes. It must never
read data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

from flightframe_server.algebra.types import Kind
from flightframe_server.planner.masked_filters import masked_anchor
from flightframe_server.planner.plan import Exact, Fetch, Part, Plan, Rollup
from flightframe_server.planner.source import FrameQuery, SourceQuery
from flightframe_server.resolver.needs import Need
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.terms import (
    Apply,
    AscribedTerm,
    MetricTerm,
    NestedTerm,
    Term,
    level_text,
    walk,
)

SqlOf = Callable[[SourceQuery | FrameQuery], str]

_DOUBLES = "it reads doubles, whose last digits may differ by route"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of EXPLAIN; what does not apply is None.

    Attributes:
        step: counted from 1.
        column: the output column, or `(hidden)` for HAVING and ORDER BY; of a note, its subject.
        family: the metric family; the schema whose members are listed.
        operator: the reducer.
        anchor: the grain it is had at, such as `day, region`.
        route: `exact`, `rollup`, `backend`, `stream`, or `note`.
        source: the entry read and how it is rolled up, or the SQL with placeholders; a note's text.
        why_not: the entries and siblings considered, and the first rule each failed.
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
    for column, part in uses_of(plan):
        route, source = _route(plan, part, sql_of)
        steps.append(
            Step(
                len(steps) + 1,
                column,
                part.family,
                str(part.metric.operator),
                _standing(plan, part),
                route,
                source,
                "; ".join([*map(str, part.why_not), *part.aside]),
            )
        )
    notes = (*_sibling_notes(plan), *_trust_notes(plan), *_notes(plan.question))
    for about, note in notes:
        steps.append(Step(len(steps) + 1, about, "", "", "", "note", note, ""))
    return steps


def _standing(plan: Plan, part: Part) -> str:
    """Return the anchor of a part, and what of its need is not the question's own."""
    standing = ", ".join(map(level_text, part.key.anchor))
    if part.need.filter != plan.question.filter:
        standing += f" where {' and '.join(part.key.filter) or 'nothing is left out'}"
    return f"{standing}; {part.need.shift}" if part.need.shift is not None else standing


def uses_of(plan: Plan) -> Iterator[tuple[str, Part]]:
    """Yield each column with each part that it is made from, as EXPLAIN lists them."""
    by_need = {part.need: part for part in plan.parts}
    used: set[Need] = set()
    names = ", ".join(column.name for column in plan.question.columns)
    for part in plan.listed:
        used.add(part.need)
        yield names, part
    for number, column in enumerate(plan.question.columns):
        for need in plan.question.column_needs(number):
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
            finer = ", ".join(masked_anchor(entry.key.anchor, part.key.anchor))
            path = f"entry {entry.entry_id} @({finer}) of {entry.rows} rows"
            along = f" along {', '.join(part.how.edges)}" if part.how.edges else ""
            narrowed = " filtered" if part.how.filter else ""
            return "rollup", f"{path}{along}{narrowed}"
        case Fetch(query=index):
            return "backend", sql_of(plan.queries[index])


def _sibling_notes(plan: Plan) -> Iterator[tuple[str, str]]:
    for part in plan.parts:
        if isinstance(part.how, Fetch) and part.how.metric.schema != part.metric.schema:
            sibling = part.how.metric.schema
            yield str(part.metric), f"read from its sibling {sibling}, equal to it on this data"


def _trust_notes(plan: Plan) -> Iterator[tuple[str, str]]:
    for part in plan.parts:
        for promise in part.trusted:
            yield str(part.metric), f"rests on a promise that is trusted and not checked: {promise}"


def _notes(question: Question) -> Iterator[tuple[str, str]]:
    if question.today is not None:
        yield "CURRENT_DATE", f"{question.today}, by the clock of the collection as it was asked"
    if question.having is not None and reads_doubles(question.having):
        yield "HAVING", f"{_DOUBLES}: a row as close to a bound may come or go"
    if any(reads_doubles(key.term) for key in question.ordering):
        cut = "" if question.window is None else ", and LIMIT may cut between them"
        yield "ORDER BY", f"{_DOUBLES}: rows as close as that may change places{cut}"


def reads_doubles(term: Term) -> bool:
    """Whether a term rests on doubles that were computed, not on constants."""
    for node in walk(term):
        if isinstance(node, NestedTerm | AscribedTerm) and reads_doubles(node.inner):
            return True
        computed = isinstance(node, MetricTerm | NestedTerm | Apply)
        if computed and node.type.kind is Kind.DOUBLE:
            return True
    return False

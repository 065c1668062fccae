"""Whose rows a level is asked of, where FROM does not say it.

What comes in: the levels that a question names, and the metrics beside them. What goes out: the
schemas whose rows are meant. It must never pick one schema of several: rows of one are never
counted for another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flightframe_server.algebra.reducers import Operator
from flightframe_server.algebra.types import BOOLEAN, DataType
from flightframe_server.catalog.collection import DerivedMetric
from flightframe_server.catalog.expressions import names_in
from flightframe_server.errors import (
    AmbiguousSchema,
    FilterUnreachable,
    FlightframeError,
    UnreachableAnchor,
)
from flightframe_server.language import format_expression
from flightframe_server.language.syntax import Call, Expression, Star, Statement
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.terms import Apply, LevelTerm, Metric, Term, levels_of
from flightframe_server.resolver.typed import TypedCollection


def schemas_in_play(typed: TypedCollection, statement: Statement) -> tuple[str, ...]:
    """Return the schemas that hold the rows of the metrics of a statement, each once.

    `*` may stand for any metric.
    """
    if any(isinstance(item.expression, Star) for item in statement.items):
        families = [family.name for family in typed.collection.metric_families.values()]
    else:
        families = [*_named(typed, statement)]
    named = (schema for name in families for schema in schemas_of_family(typed, name))
    return tuple(dict.fromkeys(named))


def _named(typed: TypedCollection, statement: Statement) -> Iterator[str]:
    """Yield the families that a statement names; an output is what it was named for."""
    outputs = {item.alias.casefold() for item in statement.items if item.alias}
    for expression, named in _expressions(statement, outputs):
        for name in names_in(expression):
            family = typed.collection.folded_families.get(name.text.casefold())
            if family is not None and name.text.casefold() not in named:
                yield family.name


def _expressions(
    statement: Statement, outputs: set[str]
) -> Iterator[tuple[Expression, frozenset[str]]]:
    yield from ((item.expression, frozenset()) for item in statement.items)
    if statement.having is not None:
        yield statement.having, frozenset(outputs)
    yield from ((key.expression, frozenset(outputs)) for key in statement.order_by)


def schemas_of_family(typed: TypedCollection, name: str) -> Iterator[str]:
    """Yield the schemas that a metric family is rooted in, a derived one by its inputs."""
    family = typed.collection.folded_families.get(name.casefold())
    if family is None:
        return
    if isinstance(family.meaning, DerivedMetric):
        for part in names_in(family.meaning.formula):
            yield from schemas_of_family(typed, part.text)
    else:
        yield family.meaning.schema


def reaching(typed: TypedCollection, levels: Iterable[str]) -> tuple[str, ...]:
    """Return the schemas whose rows reach all of some levels, in the order declared."""
    required = frozenset(levels)
    graph = typed.graph
    return tuple(name for name in typed.collection.schemas if required <= graph.reachable(name))


def row_schemas(
    scope: Scope, node: Call, level: LevelTerm | None, ranked: str, filters: tuple[Term, ...]
) -> tuple[str, ...]:
    """Return the schemas whose rows, or whose members of a level, a call reduces.

    Args:
        scope: where it stands.
        node: the call.
        level: the level; None where it is the rows themselves.
        ranked: the comparison by which a member is the first of all; empty: none.
        filters: the conjuncts of its own.

    Raises:
        AmbiguousSchema: nothing says whose rows are meant.
        UnreachableAnchor: no schema reaches the level beside the anchor; or `FilterUnreachable`.
    """
    if scope.source is not None:
        return (scope.source,)
    if len(scope.in_play) == 1:
        return scope.in_play
    if not scope.in_play and level is not None and ranked:
        tested = frozenset().union(*map(levels_of, filters))
        levels = frozenset({level.level, *(scope.row_levels or ())})
        return require_reaching(scope.typed, levels, scope.filtered | tested)
    schemas = tuple(scope.typed.collection.schemas)
    if not scope.in_play and len(schemas) == 1:
        return schemas
    hint = f"add FROM {' or FROM '.join(schemas[:3])}"
    if scope.in_play:
        hint = f"ask for it beside metrics of {' or of '.join(scope.in_play[:3])} alone"
    raise AmbiguousSchema(
        f"{format_expression(node)[:60]} reads rows, and FROM does not say whose",
        place=node.place,
        hint=hint,
    )


def require_reaching(
    typed: TypedCollection, levels: frozenset[str], filtered: frozenset[str]
) -> tuple[str, ...]:
    """Return the schemas whose rows reach some levels and those that their filter reads.

    Raises:
        UnreachableAnchor: there is none that reaches the levels.
        FilterUnreachable: there is none that can be filtered so.
    """
    levels = typed.base_levels(levels)
    schemas = reaching(typed, levels | filtered)
    if not schemas:
        raise _reached_by_none(typed, levels, filtered)
    return schemas


def _reached_by_none(
    typed: TypedCollection, levels: frozenset[str], filtered: frozenset[str]
) -> FlightframeError:
    together = " and ".join(sorted(levels))
    schemas = reaching(typed, levels)
    if not schemas:
        return UnreachableAnchor(
            f"no rows reach {together} together", hint="ask for them one by one"
        )
    others = sorted(filtered - levels)
    return FilterUnreachable(
        f"rows that reach {together} cannot be filtered by {' and '.join(others)}",
        hint=f"{schemas[0]} reaches {', '.join(typed.graph.reachable_in_order(schemas[0])[:12])}",
    )


def rows_metric(
    schema: str,
    operator: str,
    level: LevelTerm | None,
    type_: DataType,
    filters: tuple[Term, ...],
) -> Metric:
    """Return a reducer over the rows of a schema, or over their members of a level."""
    family = f"rows({schema})" if level is None else f"level({schema}.{level.level})"
    return Metric(family, Operator(operator), schema, level, type_, filters)


def first_of(function: str, terms: tuple[Term, ...]) -> Term:
    """Return the term that is first among several by a comparison, `le` or `ge`; NULL is no value.

    Each is compared with those after it: what is not first among them is not first of all.
    """
    *others, last = terms
    ways: list[Term] = []
    for at, term in enumerate(others):
        tests = [_is_value(term)]
        for later in terms[at + 1 :]:
            unbeaten = Apply(BOOLEAN, function, (term, later))
            absent = Apply(BOOLEAN, "is_null", (later,))
            tests.append(Apply(BOOLEAN, "or", (absent, unbeaten)))
        ways += [Apply(BOOLEAN, "and", tuple(tests)), term]
    return last if not ways else Apply(last.type, "case", (*ways, last))


def _is_value(term: Term) -> Term:
    return Apply(BOOLEAN, "not", (Apply(BOOLEAN, "is_null", (term,)),))

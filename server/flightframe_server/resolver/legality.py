"""Whether a metric may be asked at an anchor under a filter: reach, fan-out and `a_block`.

What comes in: metrics, an anchor, a filter. What goes out: nothing, or the one error that says why
not. It must never look at data or at the cache: these are the rules of the collection, the same for
a direct answer, a rollup and a nested frame (laws 4 and 5, docs/laws.md).
"""

from __future__ import annotations

from flightframe_server.algebra.reducers import REDUCERS
from flightframe_server.catalog.collection import RootedMetric
from flightframe_server.errors import (
    BlockedReduction,
    FanOut,
    FilterUnreachable,
    FlightframeError,
    NotFiner,
    UnreachableAnchor,
)
from flightframe_server.resolver.needs import needs_of
from flightframe_server.resolver.predicates import pinned_levels
from flightframe_server.resolver.terms import (
    LevelTerm,
    Metric,
    NestedTerm,
    Term,
    inner_anchor,
    level_text,
    levels_of,
    nested_of,
)
from flightframe_server.resolver.typed import TypedCollection


def check_metric(
    typed: TypedCollection,
    metric: Metric,
    anchor: tuple[str, ...],
    filters: tuple[Term, ...],
    *,
    ascribed: bool = False,
) -> None:
    """Check one metric at one anchor.

    Args:
        typed: the collection.
        metric: the metric.
        anchor: the levels that it is reduced to.
        filters: what the rows are filtered by.
        ascribed: whether that is an anchor of its own, written after `@`.

    Raises:
        UnreachableAnchor: no declared path leads to a level of the anchor, or to the one counted.
        FanOut: the only path would count facts more than once.
        FilterUnreachable: no declared path leads to a level of the filter.
        BlockedReduction: the reducer may not collapse a level that the anchor leaves out.
    """
    check_reach(typed, metric.schema, metric.called, anchor, filters)
    if isinstance(metric.argument, LevelTerm):
        _check_counted(typed, metric, metric.argument.level)
    for part in metric.filter:
        _check_filter(typed, metric.schema, metric.called, part)
    _check_blocks(typed, metric, anchor, filters, ascribed=ascribed)
    if metric.order:
        _check_order(typed, metric, anchor, filters)


def check_reach(
    typed: TypedCollection,
    schema: str,
    what: str,
    anchor: tuple[str, ...],
    filters: tuple[Term, ...],
) -> None:
    """Check that rows of a schema reach every level of an anchor and a filter."""
    base = (one for level in anchor for one in sorted(typed.base_levels((level,))))
    for level in base:
        if typed.graph.schema_path(schema, level) is None:
            raise _unreachable(typed, schema, f"{what} cannot be asked at {level}", level)
    for part in filters:
        _check_filter(typed, schema, what, part)


def _check_counted(typed: TypedCollection, metric: Metric, level: str) -> None:
    """Check that the rows of a schema reach the level whose members are counted in them."""
    if typed.graph.schema_path(metric.schema, level) is None:
        reduced = "counted" if metric.reducer.zero_when_empty else "reduced"
        refusal = f"{level} cannot be {reduced} in {metric.schema}"
        raise _unreachable(typed, metric.schema, refusal, level)


def _check_filter(typed: TypedCollection, schema: str, what: str, part: Term) -> None:
    for level in sorted(levels_of(part)):
        if typed.graph.schema_path(schema, level) is None:
            raise FilterUnreachable(
                f"{what} cannot be filtered by {level}: its rows do not reach it",
                hint=f"{schema} reaches {_reached(typed, schema)}",
            )


def _unreachable(typed: TypedCollection, schema: str, refusal: str, level: str) -> FlightframeError:
    hint = f"{schema} reaches {_reached(typed, schema)}"
    bridges = typed.graph.bridges(typed.graph.reachable(schema), level)
    # A schema is there for numbers of its own: a link between others is not its point.
    links = [name for name in bridges if name not in typed.graph.fact_schemas]
    if links:
        return FanOut(
            f"{refusal}: {links[0]} links them many to many, and facts would count more than once",
            hint=hint,
        )
    if bridges:
        return FanOut(
            f"{refusal}: no edge leads there from {schema},"
            f" and through {bridges[0]} facts would count more than once",
            hint=hint,
        )
    return UnreachableAnchor(f"{refusal}: no declared edge leads there", hint=hint)


def _reached(typed: TypedCollection, schema: str) -> str:
    names = typed.graph.reachable_in_order(schema)
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "")


def _check_blocks(
    typed: TypedCollection,
    metric: Metric,
    anchor: tuple[str, ...],
    filters: tuple[Term, ...],
    *,
    ascribed: bool,
) -> None:
    if not metric.blocks:
        return
    fixed = {*anchor, *pinned_levels(filters)}
    for level in typed.graph.own_levels(metric.schema):
        family = typed.graph.family_of(level)
        if family in metric.blocks and not typed.graph.settled(metric.schema, level, fixed):
            there = f"name {level} after @ too" if ascribed else f"add {level} to AT"
            raise BlockedReduction(
                f"{metric.called} may not aggregate over {family},"
                f" and the anchor leaves out {level}",
                hint=f"{there}, or pin it in WHERE{_other_stock(typed, metric, fixed)}",
            )


def _other_stock(typed: TypedCollection, metric: Metric, fixed: set[str]) -> str:
    """Return in words what may be meant instead by a sum over time of what has a last value.

    No text stands for it: the sum of last values counts what has ended as if it were still there.
    """
    family = typed.collection.metric_families.get(metric.family)
    if family is None or not isinstance(family.meaning, RootedMetric):
        return ""
    declared = family.meaning.reducers
    last = next((item for item in declared if REDUCERS[item.operator].picks_last), None)
    if last is None or not metric.reducer.adds_up:
        return ""
    open_levels = _open_grain(typed, metric, {*fixed, *last.order_by})
    each = f"of each {' and '.join(open_levels)}" if open_levels else "of each point"
    return (
        "; what was there at the end is a SUM declared with a snapshot, and the last value"
        f" {each} is another number, which counts those that ended before"
    )


def _open_grain(typed: TypedCollection, metric: Metric, known: set[str]) -> list[str]:
    """Return the levels of a metric's grain that known levels leave open."""
    grain = {typed.graph.find(level) or level for level in typed.schema(metric.schema).grain}
    return sorted(level for level in grain if not typed.graph.settled(metric.schema, level, known))


def _check_order(
    typed: TypedCollection, metric: Metric, anchor: tuple[str, ...], filters: tuple[Term, ...]
) -> None:
    """Law 5: the anchor and the order key determine the grain, so that there are no ties."""
    order = {term.level for term in metric.order}
    left = _open_grain(typed, metric, {*anchor, *order, *pinned_levels(filters)})
    if left:
        name, listed = metric.operator.name, ", ".join(left)
        raise BlockedReduction(
            f"{name}({metric.family}) has no single row at this anchor: {listed} is left open",
            hint=f"add {listed} to AT: each has a {name.lower()} value of its own, and those of"
            " several are not all of one moment",
        )


def check_nested(
    typed: TypedCollection,
    term: Term,
    anchor: tuple[str, ...],
    filters: tuple[Term, ...],
    *,
    outermost: bool = True,
) -> None:
    """Check that reducers over cells have several to reduce, and that none evades a block.

    Raises:
        NotFiner: the anchor of its own adds no level to the anchor where the reducer stands.
        BlockedReduction: SUM of an inner family is blocked over a dimension family that the outer
            step collapses.
    """
    for nested in nested_of(term):
        typed = typed.with_levels(nested.computed)
        cells = inner_anchor(nested, anchor)
        if not is_finer(typed, nested, anchor):
            inner, point = f"@ {_bracketed(nested.anchor)}", _bracketed(anchor)
            raise NotFiner(
                f"{nested.operator.name}(x {inner}) has one cell at each point of {point}, x"
                f" itself: {inner} adds no level to the anchor, and no total over other points",
                hint="name a level after @ that the anchor leaves open"
                + ("; take the reducer away to have x itself there" if outermost else ""),
            )
        if REDUCERS[nested.operator.name].adds_up:
            fixed = {*anchor, *pinned_levels(filters)}
            for need in needs_of(nested.inner, cells, filters):
                schema = need.metric.schema
                collapsed = {level for level in cells if not typed.settled(schema, level, fixed)}
                _check_outer_sum(typed, need.metric, collapsed)
        check_nested(typed, nested.inner, cells, filters, outermost=False)


def is_finer(typed: TypedCollection, nested: NestedTerm, anchor: tuple[str, ...]) -> bool:
    """Whether a point of an anchor may have several cells of a reducer over an anchor of its own.

    A level that the anchor determines, along the edges that the rows take, splits no point.
    """
    typed = typed.with_levels(nested.computed)
    schemas = {need.metric.schema for need in needs_of(nested.inner, (), ())}
    return any(
        not typed.settled(schema, level, anchor) for schema in schemas for level in nested.anchor
    )


def _bracketed(levels: tuple[str, ...]) -> str:
    return f"({', '.join(map(level_text, levels))})"


def _check_outer_sum(typed: TypedCollection, metric: Metric, collapsed: set[str]) -> None:
    family = typed.collection.metric_families.get(metric.family)
    if family is None or not isinstance(family.meaning, RootedMetric):
        return
    for reducer in family.meaning.reducers:
        if not REDUCERS[reducer.operator].adds_up:
            continue
        own = typed.graph.own_levels(metric.schema)
        blocking = [level for level in own if typed.graph.family_of(level) in reducer.a_block]
        # A season that months determine is time as well, whatever family lists it.
        blocked = typed.graph.determined(blocking)
        for level in sorted(typed.base_levels(collapsed)):
            if level in blocked or typed.graph.family_of(level) in reducer.a_block:
                raise BlockedReduction(
                    f"{reducer.operator} would add {metric.called} up over {level},"
                    f" and {metric.family} does not add up over {', '.join(reducer.a_block)}",
                    hint=f"keep {level} in AT; AVG, MIN and MAX over it are other numbers",
                )


def filter_levels(metric: Metric) -> frozenset[str]:
    """Return the levels that a metric's own filter and argument read."""
    levels: set[str] = set()
    for part in metric.filter:
        levels |= levels_of(part)
    if isinstance(metric.argument, LevelTerm):
        levels.add(metric.argument.level)
    levels.update(term.level for term in metric.order)
    if metric.snapshot is not None:
        levels.update((metric.snapshot.level, *metric.snapshot.per))
    return frozenset(levels)

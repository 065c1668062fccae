"""States: combined when an entry is rolled up, and finished into the value that a metric means.

What comes in: tables of states beside the levels of an anchor. What goes out: coarser tables of
states, or finished values. It must never combine what the table of reducers says never combines.

Moments, (count, mean, M2), merge as in Chan, Golub and LeVeque, 1979; sums of squares would
lose every digit of the variance of 1e9 + {0, 1, 2}.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.algebra.primitives import PRIMITIVES, Combine
from flightframe_server.arrow_types import arrow_type
from flightframe_server.composer.doubles import nan_marks, raised
from flightframe_server.composer.evaluate import as_array, evaluate
from flightframe_server.composer.exact import fitted, summable
from flightframe_server.errors import InternalError
from flightframe_server.planner.source import state_column
from flightframe_server.resolver.finishing import finish_of
from flightframe_server.resolver.terms import Metric, StateTerm, Term

_ANY = pc.ScalarAggregateOptions(skip_nulls=True, min_count=1)


def combine_states(table: pa.Table, anchor: tuple[str, ...], metric: Metric) -> pa.Table:
    """Group a table of one metric's states by an anchor, NULL keys as one group each.

    Sums by region, and the states of a variance, of 1 and 3 and of 5 alone, over all:

        store  region  value          region  value
        S1     East       10    ->    East       30
        S2     East       20          NULL        3
        S9     NULL        3

        store  count  mean  m2          count  mean  m2
        S1         2     2   2    ->        3     3   8
        S2         1     5   0

    Args:
        table: the anchor's levels, possibly others, and the metric's state columns.
        anchor: levels to group by; none gives exactly one row.
        metric: whose states they are.

    Raises:
        ArithmeticOverflow: a sum does not fit its declared type.
    """
    ways = metric.reducer.combines
    if not metric.rolls_up:
        # Only reached where each group holds one row: the rows are kept apart by pinned levels.
        return _one_each(table, anchor, metric)
    if not metric.states:
        return table.select(list(anchor)).group_by(list(anchor), use_threads=False).aggregate([])
    if metric.reducer.ordered:
        return _picked(table, anchor, metric)
    if Combine.CHAN in ways:
        return _chan(table, anchor)
    return _each_by_itself(table, anchor, metric)


def _each_by_itself(table: pa.Table, anchor: tuple[str, ...], metric: Metric) -> pa.Table:
    """Combine states that know nothing of each other: sums, minima, maxima."""
    columns: dict[str, pa.Array] = {}
    functions: dict[str, str] = {}
    for state in metric.reducer.state:
        name, how = state_column(state.name), PRIMITIVES[state.primitive].combine
        values = as_array(table[name])
        columns[name] = summable(values) if how is Combine.SUM else values
        functions[name] = str(how)
        if how is Combine.MAX and pa.types.is_floating(values.type):
            columns[f"{name} nan"], functions[f"{name} nan"] = nan_marks(values), "max"
    grouped = _grouped(table, anchor, columns, functions)
    combined = {level: grouped[level] for level in anchor}
    for own, declared in metric.states:
        name = state_column(own)
        values = as_array(grouped[name])
        if f"{name} nan" in functions:
            values = raised(values, as_array(grouped[f"{name} nan"]))
        combined[name] = fitted(values, arrow_type(declared))
    return pa.table(combined)


def _grouped(
    table: pa.Table,
    anchor: tuple[str, ...],
    columns: Mapping[str, pa.Array],
    functions: Mapping[str, str],
) -> pa.Table:
    keys = {level: table[level] for level in anchor}
    source = pa.table({**keys, **{f" {name}": column for name, column in columns.items()}})
    aggregations = [(f" {name}", functions[name], _ANY) for name in columns]
    grouped = source.group_by(list(anchor), use_threads=False).aggregate(aggregations)
    renamed = {f" {name}_{functions[name]}": name for name in columns}
    names = [renamed.get(name, name) for name in grouped.column_names]
    return grouped.rename_columns(names).select([*anchor, *columns])


def _one_each(table: pa.Table, anchor: tuple[str, ...], metric: Metric) -> pa.Table:
    names = [state_column(name) for name, _ in metric.states]
    states = table.select([*anchor, *names])
    points = states.select(list(anchor)).group_by(list(anchor), use_threads=False).aggregate([])
    if anchor and points.num_rows != states.num_rows:
        raise InternalError(f"{metric} came with several rows for one point")
    if anchor or states.num_rows == 1:
        return states
    if states.num_rows > 1:
        raise InternalError(f"{metric} came with several rows for one point")
    return pa.table({name: pa.nulls(1, states.schema.field(name).type) for name in names})


def _picked(table: pa.Table, anchor: tuple[str, ...], metric: Metric) -> pa.Table:
    """Take, for each point, the state with the first or last key; one without a key is passed by.

    A value may be NULL and still be the answer: only the key decides.
    """
    names = [state_column(name) for name, _ in metric.states]
    keys = [name for name in names if name.startswith(" key")]
    direction = "descending" if metric.reducer.picks_last else "ascending"
    absent = pc.is_null(as_array(table[keys[0]]))
    ranked = pa.table({"absent": absent, **{name: table[name] for name in keys}})
    order = pc.sort_indices(
        ranked, sort_keys=[("absent", "ascending"), *((name, direction) for name in keys)]
    )
    if not anchor:
        if table.num_rows == 0:
            return pa.table({name: pa.nulls(1, table.schema.field(name).type) for name in names})
        return table.select(names).take(order.slice(0, 1))
    # Rows are picked by number, since grouping knows no first value of a decimal.
    states = table.select([*anchor, *names]).take(order)
    numbered = states.select(list(anchor)).append_column(" row", pa.arange(0, states.num_rows))
    first = numbered.group_by(list(anchor), use_threads=False).aggregate([(" row", "min")])
    return states.take(as_array(first[" row_min"]))


def _chan(table: pa.Table, anchor: tuple[str, ...]) -> pa.Table:
    count, mean, m2 = (as_array(table[name]) for name in (" count", " mean", " m2"))
    weight = count.cast(pa.float64())
    first = _grouped(
        table,
        anchor,
        {" count": count, " total": pc.multiply(weight, mean)},
        {" count": "sum", " total": "sum"},
    )
    means = pc.divide(first[" total"], as_array(first[" count"]).cast(pa.float64()))
    means = pc.if_else(pc.equal(first[" count"], 0), pa.scalar(None, pa.float64()), means)
    own = _matching(table, first, as_array(means), anchor)
    shift = pc.subtract(mean, own)
    spread = pc.add(m2, pc.multiply(weight, pc.multiply(shift, shift)))
    second = _grouped(table, anchor, {" m2": spread}, {" m2": "sum"})
    columns = {level: first[level] for level in anchor}
    return pa.table({**columns, " count": first[" count"], " mean": means, " m2": second[" m2"]})


def _matching(
    table: pa.Table, groups: pa.Table, values: pa.Array, anchor: tuple[str, ...]
) -> pa.Array:
    """Return, for each row of `table`, the value of its group."""
    if not anchor:
        return pa.repeat(values[0], table.num_rows)
    rows = {key: index for index, key in enumerate(_keys(groups, anchor))}
    return values.take(pa.array([rows[key] for key in _keys(table, anchor)], pa.int64()))


def _keys(table: pa.Table, anchor: tuple[str, ...]) -> list[tuple[object, ...]]:
    return list(zip(*(table[level].to_pylist() for level in anchor), strict=True))


def finish(table: pa.Table, names: Mapping[str, str], metric: Metric) -> pa.Array:
    """Return the values that a metric's states mean.

    Args:
        table: where the states stand; a missing point's states are NULL.
        names: for each state column, its name in `table`.
        metric: whose states they are.
    """

    def state(term: Term) -> pa.Array:
        assert isinstance(term, StateTerm)
        return as_array(table[names[term.name]])

    sole_state = metric.reducer.finish
    if isinstance(sole_state, str):
        values = as_array(table[names[sole_state]])
    else:
        values = evaluate(finish_of(metric), state, table.num_rows)
    if metric.fill is not None:
        return pc.fill_null(values, pa.scalar(metric.fill, values.type))
    if metric.reducer.zero_when_empty:
        return pc.fill_null(values, 0)
    return values

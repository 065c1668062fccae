"""One entry rolled up: look levels up, filter, drop levels, combine states.

What comes in: an entry's table and the legal rollup that the planner chose. What goes out: the
metric's states at the target anchor, sorted, as an entry of that anchor would hold them. It must
never judge legality: that was the planner's, once.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.composer.evaluate import Columns, as_array, evaluate
from flightframe_server.composer.level_lookup import EdgeMaps, roll_to
from flightframe_server.composer.order import sort_points
from flightframe_server.composer.states import combine_states
from flightframe_server.errors import InternalError
from flightframe_server.planner.plan import Rollup
from flightframe_server.resolver.terms import LevelTerm, Metric, Term


def roll_up(
    table: pa.Table, rollup: Rollup, anchor: tuple[str, ...], metric: Metric, maps: EdgeMaps
) -> pa.Table:
    """Return a metric's states at `anchor` (sorted levels) from a finer entry's table.

    A sum at `(day, region)` to `month`, WHERE region = 'East':

        day         region  value          month       value
        2024-01-31  East       10    ->    2024-01-01     10
        2024-02-01  East       20          2024-02-01     25
        2024-02-02  East        5
        2024-02-02  West        7

    Raises:
        ArithmeticOverflow: a sum does not fit its declared type.
    """
    table = roll_to(table, rollup.lookups, maps)
    if rollup.filter:
        table = table.filter(keep(table, rollup.filter))
    for level in rollup.computed:
        members = evaluate(level.term, _column_of(table), table.num_rows)
        table = table.append_column(level.level, members)
    return sort_points(combine_states(table, anchor, metric), anchor)


def keep(table: pa.Table, filters: tuple[Term, ...]) -> pa.Array:
    """Return which rows satisfy every conjunct; unknown counts as no."""
    column = _column_of(table)
    mask = pa.repeat(pa.scalar(True), table.num_rows)
    for part in filters:
        mask = pc.and_kleene(mask, evaluate(part, column, table.num_rows))
    return pc.fill_null(mask, False)


def _column_of(table: pa.Table) -> Columns:
    """Return what gives the members of a level that a term reads."""

    def column(term: Term) -> pa.Array:
        if isinstance(term, LevelTerm):
            return as_array(table[term.level])
        raise InternalError("only levels are read here")

    return column

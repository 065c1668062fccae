"""A frame: the levels of one anchor beside states, and the values that terms have over them.

What comes in: for each metric the table of its states at the anchor it is read at. What goes out:
frames, in which every metric is finished once and every nested term is reduced from cells of its
own. It must never let a point go: a frame has every point of any of its parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from flightframe_server.algebra.reducers import REDUCERS
from flightframe_server.composer.cells import reduce_cells
from flightframe_server.composer.evaluate import as_array, evaluate
from flightframe_server.composer.merge import attach, combine_points, merge, rows_at
from flightframe_server.composer.order import sort_points
from flightframe_server.composer.states import finish
from flightframe_server.errors import InternalError
from flightframe_server.planner.source import state_column, state_name
from flightframe_server.resolver.needs import Need
from flightframe_server.resolver.terms import (
    AscribedTerm,
    LevelTerm,
    Metric,
    MetricTerm,
    NestedTerm,
    Term,
    ascribed_of,
    inner_anchor,
    metrics_of,
    nested_of,
)


class Frame:
    """Merged states of one anchor, with the values of metrics, each finished once.

    Args:
        table: the levels, then states named by `state_name`, then cells named ` n0`, ` n1`, ...,
            then values of other anchors, ` @1`, ...
        metrics: each metric's number in the states' names.
        nested: the column of each nested term, and of each term at an anchor of its own.
    """

    def __init__(
        self,
        table: pa.Table,
        metrics: Mapping[Metric, int],
        nested: Mapping[NestedTerm | AscribedTerm, str],
    ) -> None:
        """Hold the table; see the class."""
        self.table = table
        self._metrics, self._nested = metrics, nested
        self._finished: dict[Metric, pa.Array] = {}

    def values(self, term: Term) -> pa.Array:
        """Return the values of a term, one for each point.

        Raises:
            ArithmeticOverflow: a value does not fit its declared type.
        """
        return evaluate(term, self._column, self.table.num_rows)

    def where(self, predicate: Term) -> Frame:
        """Return the points of which a predicate is true."""
        return self.over(self.table.filter(pc.fill_null(self.values(predicate), False)))

    def over(self, table: pa.Table) -> Frame:
        """Return the frame over other rows of the same columns."""
        return Frame(table, self._metrics, self._nested)

    def beside(self, term: AscribedTerm, values: pa.Array) -> Frame:
        """Return the frame with the values of a term at an anchor of its own."""
        name = f" @{len(self._nested)}"
        table = self.table.append_column(name, values)
        return Frame(table, self._metrics, {**self._nested, term: name})

    def _column(self, term: Term) -> pa.Array:
        match term:
            case LevelTerm(level=level):
                return as_array(self.table[level])
            case MetricTerm(metric=metric):
                if metric not in self._finished:
                    at = self._metrics[metric]
                    names = {name: state_name(at, name) for name, _ in metric.states}
                    self._finished[metric] = finish(self.table, names, metric)
                return self._finished[metric]
            case AscribedTerm():
                return as_array(self.table[self._nested[term]])
            case NestedTerm(operator=operator):
                values = as_array(self.table[self._nested[term]])
                if REDUCERS[operator.name].zero_when_empty:
                    return pc.fill_null(values, 0)
                return values
        raise InternalError("a frame holds levels and metrics only")


class Cells:
    """Every part of a question, by what it was needed for."""

    def __init__(self, parts: Mapping[Need, pa.Table]) -> None:
        """Hold the parts."""
        self._parts = parts

    def frame(
        self,
        terms: Sequence[Term],
        anchor: tuple[str, ...],
        filters: tuple[Term, ...],
        *,
        hidden: Sequence[Term] = (),
        points: pa.Table | None = None,
        places: Mapping[str, Term] = MappingProxyType({}),
    ) -> Frame:
        """Return the frame at a sorted anchor in which these terms have values.

        Args:
            terms: their metrics make the points.
            anchor: the levels of a point, sorted.
            filters: what the rows below them satisfy.
            hidden: terms that have values as well, and make no point.
            points: the points themselves, where no metric of `terms` makes them.
            places: what finds levels at a point that its anchor determines, for terms at anchors of
                their own.
        """
        every = (*terms, *hidden)
        metrics = tuple(dict.fromkeys(metric for term in every for metric in metrics_of(term)))
        nested = tuple(dict.fromkeys(part for term in every for part in nested_of(term)))
        index = {metric: at for at, metric in enumerate(metrics)}
        names: dict[NestedTerm | AscribedTerm, str] = {
            part: f" n{at}" for at, part in enumerate(nested)
        }
        tables: dict[Metric | NestedTerm, pa.Table] = {
            metric: _named(self._parts[Need(metric, anchor, filters)], at, metric)
            for metric, at in index.items()
        }
        tables |= {part: self._reduced(part, anchor, filters, names[part]) for part in nested}
        makers = {part for term in terms for part in (*metrics_of(term), *nested_of(term))}
        making = [table for part, table in tables.items() if part in makers]
        others = [table for part, table in tables.items() if part not in makers]
        merged = merge(making if points is None else [points, *making], anchor)
        frame = Frame(attach(merged, others, anchor), index, names)
        for part in dict.fromkeys(part for term in every for part in ascribed_of(term)):
            frame = frame.beside(part, self._ascribed(part, frame, anchor, filters, places))
        return frame

    def _ascribed(
        self,
        term: AscribedTerm,
        frame: Frame,
        anchor: tuple[str, ...],
        filters: tuple[Term, ...],
        places: Mapping[str, Term],
    ) -> pa.Array:
        """Return the values of a term at an anchor of its own, one for each point of a frame."""
        if not term.anchor:
            total = self.frame((term.inner,), (), filters).values(term.inner)
            return pa.repeat(total[0], frame.table.num_rows)
        columns = [
            as_array(frame.table[level]) if level in anchor else frame.values(places[level])
            for level in term.anchor
        ]
        at_points = pa.table(columns, names=list(term.anchor))
        points = sort_points(combine_points(at_points), term.anchor)
        inner = self.frame((), term.anchor, filters, hidden=(term.inner,), points=points)
        row_numbers = rows_at(inner.table.select(list(term.anchor)), at_points)
        return inner.values(term.inner).take(row_numbers)

    def _reduced(
        self,
        nested: NestedTerm,
        anchor: tuple[str, ...],
        filters: tuple[Term, ...],
        name: str,
    ) -> pa.Table:
        inner = self.frame((nested.inner,), inner_anchor(nested, anchor), filters)
        cells = inner.table.select(list(anchor)).append_column(name, inner.values(nested.inner))
        return reduce_cells(cells, anchor, name, nested)


def _named(table: pa.Table, index: int, metric: Metric) -> pa.Table:
    own = {state_column(name): state_name(index, name) for name, _ in metric.states}
    return table.rename_columns([own.get(name, name) for name in table.column_names])

"""Window functions over answers.

What comes in: the windows of a SELECT and the rows that they are over. What goes out: the rows with
a column for each. It must never read another frame of rows than the one written.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from flightframe_server.algebra.frame_functions import (
    ADDING,
    ENDS,
    NEIGHBOURS,
    RANKS,
    SHARES,
    TOTALS,
    FrameFunction,
)
from flightframe_server.errors import NotSupported, Place, TypeMismatch
from flightframe_server.language.syntax import Literal
from flightframe_server.outer.algebra import RowRange, SortKey, Window, WindowCall
from flightframe_server.outer.typing import raised, window_type
from flightframe_server.resolver.terms import Constant, Term
from flightframe_server.resolver.values import common_type
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import Reading
from flightframe_server.sql.relations import NamedColumn, Relation
from flightframe_server.sql.stages import Stage
from flightframe_server.sql.trees import Key

_FUNCTIONS: dict[type[exp.Expr], FrameFunction] = {
    exp.Rank: FrameFunction.RANK,
    exp.DenseRank: FrameFunction.DENSE_RANK,
    exp.RowNumber: FrameFunction.ROW_NUMBER,
    exp.Ntile: FrameFunction.NTILE,
    exp.PercentRank: FrameFunction.PERCENT_RANK,
    exp.CumeDist: FrameFunction.CUME_DIST,
    exp.Lag: FrameFunction.LAG,
    exp.Lead: FrameFunction.LEAD,
    exp.FirstValue: FrameFunction.FIRST_VALUE,
    exp.LastValue: FrameFunction.LAST_VALUE,
    exp.Sum: FrameFunction.SUM,
    exp.Avg: FrameFunction.AVG,
    exp.Min: FrameFunction.MIN,
    exp.Max: FrameFunction.MAX,
    exp.Count: FrameFunction.COUNT,
}
_MOST = 2**31 - 1

Placed = Callable[[Term], int]
"""Takes a term into the rows that a window reads, and gives its place there."""


def windowed(stage: Stage, windows: dict[Key, exp.Expr]) -> Stage:
    """Return rows with a column behind them for each window.

    Raises:
        QueryError: a window is not answered.
    """
    if not windows:
        return stage
    terms: list[Term] = []
    first = len(stage.relation.types)

    def place(term: Term) -> int:
        terms.append(term)
        return first + len(terms) - 1

    nodes = (node for node in windows.values() if isinstance(node, exp.Window))
    calls = [_Window(stage, node).call(place) for node in nodes]
    project, _ = stage.with_terms(terms)
    made = Window(project, tuple(calls))
    begins = first + len(terms)
    known = {**stage.known, **{key: begins + at for at, key in enumerate(windows)}}
    spare = len(made.types) - first
    named = (*stage.relation.columns, *(NamedColumn("") for _ in range(spare)))
    relation = Relation(made, named, stage.relation.unique)
    return Stage(stage.context, relation, stage.column_key, known, stage.grouped)


class _Window:
    """One window being read."""

    def __init__(self, stage: Stage, node: exp.Window) -> None:
        self._stage, self._node = stage, node
        self._place: Place = place_of(node)

    def call(self, place: Placed) -> WindowCall:
        """Return the window's value; `place` gives the places of what it reads."""
        node, function = self._node, _FUNCTIONS.get(type(self._node.this))
        if function is None or node.args.get("over") != "OVER":
            raise NotSupported(
                "this window function (OVER) is not answered",
                place=self._place,
                hint="RANK, DENSE_RANK, PERCENT_RANK, CUME_DIST, ROW_NUMBER, NTILE, LAG, LEAD,"
                " FIRST_VALUE, LAST_VALUE, SUM, AVG, MIN, MAX and COUNT are",
            )
        self._check_read_as_sums(function)
        argument = self._argument(function)
        default = self._default(function)
        if argument is not None and default is not None:
            shared = common_type(argument.type, default.type)
            if shared is None:
                raise TypeMismatch(
                    f"{function} of {argument.type} has no {default.type} beside it",
                    place=self._place,
                )
            argument, default = raised(argument, shared), raised(default, shared)
        type_ = window_type(function, None if argument is None else argument.type, self._place)
        partition = tuple(
            place(self._stage.term(part)) for part in node.args.get("partition_by") or ()
        )
        order = self._order(place)
        return WindowCall(
            function,
            None if argument is None else place(argument),
            type_,
            partition,
            order,
            self._range(function),
            self._count(function),
            default,
        )

    def _check_read_as_sums(self, function: FrameFunction) -> None:
        """Refuse to add up metrics that an option reads for SUM: a tool means a total by it."""
        if function in ADDING and self._stage.context.reading.notes:
            raise NotSupported(
                f"{function} over metrics that sum_means reads for SUM is no total",
                place=self._place,
                hint="ask for the metric at the keys of the total, by a query of its own",
            )

    def _argument(self, function: FrameFunction) -> Term | None:
        inner = self._node.this.this
        if function in RANKS | SHARES:
            return None
        if function == FrameFunction.COUNT and isinstance(inner, exp.Star | exp.Literal):
            return None
        if inner is None or isinstance(inner, exp.Distinct):
            raise NotSupported("DISTINCT in a window is not answered", place=self._place)
        return self._stage.term(inner)

    def _order(self, place: Placed) -> tuple[SortKey, ...]:
        clause = self._node.args.get("order")
        keys = [] if clause is None else clause.expressions
        return tuple(
            SortKey(
                place(self._stage.term(_no_ordinal(key.this))),
                bool(key.args.get("desc")),
                bool(key.args.get("nulls_first")),
            )
            for key in keys
        )

    def _default(self, function: FrameFunction) -> Term | None:
        written = self._node.this.args.get("default") if function in NEIGHBOURS else None
        if written is None:
            return None
        term = self._stage.term(written)
        if not isinstance(term, Constant):
            raise NotSupported(f"{function} takes a constant default", place=place_of(written))
        return term

    def _count(self, function: FrameFunction) -> int | None:
        reading = self._stage.context.reading
        if function == FrameFunction.NTILE:
            what = "NTILE takes a whole number of buckets, from 1"
            return whole_number(self._node.this.this, reading, what, least=1)
        if function in NEIGHBOURS:
            written = self._node.this.args.get("offset")
            what = f"{function} takes a whole number of rows, from 0"
            return 1 if written is None else whole_number(written, reading, what, least=0)
        return None

    def _range(self, function: FrameFunction) -> RowRange | None:
        spec = self._node.args.get("spec")
        if spec is None:
            return None
        if function not in TOTALS | ENDS:
            raise NotSupported(f"{function} reads no frame of rows", place=self._place)
        kind = str(spec.args.get("kind") or "").upper()
        if kind not in ("ROWS", "RANGE"):
            raise NotSupported(f"a window of {kind} is not answered", place=self._place)
        if kind == "RANGE" and any(
            isinstance(spec.args.get(x), exp.Expr) for x in ("start", "end")
        ):
            raise NotSupported("RANGE with a distance is not answered", place=self._place)
        start = self._bound(spec.args.get("start"), spec.args.get("start_side"), begins=True)
        end: int | None = 0
        if spec.args.get("end") is not None:
            end = self._bound(spec.args.get("end"), spec.args.get("end_side"), begins=False)
        if start is not None and end is not None and start > end:
            raise NotSupported("a window that begins behind its end", place=self._place)
        return RowRange(kind == "ROWS", start, end)

    def _bound(self, written: object, side: object, *, begins: bool) -> int | None:
        word, where = written if isinstance(written, str) else "", str(side or "").upper()
        if word.upper() == "CURRENT ROW":
            return 0
        if word.upper() == "UNBOUNDED":
            if (where == "PRECEDING") is not begins:
                raise NotSupported("a window that begins at its end", place=self._place)
            return None
        if not isinstance(written, exp.Expr) or where not in ("PRECEDING", "FOLLOWING"):
            raise NotSupported("this frame of a window is not answered", place=self._place)
        what = "the frame of a window counts whole rows, from 0"
        distance = whole_number(written, self._stage.context.reading, what, least=0)
        return -distance if where == "PRECEDING" else distance


def _no_ordinal(node: exp.Expr) -> exp.Expr:
    if isinstance(node.unnest(), exp.Literal):
        raise NotSupported("a window is ordered by values, not constants", place=place_of(node))
    return node


def whole_number(node: exp.Expr, reading: Reading, what: str, *, least: int) -> int:
    """Return a whole number of a text; of a parameter without a value, the least.

    Raises:
        TypeMismatch: it is none, said by `what`.
    """
    counted = reading.count(node, what)
    if not isinstance(counted, Literal):
        return least
    value = counted.value
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
        raise TypeMismatch(what, place=counted.place)
    return value

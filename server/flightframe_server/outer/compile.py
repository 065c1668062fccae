"""The algebra over answers as one statement of our own.

What comes in: a tree. What goes out: text over frames `f0`, `f1`, ... whose columns are `c0`, `c1`,
..., with its values bound. It must never write a name or a value that came from a client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flightframe_server.algebra.frame_functions import TOTALS, FrameFunction
from flightframe_server.backends.duckdb.frame_words import FrameWords
from flightframe_server.language.syntax import LiteralValue
from flightframe_server.outer.algebra import (
    Aggregate,
    Combine,
    Distinct,
    Filter,
    Frame,
    Join,
    Node,
    Pair,
    Project,
    Sort,
    SortKey,
    Window,
    WindowCall,
    sources,
)

_ANY_ORDER = frozenset(
    {FrameFunction.ROW_NUMBER, FrameFunction.NTILE, FrameFunction.LAG, FrameFunction.LEAD}
)
"""Functions that a finer order of rows changes to nothing that the order as written forbids."""


@dataclass(frozen=True, slots=True)
class OuterStatement:
    """One text with the values bound in it."""

    sql: str
    values: dict[str, LiteralValue]


def statement_of(node: Node) -> OuterStatement:
    """Return a tree as a statement."""
    words = FrameWords()
    return OuterStatement(_Writer(words).select(node), words.values)


def pair_counts(node: Node) -> Iterator[OuterStatement]:
    """Yield for each join, inner ones first, the statement that counts its pairs of rows."""
    for part in sources(node):
        yield from pair_counts(part)
    if isinstance(node, Join) and node.pairs:
        words = FrameWords()
        yield OuterStatement(_Writer(words).pair_count(node), words.values)


@dataclass(frozen=True, slots=True)
class _Writer:
    words: FrameWords

    def select(self, node: Node) -> str:
        match node:
            case Frame(island=island):
                return f"SELECT {_listed(len(node.types))} FROM f{island}"
            case Filter(source=source, condition=condition):
                test = self.words.term(condition)
                return f"SELECT {_listed(len(node.types))} FROM {self._nested(source)} WHERE {test}"
            case Project(source=source, values=values):
                return f"SELECT {_named(map(self.words.term, values))} FROM {self._nested(source)}"
            case Distinct(source=source):
                return f"SELECT DISTINCT {_listed(len(node.types))} FROM {self._nested(source)}"
            case Join():
                return self._join(node)
            case Aggregate():
                return self._aggregate(node)
            case Window():
                return self._window(node)
            case Combine():
                return self._combine(node)
            case Sort():
                return self._sort(node)

    def pair_count(self, join: Join) -> str:
        pairs = join.pairs
        left = self._counted(join.left, [pair.left for pair in pairs])
        right = self._counted(join.right, [pair.right for pair in pairs])
        on = _matched([Pair(at, at, pair.null_safe) for at, pair in enumerate(pairs)])
        return f"SELECT sum(l.n * r.n) FROM ({left}) AS l JOIN ({right}) AS r ON {on}"

    def _counted(self, node: Node, keys: list[int]) -> str:
        listed = ", ".join(f"c{key} AS c{at}" for at, key in enumerate(keys))
        grouped = ", ".join(str(at + 1) for at in range(len(keys)))
        return (
            f"SELECT {listed}, CAST(count(*) AS DOUBLE) AS n FROM {self._nested(node)}"
            f" GROUP BY {grouped}"
        )

    def _nested(self, node: Node) -> str:
        return f"({self.select(node)})"

    def _join(self, join: Join) -> str:
        first, second = len(join.left.types), len(join.right.types)
        names = [f"l.c{at} AS c{at}" for at in range(first)]
        names += [f"r.c{at} AS c{first + at}" for at in range(second)]
        on = _matched(join.pairs) if join.pairs else "TRUE"
        left, right = self._nested(join.left), self._nested(join.right)
        return f"SELECT {', '.join(names)} FROM {left} AS l {join.kind} JOIN {right} AS r ON {on}"

    def _window(self, node: Window) -> str:
        first = len(node.source.types)
        named = _named((self._call(call, first) for call in node.calls), first)
        return f"SELECT {_listed(first)}, {named} FROM {self._nested(node.source)}"

    def _combine(self, node: Combine) -> str:
        word = f"{node.how} ALL" if node.keep_all else str(node.how)
        listed = _listed(len(node.types))
        left, right = (f"SELECT {listed} FROM {self._nested(x)}" for x in (node.left, node.right))
        return f"SELECT {listed} FROM ({left} {word} {right})"

    def _aggregate(self, node: Aggregate) -> str:
        types, keys = node.source.types, len(node.keys)
        made = [
            self.words.aggregate(
                one.function,
                None if one.argument is None else f"c{one.argument}",
                None if one.argument is None else types[one.argument],
                one.type,
            )
            for one in node.measures
        ]
        parts = [f"c{key} AS c{at}" for at, key in enumerate(node.keys)]
        parts += [f"{text} AS c{keys + at}" for at, text in enumerate(made)]
        sql = f"SELECT {', '.join(parts)} FROM {self._nested(node.source)}"
        if not keys:
            return sql
        return f"{sql} GROUP BY {', '.join(str(at + 1) for at in range(keys))}"

    def _sort(self, node: Sort) -> str:
        sql = f"SELECT {_listed(node.shown)} FROM {self._nested(node.source)}"
        cut = node.count is not None or node.offset > 0
        keys = _refined(node.keys, len(node.source.types)) if node.keys or cut else ()
        if keys:
            sql += f" ORDER BY {_ordered(keys)}"
        if node.count is not None:
            sql += f" LIMIT {int(node.count)}"
        return f"{sql} OFFSET {int(node.offset)}" if node.offset else sql

    def _call(self, call: WindowCall, columns: int) -> str:
        argument = None if call.argument is None else f"c{call.argument}"
        window = _window(call, columns)
        if call.function in TOTALS:
            return self.words.total_over(call.function, argument, call.type, window)
        return f"{call.function.lower()}({', '.join(self._arguments(call, argument))}) {window}"

    def _arguments(self, call: WindowCall, argument: str | None) -> Iterator[str]:
        if argument is not None:
            yield argument
        if call.count is not None:
            yield str(int(call.count))
        if call.default is not None:
            yield self.words.term(call.default)


def _listed(count: int) -> str:
    return ", ".join(f"c{at}" for at in range(count))


def _named(texts: Iterable[str], first: int = 0) -> str:
    return ", ".join(f"{text} AS c{first + at}" for at, text in enumerate(texts))


def _matched(pairs: Iterable[Pair]) -> str:
    return " AND ".join(
        f"l.c{pair.left} {'IS NOT DISTINCT FROM' if pair.null_safe else '='} r.c{pair.right}"
        for pair in pairs
    )


def _refined(keys: tuple[SortKey, ...], columns: int) -> tuple[SortKey, ...]:
    """Return keys with all further columns behind them, so that no order is left open."""
    used = {key.column for key in keys}
    return (*keys, *(SortKey(at) for at in range(columns) if at not in used))


def _ordered(keys: Iterable[SortKey]) -> str:
    return ", ".join(
        f"c{key.column} {'DESC' if key.descending else 'ASC'}"
        f" NULLS {'FIRST' if key.nulls_first else 'LAST'}"
        for key in keys
    )


def _window(call: WindowCall, columns: int) -> str:
    parts = []
    if call.partition:
        parts.append(f"PARTITION BY {', '.join(f'c{at}' for at in call.partition)}")
    order, frame = call.order, _frame(call)
    if _may_refine(call):
        order = _refined(order, columns)
    if order:
        parts.append(f"ORDER BY {_ordered(order)}")
    if frame:
        parts.append(frame)
    return f"OVER ({' '.join(parts)})"


def _may_refine(call: WindowCall) -> bool:
    """Whether a finer order gives only what the order as written may give as well.

    Where a frame ends with rows of equal keys, a finer order would cut some of them off.
    """
    if call.function in _ANY_ORDER:
        return True
    if call.range is not None and call.range.rows:
        return True
    if call.function == FrameFunction.FIRST_VALUE:
        return call.range is None or call.range.start is None
    if call.function == FrameFunction.LAST_VALUE:
        return not call.order if call.range is None else call.range.end is None
    return False


def _frame(call: WindowCall) -> str:
    if call.range is None:
        # Without an order all rows of a partition are one frame; a finer order must not end it.
        unbounded = call.function == FrameFunction.LAST_VALUE and not call.order
        return "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING" if unbounded else ""
    word = "ROWS" if call.range.rows else "RANGE"
    start = _bound(call.range.start, "PRECEDING")
    return f"{word} BETWEEN {start} AND {_bound(call.range.end, 'FOLLOWING')}"


def _bound(distance: int | None, unbounded: str) -> str:
    if distance is None:
        return f"UNBOUNDED {unbounded}"
    if distance == 0:
        return "CURRENT ROW"
    return f"{abs(distance)} {'PRECEDING' if distance < 0 else 'FOLLOWING'}"

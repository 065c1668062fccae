"""The constructs of SQL that are known: over the catalogue, and over metrics and their tables.

What comes in: a tree of sqlglot. What goes out: nothing, or the error that names the first
construct that is not known. It must never be a list of what is refused: a parser's next version
puts a new meaning into a new argument (NOT LIKE is one), and what is not read would be left out in
silence. So an argument stands here only where a module reads it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from flightframe_server.errors import NotSupported
from flightframe_server.sql.places import place_of
from flightframe_server.sql.totals import is_total
from flightframe_server.sql.written_words import word_of

_TWO = frozenset({"this", "expression"})
_ONE = frozenset({"this"})
_MANY = frozenset({"expressions"})

Nodes = Mapping[type[exp.Expr], frozenset[str]]

CATALOGUE: Nodes = {
    exp.Select: frozenset(
        {"expressions", "from_", "where", "order", "limit", "offset", "distinct"}
    ),
    exp.From: _ONE,
    exp.Table: frozenset({"this", "db", "catalog", "alias"}),
    exp.Subquery: frozenset({"this", "alias"}),
    exp.TableAlias: frozenset({"this", "columns"}),
    exp.Values: frozenset({"expressions", "alias"}),
    exp.Tuple: _MANY,
    exp.Where: _ONE,
    exp.Order: frozenset({"expressions"}),
    exp.Ordered: frozenset({"this", "desc", "nulls_first"}),
    exp.Limit: frozenset({"expression"}),
    exp.Offset: frozenset({"expression"}),
    exp.Fetch: frozenset({"direction", "count", "limit_options"}),
    exp.LimitOptions: frozenset({"rows"}),
    exp.Distinct: frozenset(),
    exp.Identifier: frozenset({"this", "quoted"}),
    exp.Column: frozenset({"this", "table", "db", "catalog"}),
    exp.Star: frozenset(),
    exp.Alias: frozenset({"this", "alias"}),
    exp.Count: frozenset({"this", "big_int"}),
    exp.Placeholder: _ONE,
    exp.Literal: frozenset({"this", "is_string"}),
    exp.Boolean: _ONE,
    exp.Null: frozenset(),
    exp.Neg: _ONE,
    exp.Paren: _ONE,
    exp.Lower: _ONE,
    exp.Upper: _ONE,
    exp.And: _TWO,
    exp.Or: _TWO,
    exp.Not: _ONE,
    exp.EQ: _TWO,
    exp.NEQ: _TWO,
    exp.LT: _TWO,
    exp.LTE: _TWO,
    exp.GT: _TWO,
    exp.GTE: _TWO,
    exp.In: frozenset({"this", "expressions"}),
    exp.Between: frozenset({"this", "low", "high"}),
    exp.Is: _TWO | {"negate"},
    exp.Like: _TWO | {"negate"},
    exp.ILike: _TWO | {"negate"},
    exp.Escape: _TWO,
    exp.Anonymous: frozenset({"this", "expressions"}),
    exp.CurrentDatabase: frozenset(),
    exp.CurrentCatalog: frozenset(),
    exp.CurrentSchema: frozenset(),
    exp.CurrentUser: frozenset(),
    exp.SessionUser: frozenset(),
    exp.CurrentTimestamp: frozenset(),
    exp.Localtimestamp: frozenset(),
    exp.CurrentDate: frozenset(),
}
"""Each kind of node over the catalogue with the arguments that are read."""

_SHARED = (
    *(exp.From, exp.Table, exp.Where, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Fetch),
    *(exp.LimitOptions, exp.Identifier, exp.Column, exp.Star, exp.Alias, exp.Placeholder),
    *(exp.Literal, exp.Boolean, exp.Null, exp.Neg, exp.Paren, exp.Lower, exp.Upper, exp.And),
    *(exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between),
    *(exp.Is, exp.Like, exp.ILike, exp.Escape, exp.Subquery, exp.TableAlias),
)

QUESTION: Nodes = {
    **{node: CATALOGUE[node] for node in _SHARED},
    exp.TableAlias: _ONE,
    exp.Select: CATALOGUE[exp.Select] | {"group", "having", "with_", "joins"},
    exp.With: frozenset({"expressions"}),
    exp.CTE: frozenset({"this", "alias"}),
    exp.Join: frozenset({"this", "side", "kind", "on"}),
    exp.Group: frozenset({"expressions", "all"}),
    exp.Having: _ONE,
    exp.Rollup: _MANY,
    exp.Cube: _MANY,
    exp.GroupingSets: _MANY,
    exp.Tuple: _MANY,
    exp.Grouping: _MANY,
    exp.GroupingId: _MANY,
    exp.Distinct: frozenset({"expressions"}),
    exp.Count: frozenset({"this", "big_int"}),
    exp.Sum: _ONE,
    exp.Min: _ONE,
    exp.Max: _ONE,
    exp.Avg: _ONE,
    exp.Median: _ONE,
    exp.Stddev: _ONE,
    exp.StddevSamp: _ONE,
    exp.Variance: _ONE,
    exp.PercentileCont: _ONE,
    exp.WithinGroup: _TWO,
    exp.Filter: _TWO,
    exp.Window: frozenset({"this", "partition_by", "over"}),
    exp.Agg: _ONE,
    exp.Anonymous: frozenset({"this", "expressions"}),
    exp.Add: _TWO,
    exp.Sub: _TWO,
    exp.Mul: _TWO,
    exp.Div: _TWO,
    exp.Mod: _TWO,
    exp.DPipe: _TWO | {"safe"},
    exp.NullSafeEQ: _TWO,
    exp.NullSafeNEQ: _TWO,
    exp.Case: frozenset({"this", "ifs", "default"}),
    exp.If: frozenset({"this", "true"}),
    exp.Coalesce: frozenset({"this", "expressions"}),
    exp.Nullif: _TWO,
    exp.Abs: _ONE,
    exp.Sqrt: _ONE,
    exp.Round: frozenset({"this", "decimals"}),
    exp.Substring: frozenset({"this", "start", "length"}),
    exp.Greatest: frozenset({"this", "expressions", "ignore_nulls"}),
    exp.Least: frozenset({"this", "expressions", "ignore_nulls"}),
    exp.Floor: _ONE,
    exp.Ceil: _ONE,
    exp.Length: _ONE,
    exp.Left: _TWO,
    exp.Right: _TWO,
    exp.Trim: _ONE,
    exp.StrPosition: frozenset({"this", "substr"}),
    exp.Replace: frozenset({"this", "expression", "replacement"}),
    exp.Cast: frozenset({"this", "to"}),
    exp.DataType: frozenset({"this", "expressions"}),
    exp.DataTypeParam: _ONE,
    exp.DateTrunc: frozenset({"this", "unit"}),
    exp.Extract: _TWO,
    exp.Var: _ONE,
    exp.Trunc: _ONE,
    exp.Year: _ONE,
    exp.Quarter: _ONE,
    exp.Month: _ONE,
    exp.Date: _ONE,
    exp.Interval: frozenset({"this", "unit"}),
    exp.AtTimeZone: frozenset({"this", "zone"}),
    exp.ToChar: frozenset({"this", "format"}),
    exp.Monthname: _ONE,
    exp.Dayname: _ONE,
    exp.CurrentDate: frozenset(),
    exp.CurrentTimestamp: frozenset(),
}
"""Each kind of node over metrics and their tables with the arguments that are read."""

_COMBINED = frozenset({"this", "expression", "distinct", "with_", "order", "limit", "offset"})

OUTER: Nodes = {
    **QUESTION,
    exp.Union: _COMBINED,
    exp.Intersect: _COMBINED,
    exp.Except: _COMBINED,
    exp.Select: QUESTION[exp.Select] | {"qualify"},
    exp.Qualify: _ONE,
    exp.In: QUESTION[exp.In] | {"query"},
    exp.Join: QUESTION[exp.Join] | {"kind"},
    exp.Window: frozenset({"this", "partition_by", "order", "spec", "over"}),
    exp.WindowSpec: frozenset({"kind", "start", "start_side", "end", "end_side"}),
    exp.Rank: frozenset(),
    exp.DenseRank: frozenset(),
    exp.RowNumber: frozenset(),
    exp.PercentRank: frozenset(),
    exp.CumeDist: frozenset(),
    exp.Ntile: _ONE,
    exp.Lag: frozenset({"this", "offset", "default"}),
    exp.Lead: frozenset({"this", "offset", "default"}),
    exp.FirstValue: _ONE,
    exp.LastValue: _ONE,
}
"""Each kind of node of algebra over answers with the arguments that are read."""

_OVER_CATALOGUE = (
    "columns, WHERE with comparisons, IN, LIKE, BETWEEN, AND, OR, NOT, LOWER and UPPER,"
    " DISTINCT, ORDER BY, LIMIT and OFFSET are"
)
_WORDS = {
    "joins": "JOIN",
    "group": "GROUP BY",
    "with_": "WITH",
    "sample": "TABLESAMPLE",
    "qualify": "QUALIFY",
    "window": "a window function (OVER)",
    "windows": "WINDOW",
    "laterals": "LATERAL",
    "locks": "FOR UPDATE",
    "into": "INTO",
    "pivots": "PIVOT",
    "gt": "GREATER THAN",
}
_CONSTRUCTS: Mapping[type[exp.Expr], str] = {
    exp.Window: "a window function (OVER)",
    exp.Union: "UNION",
    exp.Intersect: "INTERSECT",
    exp.Except: "EXCEPT",
    exp.Exists: "EXISTS",
    exp.CurrentUser: "CURRENT_USER",
    exp.SessionUser: "SESSION_USER",
    exp.CurrentDatabase: "CURRENT_DATABASE",
    exp.CurrentCatalog: "CURRENT_CATALOG",
    exp.CurrentSchema: "CURRENT_SCHEMA",
}
"""What a construct is called, where that is not the name of its node."""


def check(tree: exp.Expr) -> None:
    """Check that every construct of a tree is known over the catalogue.

    Raises:
        NotSupported: one is not.
    """
    _check(tree, CATALOGUE, "over the catalogue", _OVER_CATALOGUE)


def check_question(tree: exp.Expr) -> None:
    """Check that every construct of a tree is known over metrics and their tables.

    Raises:
        NotSupported: one is not.
    """
    where = "over metrics and their tables"
    for window in tree.find_all(exp.Window):
        if not is_total(window):
            raise _unknown(construct(window), where, _OVER_TABLES, window)
    _check(tree, QUESTION, where, _OVER_TABLES)


def check_outer(tree: exp.Expr) -> None:
    """Check that every construct of a tree is known over metrics and over answers of theirs.

    Raises:
        NotSupported: one is not.
    """
    _check(tree, OUTER, "over metrics and their tables", _OVER_TABLES)


_OVER_TABLES = (
    "SELECT ... FROM metrics with WHERE, GROUP BY, HAVING, ORDER BY and LIMIT is answered, over"
    " metrics or a table of facts, in one sub-select or WITH as well"
)

_HINTS: Mapping[type[exp.Expr], str] = {
    exp.DateBin: "a bin is answered that is one unit of the calendar, such as INTERVAL '1 day'",
}
"""What is answered in the place of a construct, where that is told better than by all of it."""


def _check(tree: exp.Expr, nodes: Nodes, where: str, hint: str) -> None:
    for node in tree.walk():
        known = nodes.get(type(node))
        if known is None:
            raise _unknown(construct(node), where, _HINTS.get(type(node), hint), node)
        if isinstance(node, exp.Select) and not node.expressions:
            raise NotSupported("a SELECT lists its columns", place=place_of(node))
        for name, value in node.args.items():
            if value and name not in known:
                part = value[0] if isinstance(value, list) else value
                at = part if isinstance(part, exp.Expr) else node
                raise _unknown(_WORDS.get(name) or _with(node, name), where, hint, at)


def _with(node: exp.Expr, name: str) -> str:
    """Return what an argument of a construct is called."""
    if isinstance(node, exp.Func) and not isinstance(node, exp.Case | exp.Cast):
        return f"{construct(node)} with these arguments"
    if name == "this":
        return construct(node)
    return f"{construct(node)} {name.strip('_').upper()}"


def construct(node: exp.Expr) -> str:
    """Return what a construct is called in words."""
    return _CONSTRUCTS.get(type(node)) or word_of(node)


def _unknown(what: str, where: str, hint: str, node: exp.Expr) -> NotSupported:
    return NotSupported(f"{what} is not answered {where}", hint=hint, place=place_of(node))

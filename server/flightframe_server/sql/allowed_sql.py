"""The constructs of SQL that are known over the catalogue, as one table.

What comes in: a tree of sqlglot. What goes out: nothing, or the error that names the first
construct that is not known. It must never be a list of what is refused: a parser's next version
puts a new meaning into a new argument (NOT LIKE is one), and what is not read would be left out in
silence.
"""

from __future__ import annotations

from sqlglot import exp

from flightframe_server.errors import NotSupported

_TWO = frozenset({"this", "expression"})
_ONE = frozenset({"this"})

_KNOWN: dict[type[exp.Expr], frozenset[str]] = {
    exp.Select: frozenset(
        {"expressions", "from_", "where", "order", "limit", "offset", "distinct"}
    ),
    exp.From: _ONE,
    exp.Table: frozenset({"this", "db", "catalog", "alias"}),
    exp.Subquery: frozenset({"this", "alias"}),
    exp.TableAlias: _ONE,
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
}
"""Each kind of node with the arguments that are read; the rest may not be given."""

_WORDS = {"joins": "JOIN", "group": "GROUP BY", "with_": "WITH", "sample": "TABLESAMPLE"}


def check(tree: exp.Expr) -> None:
    """Check that every construct of a tree is known.

    Raises:
        NotSupported: one is not.
    """
    for node in tree.walk():
        known = _KNOWN.get(type(node))
        if known is None:
            raise _unknown(node.key)
        for name, value in node.args.items():
            if value and name not in known:
                raise _unknown(_WORDS.get(name, f"{node.key} {name}"))


def _unknown(what: str) -> NotSupported:
    return NotSupported(
        f"{what.strip('_').upper()} is not answered over the catalogue",
        hint="columns, WHERE with comparisons, IN, LIKE, BETWEEN, AND, OR, NOT, LOWER and UPPER,"
        " DISTINCT, ORDER BY, LIMIT and OFFSET are",
    )

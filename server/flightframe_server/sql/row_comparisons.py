"""Rows compared with rows: `(region, category) IN (('East', 'Toys'), ('West', 'Tools'))`.

What comes in: the tree of a text. What goes out: the same tree with conditions on their parts. It
must never compare a NULL as unknown there: DuckDB's rows are equal where their NULLs stand at the
same places, and unequal else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp


def with_parts_compared(tree: exp.Expr) -> exp.Expr:
    """Return a tree without comparisons of whole rows; those that fit no rule stay as they are."""
    for node in list(tree.find_all(exp.In, exp.EQ, exp.NEQ)):
        made = _condition(node)
        if made is None:
            continue
        for part in made.walk():
            part.meta.update({**node.meta, **part.meta})
        node.replace(made)
    return tree


def _condition(node: exp.Expr) -> exp.Expr | None:
    left = node.this
    if not isinstance(left, exp.Tuple) or not left.expressions:
        return None
    if isinstance(node, exp.In):
        beside = {name for name, value in node.args.items() if value}
        rows = node.expressions if beside == {"this", "expressions"} else []
    else:
        rows = [node.expression]
    parts = left.expressions
    if len(rows) > 1 and left.find(exp.Placeholder):
        # It would be asked once for each row, and is bound once.
        return None
    if not rows or not all(_fits(row, parts) for row in rows):
        return None
    either = _joined(exp.Or, [_same(parts, row.expressions) for row in rows])
    return exp.Not(this=either) if isinstance(node, exp.NEQ) else either


def _fits(row: exp.Expr, parts: Sequence[exp.Expr]) -> bool:
    return isinstance(row, exp.Tuple) and len(row.expressions) == len(parts)


def _same(parts: Iterable[exp.Expr], values: Iterable[exp.Expr]) -> exp.Expr:
    pairs = zip(parts, values, strict=True)
    return _joined(
        exp.And,
        [exp.NullSafeEQ(this=part.copy(), expression=value.copy()) for part, value in pairs],
    )


def _joined(kind: type[exp.And | exp.Or], conditions: Sequence[exp.Expr]) -> exp.Expr:
    """Join conditions as a tree whose depth grows with the logarithm of their number."""
    if len(conditions) == 1:
        return conditions[0]
    middle = len(conditions) // 2
    left, right = _joined(kind, conditions[:middle]), _joined(kind, conditions[middle:])
    return exp.Paren(this=kind(this=left, expression=right))

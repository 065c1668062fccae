"""Other spellings of what is answered, as DuckDB has them.

What comes in: the tree of a text. What goes out: the same tree in the words that are read further
on. It must never take one word for another that differs where a value is NULL.

- `IF(c, a, b)`, `IIF`: `CASE WHEN c THEN a ELSE b END`.
- `CONCAT(a, b)`: `COALESCE(a, '') || COALESCE(b, '')`, for it passes over what is NULL.
- `ORDER BY (2)`, `GROUP BY (1)`: the place of a column, as without parentheses.
- `DATE_PART('year', x)`, `DAY(x)`, `DAYOFWEEK(x)`, `ISODOW(x)` and the like: EXTRACT.
"""

from __future__ import annotations

from functools import reduce

from sqlglot import exp

_PARTS: dict[type[exp.Expr], str] = {
    exp.Day: "DAY",
    exp.DayOfMonth: "DAY",
    exp.DayOfWeek: "DOW",
    exp.DayOfWeekIso: "ISODOW",
    exp.DayOfYear: "DOY",
    exp.Week: "WEEK",
    exp.WeekOfYear: "WEEK",
    exp.Hour: "HOUR",
    exp.Minute: "MINUTE",
    exp.Second: "SECOND",
}
_DATE_PART = ("DATE_PART", "DATEPART")


def with_known_words(tree: exp.Expr) -> exp.Expr:
    """Return a tree in the words that are read; the rest stays as it is."""
    for clause in list(tree.find_all(exp.Order, exp.Group)):
        for key in clause.expressions:
            _without_parentheses(key.this if isinstance(key, exp.Ordered) else key)
    spelled = list(tree.find_all(exp.If, exp.Concat, exp.Anonymous, *_PARTS))
    # What stands inside of another comes first.
    for node in reversed(spelled):
        made = _known(node)
        if made is not None:
            made.meta.update(node.meta)
            node.replace(made)
    return tree


def _without_parentheses(key: exp.Expr) -> None:
    inner = key.unnest()
    if isinstance(inner, exp.Literal) and inner is not key:
        key.replace(inner)


def _known(node: exp.Expr) -> exp.Expr | None:
    match node:
        case exp.If() if node.args.get("false") is not None:
            return _case(node)
        case exp.Concat(expressions=parts) if parts:
            return reduce(_joined, map(_or_nothing, parts))
        case exp.Anonymous(expressions=[exp.Literal(is_string=True) as part, value]):
            return _extract(part.name.upper(), value) if node.name.upper() in _DATE_PART else None
    part_name = _PARTS.get(type(node))
    alone = all(value is None for name, value in node.args.items() if name != "this")
    return None if part_name is None or not alone else _extract(part_name, node.this)


def _case(node: exp.If) -> exp.Case:
    when = exp.If(this=node.this, true=node.args["true"])
    when.meta.update(node.meta)
    return exp.Case(ifs=[when], default=node.args["false"])


def _or_nothing(part: exp.Expr) -> exp.Expr:
    if isinstance(part, exp.Literal):
        return part
    made = exp.Coalesce(this=part, expressions=[exp.Literal.string("")])
    made.meta.update(part.meta)
    return made


def _joined(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return exp.DPipe(this=left, expression=right, safe=True)


def _extract(part: str, value: exp.Expr) -> exp.Extract:
    return exp.Extract(this=exp.Var(this=part), expression=value)

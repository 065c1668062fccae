"""Questions as a small tree of their own: written as Frame-QL for the product, read by the oracle.

Nodes are tuples whose first item names them. Metrics: `("bare", family)`, `("call", reducer,
family, q, filter)`, `("rows", schema)`, `("nested", reducer, inner, anchor)`, `("bin", op, a, b)`,
`("lit", value)`, `("fn", name, arguments)`, `("case", test, a, b)`. Tests: `("cmp", op, a, b)`,
`("in", a, values)`,
`("between", a, low, high)`, `("null", a)`, `("like", a, pattern)`, `("distinct", a, b)`,
`("and" | "or", parts)`, `("not", part)`, `("is", a)`. Their operands: `("level", name)`,
`("row", function, level, more)`, `("lit", value)`, or metrics in HAVING.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from worlds import Family, Reducer


@dataclass(frozen=True)
class Question:
    """One query."""

    anchor: tuple[str, ...]
    items: tuple[tuple[str, tuple], ...]
    where: tuple | None = None
    having: tuple | None = None
    order: tuple[tuple[tuple, bool, bool | None], ...] = ()
    limit: tuple[int, int, tuple[str, ...]] | None = None
    source: str | None = None

    def __str__(self):
        return text_of(self)


def text_of(question):
    """The question as Frame-QL."""
    items = [*question.anchor, *(f"{write(term)} AS {name}" for name, term in question.items)]
    parts = [f"SELECT {', '.join(items)}"]
    if question.source:
        parts.append(f"FROM {question.source}")
    if question.where is not None:
        parts.append(f"WHERE {write(question.where)}")
    parts.append(f"AT ({', '.join(question.anchor)})")
    if question.having is not None:
        parts.append(f"HAVING {write(question.having)}")
    if question.order:
        parts.append("ORDER BY " + ", ".join(map(_key, question.order)))
    if question.limit is not None:
        count, offset, per = question.limit
        parts.append(f"LIMIT {count}")
        if offset:
            parts.append(f"OFFSET {offset}")
        if per:
            parts.append(f"PER ({', '.join(per)})")
    return " ".join(parts)


def _key(key):
    term, descending, nulls_first = key
    nulls = {None: "", True: " NULLS FIRST", False: " NULLS LAST"}[nulls_first]
    return f"{write(term)}{' DESC' if descending else ''}{nulls}"


def literal(value):
    """A value as Frame-QL."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case datetime.datetime():
            return f"TIMESTAMP '{value}'"
        case datetime.date():
            return f"DATE '{value}'"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case float():
            return f"{value:e}"
        case Decimal():
            return f"{value:f}" if value.as_tuple().exponent else f"{value:f}.0"
    return str(value)


def write(node):
    """A node as Frame-QL, with parentheses wherever they may be needed."""
    match node:
        case ("level" | "bare" | "output", name):
            return name
        case ("lit", value):
            return literal(value)
        case ("rows" | "call" | "nested" | "bin" | "fn" | "case", *_):
            return _metric(node)
        case ("row", "EXTRACT", level, (field,)):
            return f"EXTRACT({field} FROM {write(level)})"
        case ("row", name, level, more):
            return f"{name}({', '.join([write(level), *map(str, more)])})"
    return _test(node)


def _metric(node):
    match node:
        case ("rows", _):
            return "COUNT(*)"
        case ("call", reducer, family, q, where):
            quantile = "" if q is None else f", {q}"
            kept = "" if where is None else f" FILTER (WHERE {write(where)})"
            return f"{reducer}({family}{quantile}){kept}"
        case ("nested", reducer, inner, anchor):
            subject = write(inner) if inner[0] in ("bare", "call") else f"({write(inner)})"
            return f"{reducer}({subject} @ ({', '.join(anchor)}))"
        case ("bin", operator, one, other):
            return f"({write(one)} {operator} {write(other)})"
        case ("fn", name, arguments):
            return f"{name}({', '.join(map(write, arguments))})"
        case ("case", test, one, other):
            return f"CASE WHEN {write(test)} THEN {write(one)} ELSE {write(other)} END"
    raise AssertionError(node)


def _test(node):
    match node:
        case ("cmp", operator, one, other):
            return f"{write(one)} {operator} {write(other)}"
        case ("in", one, values):
            return f"{write(one)} IN ({', '.join(map(literal, values))})"
        case ("between", one, low, high):
            return f"{write(one)} BETWEEN {literal(low)} AND {literal(high)}"
        case ("like", one, pattern):
            return f"{write(one)} LIKE {literal(pattern)}"
        case ("distinct", one, other):
            return f"{write(one)} IS DISTINCT FROM {write(other)}"
        case ("and" | "or" as word, parts):
            return f" {word.upper()} ".join(f"({write(part)})" for part in parts)
        case ("not", part):
            return f"NOT ({write(part)})"
    return f"{write(node[1])} IS NULL" if node[0] == "null" else write(node[1])


def bare(name):
    """A family by its name alone."""
    return ("bare", name)


def call(reducer, family, q=None, where=None):
    """A reducer over a family."""
    return ("call", reducer, family, q, where)


LATE = {
    "promo": ("is", ("level", "promo")),
    "region": ("cmp", "=", ("level", "region"), ("lit", "East")),
    "product": ("cmp", ">", ("level", "product"), ("lit", 1)),
}


GAIN = ("cmp", ">", bare("revenue"), ("lit", 0))
TENS = ("fn", "ROUND", (bare("cost"), ("lit", -1)))


def families_of(shape):
    """The metric families of a shape."""
    total = Reducer("SUM")
    by_txn = tuple(Reducer(name, order_by=("txn",)) for name in ("FIRST", "LAST"))
    at = ("month", "LAST", shape.snapshot_per)
    late = LATE[shape.late]
    found = [
        Family("revenue", "tx", "revenue", (total,), siblings=("daily",) if shape.summary else ()),
        Family("cost", "tx", "cost", (total,)),
        Family("qty", "tx", "qty", (total,)),
        Family("weight", "tx", "weight", (total,)),
        Family("note", "tx", "note", default="MAX"),
        Family("seen", "tx", "promo", default="MAX"),
        Family("moments", "tx", "moment" if shape.moment else "day", default="MIN"),
        Family("buyers", "tx", "cust", default="COUNT_DISTINCT"),
        Family("sales", "tx"),
        Family("late", "tx", filter=late),
        Family("late_revenue", "tx", "revenue", (total,), filter=late, fill=0),
        Family("ends", "tx", "revenue", by_txn),
        Family(
            "on_hand",
            "inv",
            "on_hand",
            (
                Reducer("SUM", a_block=shape.blocks, default=True),
                Reducer("LAST", order_by=("month",)),
                Reducer("FIRST", order_by=("month",)),
            ),
        ),
        Family("stock_now", "inv", "on_hand", (Reducer("SUM", snapshot=at),)),
        Family("profit", formula=("bin", "-", bare("revenue"), bare("cost"))),
        Family("margin", formula=("bin", "/", bare("profit"), bare("revenue"))),
        Family("width", formula=("bin", "-", call("MAX", "qty"), call("MIN", "qty"))),
        Family("typical", formula=("nested", "AVG", bare("revenue"), ("day",))),
        Family("share", formula=("case", GAIN, bare("profit"), TENS)),
        Family("kept", formula=("fn", "COALESCE", (bare("late_revenue"), ("lit", 0)))),
    ]
    return {family.name: family for family in found}


def names_in(node):
    """The families that an expression names, in order, each once."""
    found = {}
    match node:
        case ("bare", name) | ("call", _, name, _, _):
            found[name] = None
        case ("nested", _, inner, _):
            found.update(dict.fromkeys(names_in(inner)))
        case ("bin", _, one, other):
            found.update(dict.fromkeys([*names_in(one), *names_in(other)]))
        case ("case", *parts):
            for part in parts:
                found.update(dict.fromkeys(names_in(part)))
        case ("cmp", _, one, other):
            found.update(dict.fromkeys([*names_in(one), *names_in(other)]))
        case ("null", one):
            found.update(dict.fromkeys(names_in(one)))
        case ("fn", _, arguments):
            for argument in arguments:
                found.update(dict.fromkeys(names_in(argument)))
    return list(found)

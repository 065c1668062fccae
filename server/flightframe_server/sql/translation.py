"""SQL over published tables that is Frame-QL in other words, written as that.

What comes in: a SELECT over one published table. What goes out: the Frame-QL request that it stands
for, or nothing. It must never stand for something near what was asked: each shape of SQL is taken
whole or not at all, and what it becomes is checked by the resolver like any other query.

There is one shape so far: all of a schema's table. What tools write over the table of metrics
(`SELECT region, SUM(revenue) FROM metrics GROUP BY 1`) would be further ones.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from flightframe_server.answer import Request
from flightframe_server.errors import NotSupported
from flightframe_server.language import format_statement
from flightframe_server.language.syntax import Limit, Literal, LiteralKind, Parameter
from flightframe_server.sql.parse import parameter_index
from flightframe_server.sql.tables import METRICS, PublishedTable


def rows_request(table: PublishedTable, request: Request, select: exp.Select) -> Request | None:
    """Return the request for a table's rows, None where not just all of its columns are asked.

    Raises:
        NotSupported: the rows of the table of metrics, which has none, or of a table without a key.
    """
    if table.frame is None:
        if select.is_star:
            raise NotSupported(
                "the table of metrics has no rows: a metric has a number at an anchor"
                if table.name == METRICS
                else f"the table {table.name} has no key, and nothing tells its rows apart",
                hint="ask in Frame-QL, where AT names the anchor",
            )
        return None
    star = len(select.expressions) == 1 and select.is_star
    others = {name for name, value in select.args.items() if value} - {"limit", "offset"}
    counts = _counts(select)
    if not star or others != {"expressions", "from_"} or counts is None:
        return None
    source = format_statement(replace(table.frame, limit=_limit(counts)))
    return replace(request, source=source, collection=table.collection)


def _counts(select: exp.Select) -> tuple[Literal | Parameter, ...] | None:
    """Return the counts of LIMIT and OFFSET; None where the language has no words for them."""
    limit, offset = select.args.get("limit"), select.args.get("offset")
    if limit is None:
        return () if offset is None else None
    written = [limit.args.get("count") if isinstance(limit, exp.Fetch) else limit.expression]
    if offset is not None:
        written.append(offset.expression)
    counts = tuple(count for node in written if (count := _count(node)) is not None)
    indexes = [count.index for count in counts if isinstance(count, Parameter)]
    in_order = indexes == list(range(len(indexes)))
    return counts if len(counts) == len(written) and in_order else None


def _limit(counts: tuple[Literal | Parameter, ...]) -> Limit | None:
    if not counts:
        return None
    count, *skipped = counts
    return Limit(count, skipped[0] if skipped else None)


def _count(node: exp.Expr | None) -> Literal | Parameter | None:
    match node:
        case exp.Placeholder():
            return Parameter(index=parameter_index(node))
        case exp.Literal(is_int=True):
            return Literal(int(node.name), LiteralKind.INTEGER)
    return None

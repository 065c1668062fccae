"""What to write in place of a preview: rows of the table of metrics, which has none.

What comes in: a SELECT of columns over `metrics`. What goes out: a text of SQL that is answered, or
words where none is known to be. It must never name a text that it has not resolved itself: a hint
that is refused in its turn sends its reader in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from flightframe_server.catalog.collection import MetricFamily
from flightframe_server.errors import QueryError
from flightframe_server.language.syntax import Anchor, Item, Name, Statement
from flightframe_server.resolver.anchors import family_type, metric_anchors
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.sql.scopes import LevelColumn, MetricColumn, Scope

SHOWN_METRICS = 3
WORDS = "ask for metrics beside GROUP BY, as MEASURE(revenue)"


def preview_hint(select: exp.Select, scope: Scope, typed: TypedCollection) -> str:
    """Return what a SELECT of columns over the table of metrics could have been.

    Args:
        select: its tree.
        scope: what its columns are.
        typed: the collection.
    """
    where = select.args.get("where")
    if where is not None and where.find(exp.Column) is not None:
        # Whether a condition is meant for rows or for their sums, only its writer knows.
        return _words(typed)
    levels, metrics = _listed(select, scope)
    if not levels and not metrics:
        levels, metrics = _sample(typed)
    if not metrics or not _answered(typed, levels, metrics):
        return _words(typed)
    return f"write {_text(levels, metrics)}{_limit(select)}"


def _listed(select: exp.Select, scope: Scope) -> tuple[list[str], list[str]]:
    """Return the levels and the metrics that SELECT lists."""
    levels: dict[str, None] = {}
    metrics: dict[str, None] = {}
    for node in select.expressions:
        inner = node.this if isinstance(node, exp.Alias) else node
        if not isinstance(inner, exp.Column) or isinstance(inner.this, exp.Star):
            continue
        column = scope.column(inner)
        if isinstance(column, LevelColumn):
            levels[column.level] = None
        elif isinstance(column, MetricColumn):
            metrics[column.family.name] = None
    return list(levels), list(metrics)


def _sample(typed: TypedCollection) -> tuple[list[str], list[str]]:
    """Return the level at which most metrics may be asked alone, and the first of them."""
    names = [family.name for family in _families(typed) if family_type(typed, family.name)]
    anchors = {name: metric_anchors(typed, name) for name in names}
    best: list[str] = []
    chosen: list[str] = []
    for level in typed.graph.level_names:
        fits = [
            name
            for name, anchor in anchors.items()
            if level in anchor.levels and set(anchor.required) <= {level}
        ]
        if len(fits) > len(best):
            best, chosen = fits, [level]
    return chosen, best[:SHOWN_METRICS]


def _families(typed: TypedCollection) -> Iterable[MetricFamily]:
    return typed.collection.metric_families.values()


def _answered(typed: TypedCollection, levels: list[str], metrics: list[str]) -> bool:
    keys = tuple(Name((level,)) for level in levels)
    items = (*map(Item, keys), *(Item(Name((metric,))) for metric in metrics))
    try:
        resolve(Statement(items, Anchor(keys)), typed)
    except QueryError:
        return False
    return True


def _text(levels: list[str], metrics: list[str]) -> str:
    keys = [_quoted(level) for level in levels]
    listed = ", ".join([*keys, *(f"MEASURE({_quoted(metric)})" for metric in metrics)])
    return f"SELECT {listed} FROM metrics" + (f" GROUP BY {', '.join(keys)}" if keys else "")


def _words(typed: TypedCollection) -> str:
    named = next((f.name for f in _families(typed) if family_type(typed, f.name)), None)
    return WORDS if named is None else WORDS.replace("revenue", _quoted(named))


def _quoted(name: str) -> str:
    return exp.to_identifier(name).sql()


def _limit(select: exp.Select) -> str:
    limit = select.args.get("limit")
    count = limit.expression if isinstance(limit, exp.Limit) else None
    is_number = isinstance(count, exp.Literal) and count.is_int
    return f" LIMIT {count.name}" if is_number and count is not None else ""

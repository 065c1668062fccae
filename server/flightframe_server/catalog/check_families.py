"""What must hold between rooted metric families and the graph of levels.

What comes in: a collection whose names are all known, and its graph. What goes out: mistakes, noted
where they stand. It must never look at data or at a query: only what no data could make right is a
mistake here.
"""

from __future__ import annotations

from collections.abc import Sequence

from flightframe_server.algebra.reducers import COUNT_OF_ROWS
from flightframe_server.catalog.build_schemas import column_named
from flightframe_server.catalog.collection import Collection, ReducerDeclaration, RootedMetric
from flightframe_server.catalog.expressions import names_in
from flightframe_server.catalog.findings import Cursor, NameIndex
from flightframe_server.catalog.levels import LevelGraph
from flightframe_server.errors import shown
from flightframe_server.language.syntax import Name


def check_rooted(collection: Collection, graph: LevelGraph, cursor: Cursor) -> None:
    """Note what is wrong with the rooted families of a collection."""
    for at, family in enumerate(collection.metric_families.values()):
        if isinstance(family.meaning, RootedMetric):
            here = cursor.at("metric_families", at)
            for position, reducer in enumerate(family.meaning.reducers):
                at_reducer = here.at("ip_reducers", position)
                _check_reducer(reducer, family.meaning, graph, at_reducer)
                if reducer.order_by and not collection.schemas[family.meaning.schema].grain:
                    _report_rows(reducer.operator, family.meaning.schema, at_reducer)
            _check_filter(collection, family.meaning, graph, here.at("filter"))
            _check_siblings(collection, family.meaning, graph, here.at("siblings"))
            hints = here.at("cache_hint", "materialize_at")
            for position, anchor in enumerate(family.meaning.materialize_at):
                _check_anchor(anchor, family.meaning, graph, hints.at(position))


def _report_rows(what: str, schema: str, cursor: Cursor) -> None:
    cursor.report(
        f"{what} needs a unique key, and '{shown(schema)}' has none",
        "its grain is: rows",
    )


def default_operator(family: RootedMetric) -> str | None:
    """Return the reducer that a bare name means, or None where that is ambiguous.

    It is `default_reducer`, or the one marked, or the only one; for rows, their count.
    """
    marked = [reducer.operator for reducer in family.reducers if reducer.default]
    declared = [reducer.operator for reducer in family.reducers]
    for candidates in ([family.default_reducer], marked, declared):
        if len(candidates) == 1 and candidates[0] is not None:
            return candidates[0]
    return COUNT_OF_ROWS if family.column is None else None


def _check_reducer(
    reducer: ReducerDeclaration, family: RootedMetric, graph: LevelGraph, cursor: Cursor
) -> None:
    own = {graph.family_of(level) for level in graph.own_levels(family.schema)}
    for at, block in enumerate(reducer.a_block):
        if block not in own:
            cursor.at("a_block", at).report(
                f"the schema '{shown(family.schema)}' has no level of '{shown(block)}'",
                "only a family with a level among the root's own columns can be blocked",
            )
    for at, level in enumerate(reducer.order_by):
        _check_reachable(level, family, graph, cursor.at("order_by", at))
    if reducer.snapshot is not None:
        here = cursor.at("snapshot")
        _check_reachable(reducer.snapshot.level, family, graph, here.at("level"))
        for at, level in enumerate(reducer.snapshot.per):
            _check_reachable(level, family, graph, here.at("per", at))


def _check_reachable(level: str, family: RootedMetric, graph: LevelGraph, cursor: Cursor) -> bool:
    """Note a level that the family's rows do not determine; return whether they do."""
    if level in graph.reachable(family.schema):
        return True
    known = [name for name in graph.level_names if name in graph.reachable(family.schema)]
    cursor.report(
        f"'{shown(level)}' is not reachable from the schema '{shown(family.schema)}'",
        f"its rows reach: {shown(', '.join(known))}" if known else "its rows reach no level",
    )
    return False


def _check_filter(
    collection: Collection, family: RootedMetric, graph: LevelGraph, cursor: Cursor
) -> None:
    if family.filter is None:
        return
    columns = NameIndex("column", collection.schemas[family.schema].columns)
    for name in names_in(family.filter):
        if column_named(name, family.schema, columns) is not None:
            continue
        level = _level_named(name, graph)
        if level is not None:
            _check_reachable(level, family, graph, cursor)
        else:
            known = NameIndex("", [*columns.by_folded.values(), *graph.level_names])
            message = f"'{shown(name.text)}' is neither a level nor a column of"
            cursor.report(f"{message} '{shown(family.schema)}'", known.hint(name.parts[-1]))


def _level_named(name: Name, graph: LevelGraph) -> str | None:
    """Return the level that `month` or `calendar.month` means, or None."""
    level = graph.find(name.parts[-1])
    if level is None or len(name.parts) == 1:
        return level
    family = graph.family_of(level).casefold()
    return level if len(name.parts) == 2 and name.parts[0].casefold() == family else None


def _check_siblings(
    collection: Collection, family: RootedMetric, graph: LevelGraph, cursor: Cursor
) -> None:
    for at, sibling in enumerate(family.siblings):
        here = cursor.at(at, "schema")
        if sibling.schema == family.schema:
            here.report("a sibling is another table than the family's root")
            continue
        if not collection.schemas[sibling.schema].grain:
            _report_rows("a sibling", sibling.schema, here)
        for level in collection.schemas[sibling.schema].grain:
            if level not in graph.reachable(family.schema):
                here.report(
                    f"the grain of '{shown(sibling.schema)}' holds '{shown(level)}', which is not"
                    f" reachable from '{shown(family.schema)}'",
                    "a sibling must be coarser than the family's root",
                )


def _check_anchor(
    anchor: Sequence[str], family: RootedMetric, graph: LevelGraph, cursor: Cursor
) -> None:
    """Note an anchor at which the family's default, or no reducer at all, has a meaning."""
    reached = [
        _check_reachable(level, family, graph, cursor.at(at)) for at, level in enumerate(anchor)
    ]
    default = default_operator(family)
    relevant = [entry for entry in family.reducers if entry.operator == default] or family.reducers
    if not all(reached) or not relevant:
        return
    blocked = [_blocked_levels(entry, anchor, family, graph) for entry in relevant]
    if all(blocked):
        names = ", ".join(f"'{shown(level)}'" for level in blocked[0][:3])
        cursor.report(
            f"{relevant[0].operator} may not aggregate over {names} at this anchor",
            f"its a_block lists {', '.join(shown(block) for block in relevant[0].a_block)}",
        )


def _blocked_levels(
    reducer: ReducerDeclaration, anchor: Sequence[str], family: RootedMetric, graph: LevelGraph
) -> list[str]:
    """Return the root's own levels that the a_block protects and the anchor leaves open."""
    return [
        level
        for level in graph.own_levels(family.schema)
        if graph.family_of(level) in reducer.a_block
        and not graph.settled(family.schema, level, anchor)
    ]

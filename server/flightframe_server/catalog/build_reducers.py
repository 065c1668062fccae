"""The reducers and siblings of a metric family from shapes.

What comes in: the shapes of `ip_reducers` and `siblings`. What goes out: their declarations, names
as declared, and the mistakes noted. It must never say how a reducer computes: here it is a name
with the dimension families that it may not cross.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from flightframe_server.algebra.reducers import COUNT_OF_ROWS, REDUCER_NAMES, REDUCERS
from flightframe_server.catalog.collection import ReducerDeclaration, Sibling, Snapshot
from flightframe_server.catalog.declarations import Declarations
from flightframe_server.catalog.findings import Cursor, NameIndex
from flightframe_server.catalog.shapes import ReducerShape, SiblingShape, SnapshotShape
from flightframe_server.errors import shown

_OPERATORS = NameIndex("reducer", REDUCER_NAMES)
_ORDERED = tuple(name for name in REDUCER_NAMES if REDUCERS[name].ordered)


def known_operator(text: str, spot: Cursor) -> str:
    """Return a reducer's name in upper case; note a mistake where there is no such reducer."""
    return spot.resolve(_OPERATORS, text)


def build_reducers(
    shapes: Sequence[ReducerShape], declared: Declarations, spot: Cursor
) -> tuple[ReducerDeclaration, ...]:
    """Return the declarations of `ip_reducers`."""
    declarations: dict[str, ReducerDeclaration] = {}
    for at, shape in enumerate(shapes):
        here = spot.at(at)
        operator = known_operator(shape.operator, here.at("operator"))
        if operator in declarations:
            hint = "one declaration holds the operator's whole a_block"
            here.at("operator").report(f"{shown(operator)} is declared twice", hint)
        _check_order(operator, shape, here)
        declarations[operator] = ReducerDeclaration(
            operator=operator,
            a_block=_blocks(shape.a_block, declared, here.at("a_block")),
            default=shape.default,
            order_by=here.at("order_by").resolve_all(declared.levels, shape.order_by),
            snapshot=_snapshot(shape.snapshot, declared, here.at("snapshot")),
            location=here.location,
        )
    return tuple(declarations.values())


def check_defaults(
    reducers: Iterable[ReducerDeclaration], default: str | None, spot: Cursor, *, rows: bool
) -> None:
    """Note reducers that cannot be what a bare name means.

    Args:
        reducers: as declared.
        default: what `default_reducer` says.
        spot: the family.
        rows: whether the family is rooted in rows, not in a column.
    """
    declared = [reducer.operator for reducer in reducers]
    marked = [reducer.operator for reducer in reducers if reducer.default]
    if len(marked) > 1:
        message = f"{marked[0]} and {marked[1]} are both the default"
        spot.at("ip_reducers", declared.index(marked[1]), "default").report(message)
    key = spot.at("default_reducer")
    if default is not None and marked and marked != [default]:
        key.report(f"the default is {shown(default)} here and {marked[0]} in ip_reducers")
    if default is not None and _lacks(default, declared):
        key.report(f"{default} is not declared in ip_reducers", "only statistics need no entry")
    for operator in dict.fromkeys((*([default] if default else ()), *marked)):
        if what := _parameter(operator):
            spot.report(f"{operator} cannot be a default: a bare name does not say which {what}")
    for at, operator in enumerate(declared):
        if rows and operator != COUNT_OF_ROWS:
            here = spot.at("ip_reducers", at, "operator")
            here.report(f"{shown(operator)} needs a column: the rows can only be counted")
    if rows and default not in (None, COUNT_OF_ROWS):
        key.report(f"{shown(default)} needs a column: the rows can only be counted")


def build_siblings(
    shapes: Iterable[SiblingShape],
    reducers: Iterable[ReducerDeclaration],
    declared: Declarations,
    spot: Cursor,
) -> tuple[Sibling, ...]:
    """Return the declarations of `siblings`."""
    known = {reducer.operator for reducer in reducers}
    siblings = []
    for at, shape in enumerate(shapes):
        here = spot.at(at)
        schema = here.at("schema").resolve(declared.schemas, shape.schema_name)
        own, column = declared.columns.get(schema), shape.column
        if own is not None:
            column = here.at("column").resolve(own, column)
        operator = known_operator(shape.operator, here.at("operator"))
        if _lacks(operator, known):
            here.at("operator").report(f"{operator} is not declared in ip_reducers")
        elif (reducer := REDUCERS.get(operator)) is not None and reducer.parts:
            here.at("operator").report(
                f"{operator} is made of {' and '.join(reducer.parts)}, and no column holds it",
                f"declare a sibling of {' and one of '.join(reducer.parts)}",
            )
        elif reducer is not None and not reducer.reduces_own_values:
            here.at("operator").report(
                f"{operator} of a column of {operator} values is not the {operator} of the rows",
                "leave the sibling out; counts in a column are a family of their own, under SUM",
            )
        siblings.append(Sibling(schema, column, operator, location=here.location))
    return tuple(siblings)


def _lacks(operator: str, declared: Collection[str]) -> bool:
    """Whether a reducer that means nothing undeclared is not declared; one unknown is no such."""
    reducer = REDUCERS.get(operator)
    return reducer is not None and reducer.must_be_declared and operator not in declared


def _parameter(operator: str) -> str:
    reducer = REDUCERS.get(operator)
    return reducer.parameter if reducer is not None else ""


def _check_order(operator: str, shape: ReducerShape, spot: Cursor) -> None:
    if operator in _ORDERED and not shape.order_by:
        hint = "say which row that is: order_by: [level, ...]"
        spot.report(f"{operator} needs order_by", hint)
    if operator not in _ORDERED and shape.order_by:
        message = f"{shown(operator)} takes no order_by: only {' and '.join(_ORDERED)} pick a row"
        spot.at("order_by").report(message)


def _blocks(listed: Sequence[str], declared: Declarations, spot: Cursor) -> tuple[str, ...]:
    """Return the dimension families of an a_block; a level in none is a family of its own."""
    blocks: dict[str, None] = {}
    for at, name in enumerate(listed):
        family = declared.dimension_families.find(name)
        level = declared.levels.find(name)
        if family is None and level is not None:
            home = declared.home(level)
            family = level if home == level else None
            if family is None:
                message = f"'{shown(name)}' is a level, and a_block lists dimension families"
                spot.at(at).report(message, f"its family is '{shown(home)}'")
                continue
        blocks[family or spot.at(at).resolve(declared.dimension_families, name)] = None
    return tuple(blocks)


def _snapshot(shape: SnapshotShape | None, declared: Declarations, spot: Cursor) -> Snapshot | None:
    if shape is None:
        return None
    return Snapshot(
        level=spot.at("level").resolve(declared.levels, shape.level),
        pick=shape.pick,
        per=spot.at("per").resolve_all(declared.levels, shape.per),
        location=spot.location,
    )

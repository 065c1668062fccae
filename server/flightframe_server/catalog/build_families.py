"""Metric families from shapes.

What comes in: the shapes of `metric_families`. What goes out: `MetricFamily` values whose
references are names as declared, and the mistakes, reported to the cursor. It must never decide
what needs the graph of levels: whether an anchor is reachable is checked afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from flightframe_server.catalog.build_reducers import (
    build_reducers,
    build_siblings,
    check_defaults,
    known_operator,
)
from flightframe_server.catalog.collection import DerivedMetric, MetricFamily, RootedMetric
from flightframe_server.catalog.declarations import Declarations
from flightframe_server.catalog.expressions import misplaced_in_row, read_expression
from flightframe_server.catalog.findings import Cursor
from flightframe_server.catalog.shapes import (
    CollectionShape,
    DerivedShape,
    FamilyRootShape,
    MetricFamilyShape,
)
from flightframe_server.errors import shown
from flightframe_server.language.syntax import Expression, LiteralValue

_ROOT_ONLY = (
    "ip_reducers",
    "default_reducer",
    "siblings",
    "cache_hint",
    "filter",
    "closed",
    "fill",
)


def build_families(
    shape: CollectionShape, declared: Declarations, cursor: Cursor
) -> Mapping[str, MetricFamily]:
    """Return every metric family by name, and note what is wrong with them."""
    families: dict[str, MetricFamily] = {}
    for at, family in enumerate(shape.metric_families):
        here = cursor.at("metric_families", at)
        meaning = _meaning(family, declared, here)
        if meaning is not None:
            built = MetricFamily(family.name, meaning, family.description, location=here.location)
            families.setdefault(family.name, built)
    return MappingProxyType(families)


def _meaning(
    family: MetricFamilyShape, declared: Declarations, cursor: Cursor
) -> RootedMetric | DerivedMetric | None:
    if family.derived is not None:
        _check_only_derived(family, cursor)
        return _derived(family.derived, declared, cursor.at("derived"))
    if family.family_root is not None:
        return _rooted(family, family.family_root, declared, cursor)
    cursor.report(
        f"the family '{shown(family.name)}' has neither family_root nor derived",
        "root it: family_root: {schema: ..., column: ...}",
    )
    return None


def _check_only_derived(family: MetricFamilyShape, cursor: Cursor) -> None:
    if family.family_root is not None:
        message = f"the family '{shown(family.name)}' has both family_root and derived"
        cursor.at("derived").report(message, "one name means one thing")
    for key in _ROOT_ONLY:
        if key in family.model_fields_set:
            hint = "it is computed from its inputs and never stored"
            cursor.at(key).report(f"a derived family takes no {key}", hint)


def _derived(shape: DerivedShape, declared: Declarations, cursor: Cursor) -> DerivedMetric:
    inputs = cursor.at("inputs").resolve_all(declared.metric_families, shape.inputs)
    formula = read_expression(cursor.at("formula"), shape.formula)
    return DerivedMetric(formula, inputs, location=cursor.location)


def _rooted(
    family: MetricFamilyShape, root: FamilyRootShape, declared: Declarations, cursor: Cursor
) -> RootedMetric:
    here = cursor.at("family_root")
    schema = here.at("schema").resolve(declared.schemas, root.schema_name)
    own, column = declared.columns.get(schema), root.column
    if own is not None and column is not None:
        column = here.at("column").resolve(own, column)
    reducers = build_reducers(family.ip_reducers, declared, cursor.at("ip_reducers"))
    default = family.default_reducer
    if default is not None:
        default = known_operator(default, cursor.at("default_reducer"))
    check_defaults(reducers, default, cursor, rows=column is None)
    anchors = family.cache_hint.materialize_at if family.cache_hint else []
    hints = cursor.at("cache_hint", "materialize_at")
    return RootedMetric(
        schema=schema,
        column=column,
        reducers=reducers,
        default_reducer=default,
        siblings=build_siblings(family.siblings, reducers, declared, cursor.at("siblings")),
        materialize_at=tuple(
            hints.at(at).resolve_all(declared.levels, anchor) for at, anchor in enumerate(anchors)
        ),
        filter=_filter(family.filter, cursor.at("filter")),
        closed=family.closed,
        fill=_fill(family.fill, cursor.at("fill")),
        location=cursor.location,
    )


def _fill(value: LiteralValue, cursor: Cursor) -> LiteralValue:
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int | Decimal | float)
    ):
        cursor.report(
            "a fill stands for a sum of nothing, and is a number", "write a number, or leave it out"
        )
    return value


def _filter(text: str | None, cursor: Cursor) -> Expression | None:
    if text is None:
        return None
    expression = read_expression(cursor, text)
    misplaced = misplaced_in_row(expression)
    if misplaced is not None:
        cursor.report(f"a filter is a condition on one row and cannot hold {misplaced}")
    return expression

"""Metric families from shapes.

What comes in: the shapes of `metric_families`. What goes out: `MetricFamily` values whose
references are names as declared, and the mistakes noted. It must never decide what needs the whole
graph of levels: whether an anchor is reachable is checked afterwards.
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
from flightframe_server.catalog.findings import Spot
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
    shape: CollectionShape, declared: Declarations, spot: Spot
) -> Mapping[str, MetricFamily]:
    """Return every metric family by name, and note what is wrong with them."""
    families: dict[str, MetricFamily] = {}
    for at, family in enumerate(shape.metric_families):
        here = spot.at("metric_families", at)
        meaning = _meaning(family, declared, here)
        if meaning is not None:
            built = MetricFamily(family.name, meaning, family.description, mark=here.mark)
            families.setdefault(family.name, built)
    return MappingProxyType(families)


def _meaning(
    family: MetricFamilyShape, declared: Declarations, spot: Spot
) -> RootedMetric | DerivedMetric | None:
    if family.derived is not None:
        _check_only_derived(family, spot)
        return _derived(family.derived, declared, spot.at("derived"))
    if family.family_root is not None:
        return _rooted(family, family.family_root, declared, spot)
    spot.report(
        f"the family '{shown(family.name)}' has neither family_root nor derived",
        "root it: family_root: {schema: ..., column: ...}",
    )
    return None


def _check_only_derived(family: MetricFamilyShape, spot: Spot) -> None:
    if family.family_root is not None:
        message = f"the family '{shown(family.name)}' has both family_root and derived"
        spot.at("derived").report(message, "one name means one thing")
    for key in _ROOT_ONLY:
        if key in family.model_fields_set:
            hint = "it is computed from its inputs and never stored"
            spot.at(key).report(f"a derived family takes no {key}", hint)


def _derived(shape: DerivedShape, declared: Declarations, spot: Spot) -> DerivedMetric:
    inputs = spot.at("inputs").all_known(declared.metric_families, shape.inputs)
    formula = read_expression(spot.at("formula"), shape.formula)
    return DerivedMetric(formula, inputs, mark=spot.mark)


def _rooted(
    family: MetricFamilyShape, root: FamilyRootShape, declared: Declarations, spot: Spot
) -> RootedMetric:
    here = spot.at("family_root")
    schema = here.at("schema").known(declared.schemas, root.schema_name)
    own, column = declared.columns.get(schema), root.column
    if own is not None and column is not None:
        column = here.at("column").known(own, column)
    reducers = build_reducers(family.ip_reducers, declared, spot.at("ip_reducers"))
    default = family.default_reducer
    if default is not None:
        default = known_operator(default, spot.at("default_reducer"))
    check_defaults(reducers, default, spot, rows=column is None)
    anchors = family.cache_hint.materialize_at if family.cache_hint else []
    hints = spot.at("cache_hint", "materialize_at")
    return RootedMetric(
        schema=schema,
        column=column,
        reducers=reducers,
        default_reducer=default,
        siblings=build_siblings(family.siblings, reducers, declared, spot.at("siblings")),
        materialize_at=tuple(
            hints.at(at).all_known(declared.levels, anchor) for at, anchor in enumerate(anchors)
        ),
        filter=_filter(family.filter, spot.at("filter")),
        closed=family.closed,
        fill=_fill(family.fill, spot.at("fill")),
        mark=spot.mark,
    )


def _fill(value: LiteralValue, spot: Spot) -> LiteralValue:
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int | Decimal | float)
    ):
        spot.report(
            "a fill stands for a sum of nothing, and is a number", "write a number, or leave it out"
        )
    return value


def _filter(text: str | None, spot: Spot) -> Expression | None:
    if text is None:
        return None
    expression = read_expression(spot, text)
    misplaced = misplaced_in_row(expression)
    if misplaced is not None:
        spot.report(f"a filter is a condition on one row and cannot hold {misplaced}")
    return expression

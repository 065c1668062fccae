"""What tools are told of a column, as the metadata of its Arrow field.

What comes in: a level or a metric of a typed collection, and the table it is shown in. What goes
out: a field with the keys of Flight SQL, which drivers read, and keys of ours, which say how the
column may be asked. It must never say more than the resolver would: what is allowed is asked there.

Every column may be NULL: a fact without a parent belongs to the NULL member, and most reducers have
no value where there is nothing to reduce.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from flightframe_server.algebra.types import DataType, Kind
from flightframe_server.arrow_types import SQL_DIGITS, SQL_KEY, SQL_NAMES, arrow_type
from flightframe_server.catalog.collection import DerivedMetric, MetricFamily, RootedMetric
from flightframe_server.language import format_expression
from flightframe_server.resolver.anchors import (
    AllowedReducer,
    allowed_reducers,
    family_type,
    metric_anchors,
)
from flightframe_server.resolver.terms import LevelTerm, MetricTerm, Term
from flightframe_server.resolver.typed import TypedCollection

OURS = "flightframe:"

Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TablePlace:
    """Where a column is shown: catalog, collection and table."""

    catalog: str
    collection: str
    table: str


def level_field(place: TablePlace, typed: TypedCollection, level: str, name: str) -> pa.Field:
    """Return the field of a level, shown under a name."""
    return _field(place, name, typed.level_types[level], level_words(typed, level), {
        "role": "level",
        "level": level,
        "dimension_family": typed.graph.family_of(level),
        "determines": _json(sorted(typed.graph.determined((level,)) - {level})),
    })  # fmt: skip


def metric_field(
    place: TablePlace, typed: TypedCollection, family: MetricFamily
) -> pa.Field | None:
    """Return the field of a metric, of the type that its bare name has; None where it has none.

    A family without a default has the type of the first reducer that it declares: its name alone is
    refused, and the metadata says which reducers are not.
    """
    own_type = family_type(typed, family.name)
    allowed = allowed_reducers(typed, family)
    type_ = own_type or _first_type(family, allowed)
    if type_ is None:
        return None
    facts = {"role": "metric", "metric": family.name}
    if own_type is not None:
        anchors = metric_anchors(typed, family.name)
        facts["levels"] = _json(anchors.levels)
        facts["required"] = _json(anchors.required)
    elif allowed:
        facts["levels"] = _json(allowed[0].anchors.levels)
    if isinstance(family.meaning, DerivedMetric):
        facts["formula"] = format_expression(family.meaning.formula)
        facts["inputs"] = _json(family.meaning.inputs)
    else:
        facts["reducers"] = _json(
            {reducer.operator: _reducer_facts(reducer) for reducer in allowed}
        )
        for reducer in allowed:
            if reducer.default:
                facts["default"] = reducer.operator
    return _field(place, family.name, type_, family.description, facts)


def _first_type(family: MetricFamily, allowed: tuple[AllowedReducer, ...]) -> DataType | None:
    if not isinstance(family.meaning, RootedMetric):
        return None
    types = {reducer.operator: reducer.type for reducer in allowed}
    order = (*(reducer.operator for reducer in family.meaning.reducers), *types)
    return next((types[operator] for operator in order if operator in types), None)


def _reducer_facts(reducer: AllowedReducer) -> dict[str, object]:
    facts: dict[str, object] = {"type": str(reducer.type)}
    if reducer.blocks:
        facts["blocked"] = reducer.blocks
    if reducer.anchors.required:
        facts["required"] = reducer.anchors.required
    return facts


def fact_field(
    place: TablePlace, family: MetricFamily, operator: str, name: str, type_: DataType
) -> pa.Field:
    """Return the field of a column of facts: a metric at its table's grain."""
    facts = {"role": "fact", "metric": family.name, "reducer": operator}
    return _field(place, name, type_, family.description, facts)


def answer_field(place: TablePlace, typed: TypedCollection, name: str, term: Term) -> pa.Field:
    """Return the field of a column of a saved frame: a level, or a value at the frame's points."""
    match term:
        case LevelTerm(level=level) if level in typed.level_types:
            facts = {"role": "level", "level": level}
            return _field(place, name, term.type, level_words(typed, level), facts)
        case MetricTerm(metric=metric) if metric.family in typed.collection.metric_families:
            family = typed.collection.metric_families[metric.family]
            facts = {"role": "value", "metric": family.name, "reducer": metric.operator.name}
            return _field(place, name, term.type, family.description, facts)
    return _field(place, name, term.type, "", {"role": "value"})


def level_words(typed: TypedCollection, level: str) -> str:
    """Return what the collection says of a level, or of its family, or whose key it is."""
    family = typed.collection.dimension_families.get(typed.graph.family_of(level))
    words = "" if family is None else family.describes(level)
    keyed = (
        f"The key of {schema.name}."
        for schema in typed.collection.schemas.values()
        if len(schema.grain) == 1 and typed.graph.find(schema.grain[0]) == level
    )
    return words or next(keyed, "")


def without_remarks(schema: pa.Schema) -> pa.Schema:
    """Return a table's columns as those of an answer: JDBC shows a remark there as the name."""
    remarks = f"{SQL_KEY}REMARKS".encode()
    return pa.schema(
        [
            field.with_metadata({k: v for k, v in (field.metadata or {}).items() if k != remarks})
            for field in schema
        ]
    )


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _field(place: TablePlace, name: str, type_: DataType, remarks: str, own: Facts) -> pa.Field:
    facts = {
        "CATALOG_NAME": place.catalog,
        # The specification's key, and the one that JDBC reads.
        "DB_SCHEMA_NAME": place.collection,
        "SCHEMA_NAME": place.collection,
        "TABLE_NAME": place.table,
        "TYPE_NAME": SQL_NAMES[type_.kind],
        "IS_AUTO_INCREMENT": "0",
        "IS_CASE_SENSITIVE": "1" if type_.kind is Kind.TEXT else "0",
        "IS_READ_ONLY": "1",
        "IS_SEARCHABLE": "1",
    }
    precision = type_.precision or SQL_DIGITS.get(type_.kind)
    if precision:
        facts["PRECISION"] = str(precision)
    if type_.kind in (Kind.DECIMAL, Kind.INTEGER):
        facts["SCALE"] = str(type_.scale)
    if remarks:
        facts["REMARKS"] = remarks
    metadata = {SQL_KEY + key: value for key, value in facts.items()}
    metadata.update({OURS + key: value for key, value in own.items()})
    return pa.field(name, arrow_type(type_), metadata=metadata)

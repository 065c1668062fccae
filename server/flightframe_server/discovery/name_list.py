"""The names of a collection, each once, with what belongs to it alone.

What comes in: a collection's types, and which names are wanted. What goes out: levels, their edges,
schemas and metrics as JSON, of a size that grows as their number does. It must never tell of each
metric at each level, nor ask the data anything.
"""

from __future__ import annotations

from typing import Any

from flightframe_server.catalog.collection import (
    MetricFamily,
    RootedMetric,
    SavedFrame,
    Schema,
)
from flightframe_server.catalog.levels import LevelGraph
from flightframe_server.discovery.metric_terms import MetricTerms, default_of, reducers_of
from flightframe_server.discovery.request import NameFilter
from flightframe_server.errors import QueryError
from flightframe_server.language.format import format_expression
from flightframe_server.resolver.saved_frames import frame_question
from flightframe_server.resolver.typed import TypedCollection


def name_list(terms: MetricTerms, selects: NameFilter) -> dict[str, Any]:
    """Return a collection by its names."""
    typed, collection = terms.typed, terms.typed.collection
    graph = typed.graph
    return {
        "name": collection.name,
        "description": collection.description,
        "levels": [level_facts_of(typed, level) for level in graph.level_names if selects(level)],
        "edges": [
            {"from": edge.source, "to": edge.target}
            for level in graph.level_names
            for edge in graph.edges_from(level)
            if selects(edge.source) and selects(edge.target)
        ],
        "schemas": [
            {**schema_facts(schema), "levels": _levels_of(graph, schema)}
            for schema in collection.schemas.values()
            if selects(schema.name)
        ],
        **frames_of(typed, selects),
        "metrics": [
            {**metric_facts(terms, family), **_place(terms, family)}
            for family in collection.metric_families.values()
            if selects(family.name)
        ],
    }


def level_facts_of(typed: TypedCollection, level: str) -> dict[str, Any]:
    """Return what the collection says of a level."""
    family = typed.graph.family_of(level)
    declared = typed.collection.dimension_families.get(family)
    return {
        "name": level,
        "type": str(typed.level_types[level]),
        "family": family,
        "description": declared.describes(level) if declared is not None else "",
    }


def schema_facts(schema: Schema) -> dict[str, Any]:
    """Return what the collection says of a schema: never its table."""
    return {
        "name": schema.name,
        "grain": list(schema.grain),
        "description": schema.description,
    }


def frames_of(typed: TypedCollection, selects: NameFilter) -> dict[str, Any]:
    """Return the saved frames of a collection with their columns; nothing where it has none."""
    frames = typed.collection.frames.values()
    if not frames:
        return {}
    return {"frames": [_frame(typed, frame) for frame in frames if selects(frame.name)]}


def _frame(typed: TypedCollection, frame: SavedFrame) -> dict[str, Any]:
    question = frame_question(frame, typed)
    return {
        "name": frame.name,
        "description": frame.description,
        "query": frame.query.strip(),
        "grain": list(question.anchor),
        "columns": [
            {"name": column.name, "type": str(column.term.type)} for column in question.columns
        ],
    }


def metric_facts(terms: MetricTerms, family: MetricFamily) -> dict[str, Any]:
    """Return what the collection says of a metric, but for where it may be asked."""
    type_ = terms.type_of(family)
    facts: dict[str, Any] = {
        "name": family.name,
        "description": family.description,
        "type": "" if type_ is None else str(type_),
        "reducers": [],
    }
    if isinstance(family.meaning, RootedMetric):
        facts["reducers"] = [reducer.operator for reducer in family.meaning.reducers]
        facts["default"] = default_of(family)
    else:
        facts["formula"] = format_expression(family.meaning.formula)
        facts["inputs"] = list(family.meaning.inputs)
    return facts


def _place(terms: MetricTerms, family: MetricFamily) -> dict[str, Any]:
    """Return the schema a metric is read from, and the levels it cannot be asked without."""
    place: dict[str, Any] = {}
    if isinstance(family.meaning, RootedMetric):
        place["schema"] = family.meaning.schema
    first = reducers_of(family)[:1]
    try:
        place["required"] = [level for one in first for level in terms.required(family, one)]
    except QueryError:
        place["required"] = []
    return place


def _levels_of(graph: LevelGraph, schema: Schema) -> list[str]:
    return sorted(graph.own_levels(schema.name))

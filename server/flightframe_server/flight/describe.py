"""What can be asked of a server, as the JSON of the action `flightframe.describe`.

What comes in: the collections, and which of them or of their names is wanted. What goes out: names,
types and texts. It must never hold a table, a file or a path of the server's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flightframe_server.answer import Serving, engine_named
from flightframe_server.catalog.collection import MetricFamily, RootedMetric
from flightframe_server.errors import AmbiguousReducer, FrameQLSyntaxError
from flightframe_server.flight.sql.columns import bare_type
from flightframe_server.resolver.metrics import default_operator
from flightframe_server.resolver.typed import TypedCollection

ACTION = "flightframe.describe"

Wanted = Callable[[str], bool]


def describe(body: bytes, serving: Serving) -> bytes:
    """Return the description as JSON.

    Args:
        body: empty, or a JSON object with the optional texts `collection` and `name`.
        serving: the installation.

    Raises:
        FrameQLSyntaxError: the body is not that.
        UnknownName: there is no such collection.
    """
    asked = _asked(body)
    name = asked.get("name", "").casefold()
    engines = (
        [engine_named(serving, asked["collection"])]
        if asked.get("collection")
        else list(serving.engines.values())
    )

    def wanted(known: str) -> bool:
        return not name or known.casefold() == name

    described = {
        "installation_id": serving.installation_id,
        "collections": [_collection(engine.typed, wanted) for engine in engines],
    }
    return json.dumps(described, separators=(",", ":"), ensure_ascii=False).encode()


def _asked(body: bytes) -> dict[str, str]:
    if not body:
        return {}
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    known = isinstance(asked, dict) and asked.keys() <= {"collection", "name"}
    if not known or not all(isinstance(value, str) for value in asked.values()):
        raise FrameQLSyntaxError(
            "the body is not what describe takes", hint='send {"collection": "...", "name": "..."}'
        )
    return dict(asked)


def _collection(typed: TypedCollection, wanted: Wanted) -> dict[str, Any]:
    collection = typed.collection
    return {
        "name": collection.name,
        "description": collection.description,
        "levels": [_level(typed, level) for level in typed.graph.level_names if wanted(level)],
        "metrics": [
            _metric(typed, family)
            for family in collection.metric_families.values()
            if wanted(family.name)
        ],
        "schemas": [
            {
                "name": schema.name,
                "grain": list(schema.grain),
                "description": schema.description,
            }
            for schema in collection.schemas.values()
            if wanted(schema.name)
        ],
    }


def _level(typed: TypedCollection, level: str) -> dict[str, str]:
    family = typed.graph.family_of(level)
    declared = typed.collection.dimension_families.get(family)
    return {
        "name": level,
        "type": str(typed.level_types[level]),
        "family": family,
        "description": declared.describes(level) if declared is not None else "",
    }


def _metric(typed: TypedCollection, family: MetricFamily) -> dict[str, Any]:
    type_ = bare_type(typed, family)
    described: dict[str, Any] = {
        "name": family.name,
        "description": family.description,
        "type": "" if type_ is None else str(type_),
        "reducers": [],
    }
    if isinstance(family.meaning, RootedMetric):
        described["reducers"] = [reducer.operator for reducer in family.meaning.reducers]
        try:
            described["default"] = default_operator(family, family.meaning)
        except AmbiguousReducer:
            described["default"] = None
    return described

"""The shapes of all bodies and replies, as JSON Schema.

What comes in: nothing. What goes out: the schemas by their names. It must never be looser than what
is sent: a field that stands in a reply stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
ANYTHING: Schema = {}
TEXTS: Schema = {"type": "array", "items": TEXT}
OPTIONAL_TEXT: Schema = {"type": ["string", "null"]}
OPTIONAL_COUNT: Schema = {"type": ["integer", "null"], "minimum": 0}
SECONDS: Schema = {"type": "number", "minimum": 0}
OPTIONAL_SECONDS: Schema = {"type": ["number", "null"], "minimum": 0}
CODE: Schema = {"type": "string", "pattern": "^[A-Z][A-Z_]*$"}


def ref(name: str) -> Schema:
    """Return a reference to a schema of this page."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


def fields(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of an object that holds these fields and no other."""
    more = optional or {}
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **more},
        "additionalProperties": False,
    }


def optional(schema: Schema) -> Schema:
    """Return the schema of a value that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


ERROR = fields(
    {
        "error": fields(
            {"code": CODE, "message": TEXT},
            {
                "hint": TEXT,
                "line": INTEGER,
                "column": INTEGER,
                "details": {"type": "object"},
            },
        )
    }
)

_QUERY_FIELDS: Mapping[str, Schema] = {
    "source": {**OPTIONAL_TEXT, "description": "Frame-QL"},
    "sql": {
        **OPTIONAL_TEXT,
        "description": "in its place: a text as over Flight SQL",
    },
    "installation_id": {**OPTIONAL_TEXT, "description": "refused where it names another"},
    "parameters": {
        "type": ["array", "object", "null"],
        "items": {"type": ["string", "number", "boolean", "null", "array"]},
        "additionalProperties": {"type": ["string", "number", "boolean", "null", "array"]},
        "description": "a list for ?, an object for $name; no more and no fewer than the query has;"
        " a list within is bound behind IN",
    },
    "collection": {
        **OPTIONAL_TEXT,
        "description": "the only one that fits, where it is left out",
    },
    "ac_name": {**OPTIONAL_TEXT, "description": "another name of collection"},
    "max_staleness": {
        "type": ["number", "null"],
        "minimum": 0,
        "description": "seconds by which the answer may lag behind its source",
    },
    "only_if_cached": {"type": ["boolean", "null"]},
    "no_cache": {"type": ["boolean", "null"]},
}

QUERY = {
    "type": "object",
    "properties": _QUERY_FIELDS,
    "additionalProperties": False,
    "anyOf": [
        {"required": ["source"], "properties": {"source": {"type": "string", "minLength": 1}}},
        {"required": ["sql"], "properties": {"sql": {"type": "string", "minLength": 1}}},
    ],
}

LABEL: Schema = {
    "type": "string",
    "enum": ["engine_cache", "engine_backend", "engine_mixed", "backend"],
}

PROVENANCE = fields(
    {
        "served_from": LABEL,
        "query_id": TEXT,
        "collection": TEXT,
        "columns": array(
            fields(
                {"column": TEXT, "served_from": LABEL, "parts": array(ref("Part"))},
                {"outer": {"type": "boolean"}},
            )
        ),
    },
    {"notes": TEXTS},
)

PART = fields(
    {
        "family": TEXT,
        "operator": TEXT,
        "anchor": TEXTS,
        "route": {"type": "string", "enum": ["exact", "rollup", "backend"]},
        "served_from": LABEL,
    },
    {
        "entry": TEXT,
        "rolled_up_from": TEXTS,
        "edges": TEXTS,
        "version": {"type": "object", "additionalProperties": TEXT},
        "trusted": TEXTS,
        "shift": TEXT,
    },
)

ANSWER = fields(
    {
        "ac_name": TEXT,
        "columns": TEXTS,
        "rows": array({"type": "array"}),
        "row_count": COUNT,
        "served_from": LABEL,
        "provenance": ref("Provenance"),
    }
)

_STEP = fields(
    {
        "step": INTEGER,
        **dict.fromkeys(
            ("column", "family", "operator", "anchor", "route", "source", "why_not"), TEXT
        ),
    }
)

EXPLANATION = fields(
    {
        "ac_name": TEXT,
        "steps": array(_STEP),
        "nodes": array(
            fields(
                {
                    "id": TEXT,
                    "kind": {
                        "type": "string",
                        "enum": [
                            "table",
                            "fetch",
                            "entry",
                            "rollup",
                            "compose",
                            "column",
                            "rejected",
                            "island",
                            "algebra",
                        ],
                    },
                    "label": TEXT,
                    "served_from": optional(LABEL),
                    "rows": OPTIONAL_COUNT,
                    "bytes": OPTIONAL_COUNT,
                    "detail": {"type": "object"},
                    "reason": OPTIONAL_TEXT,
                }
            )
        ),
        "edges": array(fields({"source": TEXT, "target": TEXT, "label": OPTIONAL_TEXT})),
        "sql": array(fields({"node": TEXT, "text": TEXT})),
    }
)

COMPLETE = fields(
    {"source": TEXT, "offset": {"type": "integer", "minimum": 0}}, {"collection": OPTIONAL_TEXT}
)

COMPLETION = fields(
    {
        "start": COUNT,
        "end": COUNT,
        "options": array(
            fields(
                {
                    "label": TEXT,
                    "kind": {
                        "type": "string",
                        "enum": [
                            "metric",
                            "level",
                            "reducer",
                            "keyword",
                            "schema",
                            "function",
                            "member",
                            "parameter",
                        ],
                    },
                    "insert": TEXT,
                    "detail": TEXT,
                    "type": OPTIONAL_TEXT,
                    "legal": FLAG,
                    "code": optional(CODE),
                    "reason": OPTIONAL_TEXT,
                }
            )
        ),
    }
)

_SHELF_FIELDS: Mapping[str, Schema] = {
    "metrics": TEXTS,
    "at": {"type": ["array", "null"], "items": TEXT},
    "where": TEXTS,
    "having": TEXTS,
    "order": TEXTS,
    "limit": OPTIONAL_COUNT,
    "from": OPTIONAL_TEXT,
}
SHELF = fields(_SHELF_FIELDS)
FORMAT = fields({"shelf": fields({}, _SHELF_FIELDS)})
FORMATTED = fields({"source": TEXT})

CHECKED = {
    "oneOf": [
        fields(
            {
                "ok": {"const": True},
                "ac_name": TEXT,
                "canonical": OPTIONAL_TEXT,
                "columns": array(
                    fields(
                        {
                            "name": TEXT,
                            "type": TEXT,
                            "kind": {"type": "string", "enum": ["level", "metric", "column"]},
                        }
                    )
                ),
                "shelf": optional(ref("Shelf")),
            }
        ),
        fields(
            {
                "ok": {"const": False},
                "errors": array(
                    fields(
                        {
                            "code": CODE,
                            "message": TEXT,
                            "hint": OPTIONAL_TEXT,
                            "line": {"type": ["integer", "null"]},
                            "column": {"type": ["integer", "null"]},
                            "fix": OPTIONAL_TEXT,
                        },
                        {"end_line": INTEGER, "end_column": INTEGER},
                    )
                ),
            }
        ),
    ]
}

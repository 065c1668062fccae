"""The shapes of what can be asked, as JSON Schema: of a request for it, and of both of its forms.

What comes in: nothing. What goes out: schemas. It must never be looser than what is sent: a form
that tells of no anchors has none.
"""

from __future__ import annotations

from flightframe_server.web.description.schemas import (
    ANYTHING,
    CODE,
    COUNT,
    FLAG,
    LABEL,
    OPTIONAL_TEXT,
    TEXT,
    TEXTS,
    array,
    fields,
)

_LEVEL_FIELDS = {"name": TEXT, "type": TEXT, "family": TEXT, "description": TEXT}
_SCHEMA_FIELDS = {"name": TEXT, "grain": TEXTS, "description": TEXT}
_METRIC_FIELDS = {"name": TEXT, "description": TEXT, "type": TEXT, "reducers": TEXTS}
_MEANING_FIELDS = {"default": OPTIONAL_TEXT, "formula": TEXT, "inputs": TEXTS}

_LEVEL = fields(
    _LEVEL_FIELDS,
    {
        "facts": fields(
            {
                "schema": TEXT,
                "cardinality": COUNT,
                "has_null": FLAG,
                "first": ANYTHING,
                "last": ANYTHING,
                "members": {"type": "array"},
                "served_from": LABEL,
            }
        ),
        "refused": TEXT,
    },
)

_ANCHORS = fields(
    {
        "reducer": TEXT,
        "levels": TEXTS,
        "required": TEXTS,
        "blocked": array(fields({"level": TEXT, "code": CODE, "reason": TEXT})),
    }
)

_FRAMES = {
    "frames": array(
        fields(
            {
                "name": TEXT,
                "description": TEXT,
                "query": TEXT,
                "grain": TEXTS,
                "columns": array(fields({"name": TEXT, "type": TEXT})),
            }
        )
    )
}

_FULL = fields(
    {
        "name": TEXT,
        "description": TEXT,
        "levels": array(_LEVEL),
        # What else is told of a metric may grow.
        "metrics": array(
            {
                "type": "object",
                "required": [*_METRIC_FIELDS, "anchors"],
                "properties": {**_METRIC_FIELDS, **_MEANING_FIELDS, "anchors": array(_ANCHORS)},
            }
        ),
        "schemas": array(fields(_SCHEMA_FIELDS)),
    },
    _FRAMES,
)

_NAMES = fields(
    {
        "name": TEXT,
        "description": TEXT,
        "levels": array(fields(_LEVEL_FIELDS)),
        "edges": array(fields({"from": TEXT, "to": TEXT})),
        "metrics": array(
            fields({**_METRIC_FIELDS, "required": TEXTS}, {**_MEANING_FIELDS, "schema": TEXT})
        ),
        "schemas": array(fields({**_SCHEMA_FIELDS, "levels": TEXTS})),
    },
    _FRAMES,
)

DESCRIPTION = {
    "anyOf": [
        fields({"installation_id": TEXT, "collections": array(_FULL)}),
        fields({"installation_id": TEXT, "collections": array(_NAMES)}),
    ]
}

_NAME_LIST = {"type": ["array", "null"], "items": {**TEXT, "minLength": 1}, "minItems": 1}

NAMES_ABOUT = "only levels, metrics, schemas and frames of these names"
AT_ABOUT = "of where metrics may be asked, only these levels"
DETAIL_ABOUT = (
    "`names`: each level, edge, schema, frame and metric once, and the data not asked; `full`:"
    " where each metric may be asked as well"
)
DETAILS = ["full", "names"]

DESCRIBE = fields(
    {},
    {
        "collection": {**TEXT, "description": "only this collection"},
        "name": {**TEXT, "description": "only levels, metrics, schemas and frames of this name"},
        "names": {**_NAME_LIST, "description": NAMES_ABOUT},
        "detail": {"enum": [*DETAILS, None], "description": DETAIL_ABOUT},
        "at": {**_NAME_LIST, "description": AT_ABOUT},
        "schema": {**TEXT, "description": "whose rows tell of levels"},
        "members": {
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": 1000,
            "description": "how many members of each level",
        },
    },
)

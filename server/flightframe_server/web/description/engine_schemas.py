"""The shapes of bodies and replies about a server and its engines, and the names of all of them.

What comes in: nothing. What goes out: the schemas by their names. It must never have a field for a
value, a text or a session of another user's.
"""

from __future__ import annotations

from collections.abc import Mapping

from flightframe_server.web.description import describe_schemas, schemas
from flightframe_server.web.description.schemas import (
    CODE,
    COUNT,
    FLAG,
    INTEGER,
    LABEL,
    NUMBER,
    OPTIONAL_COUNT,
    OPTIONAL_SECONDS,
    OPTIONAL_TEXT,
    SECONDS,
    TEXT,
    TEXTS,
    Schema,
    array,
    fields,
    optional,
    ref,
)

_MISTAKE = fields(
    {"file": TEXT, "line": INTEGER, "message": TEXT}, {"code": CODE, "hint": OPTIONAL_TEXT}
)

HEALTH = fields(
    {
        "status": {"type": "string", "enum": ["ok", "degraded"]},
        "installation_id": TEXT,
        "version": TEXT,
        "reload": fields(
            {
                "state": {"type": "string", "enum": ["ok", "failed", "none"]},
                "at": {"type": ["number", "null"]},
                "errors": array(_MISTAKE),
            }
        ),
    },
    {"collections": TEXTS, "user": TEXT, "flight": TEXT},
)

READINESS = fields({"ready": FLAG}, {"reasons": array(fields({"code": CODE, "message": TEXT}))})

SESSION_REQUEST = fields({}, {"collection": OPTIONAL_TEXT})
SESSION = fields({"id": TEXT, "collection": TEXT, "expires_in": SECONDS})
ENDED = fields({"ended": FLAG})

_ENTRY = fields(
    {
        "id": TEXT,
        "family": TEXT,
        "anchor": TEXTS,
        "operator": TEXT,
        "filtered": FLAG,
        "filter": {**TEXTS, "description": "the levels that the filter names, never its values"},
        "rows": COUNT,
        "bytes": COUNT,
        "hits": COUNT,
        "age_seconds": SECONDS,
        "last_used_seconds": SECONDS,
        "pinned": FLAG,
        "route": {"type": "string", "enum": ["backend", "rollup"]},
        "from_anchor": {"type": ["array", "null"], "items": TEXT},
        "fresh": {**FLAG, "description": "whether it is of the data as they are"},
        "seconds": {**OPTIONAL_SECONDS, "description": "how long its making took"},
    }
)

MANIFEST = fields(
    {
        "ac_name": TEXT,
        "enabled": FLAG,
        "entries": array(_ENTRY),
        "entry_count": COUNT,
        "bytes": COUNT,
        "budget_bytes": COUNT,
        "budget_percent": SECONDS,
        "hits": {**COUNT, "description": "of the entries, kept over restarts"},
        "rollups": {**COUNT, "description": "answers rolled up, since the server started"},
        "misses": {**COUNT, "description": "answers that took the back-end, the same"},
        "hot_hits": {**COUNT, "description": "answers given again as they were, the same"},
        "counts": fields(dict.fromkeys(("evicted", "damaged", "unstored", "failures"), COUNT)),
    }
)

RECOMMENDATIONS = fields(
    {
        "thresholds": fields(
            {"min_hits": COUNT, "min_age_days": SECONDS, "min_hits_per_day": SECONDS}
        ),
        "recommendations": array(
            fields(
                {
                    "family": TEXT,
                    "operator": TEXT,
                    "anchor": TEXTS,
                    "hits": COUNT,
                    "age_days": SECONDS,
                    "hits_per_day": SECONDS,
                    "bytes": COUNT,
                    "seconds": OPTIONAL_SECONDS,
                    "saved_seconds_per_day": OPTIONAL_SECONDS,
                    "route": TEXT,
                    "stanza": {**TEXT, "description": "YAML to paste into the collection"},
                }
            )
        ),
        "not_candidates": array(
            fields(
                {
                    "family": TEXT,
                    "operator": TEXT,
                    "anchor": TEXTS,
                    "filtered": FLAG,
                    "filter": TEXTS,
                    "hits": COUNT,
                    "reason": TEXT,
                }
            )
        ),
    }
)

_PROMOTION = fields({"family": TEXT, "anchor": TEXTS})
PROMOTE = fields(
    {"promotions": {**array(_PROMOTION), "minItems": 1, "maxItems": 1000}},
    {"hash": {**OPTIONAL_TEXT, "description": "of the difference that was shown: writes it"}},
)
RELOADED = fields(
    {"reloaded": FLAG, "changed": TEXTS, "collections": TEXTS, "errors": array(_MISTAKE)}
)
PROMOTED = fields(
    {
        "applied": FLAG,
        "file": TEXT,
        "hash": TEXT,
        "diff": {**TEXT, "description": "in unified form; empty where all was hinted already"},
        "promotions": array(_PROMOTION),
    },
    {"reload": ref("Reloaded")},
)
REFRESH = fields(
    {},
    {
        "entry_ids": {**TEXTS, "maxItems": 1000},
        "promotions": {**array(_PROMOTION), "maxItems": 1000},
    },
)
_MADE = {"family": TEXT, "anchor": TEXTS}
REFRESHED = fields(
    {
        "refreshed": array(fields({**_MADE, "fresh": FLAG}, {"operator": TEXT})),
        "failed": array(fields({**_MADE, "error": {"type": "object"}}, {"operator": TEXT})),
    }
)
EVICTED = fields({"evicted": FLAG})

STATEMENTS = fields(
    {
        "statements": array(
            fields(
                {
                    "id": TEXT,
                    "source": TEXT,
                    "started": NUMBER,
                    "seconds": SECONDS,
                    "state": {"type": "string", "enum": ["running", "waiting"]},
                }
            )
        ),
        "running": COUNT,
        "waiting": COUNT,
    }
)
CANCELLED = fields({"cancelled": FLAG})

QUERIES = fields(
    {
        "queries": array(
            fields(
                {
                    "at": NUMBER,
                    "seconds": SECONDS,
                    "source": TEXT,
                    "rows": OPTIONAL_COUNT,
                    "served_from": LABEL,
                    "query_id": TEXT,
                    "collection": TEXT,
                    "provenance": ref("Provenance"),
                }
            )
        )
    }
)

LOGIN = fields({"user": TEXT, "password": {**TEXT, "format": "password"}})
LOGGED_IN = fields({"user": TEXT, "expires_in": optional(SECONDS)})

SCHEMAS: Mapping[str, Schema] = {
    "Error": schemas.ERROR,
    "Query": schemas.QUERY,
    "Answer": schemas.ANSWER,
    "Provenance": schemas.PROVENANCE,
    "Part": schemas.PART,
    "Describe": describe_schemas.DESCRIBE,
    "Description": describe_schemas.DESCRIPTION,
    "Explanation": schemas.EXPLANATION,
    "Complete": schemas.COMPLETE,
    "Completion": schemas.COMPLETION,
    "Checked": schemas.CHECKED,
    "Shelf": schemas.SHELF,
    "Format": schemas.FORMAT,
    "Formatted": schemas.FORMATTED,
    "Health": HEALTH,
    "Readiness": READINESS,
    "SessionRequest": SESSION_REQUEST,
    "Session": SESSION,
    "Ended": ENDED,
    "Manifest": MANIFEST,
    "Recommendations": RECOMMENDATIONS,
    "Promote": PROMOTE,
    "Promoted": PROMOTED,
    "Refresh": REFRESH,
    "Refreshed": REFRESHED,
    "Evicted": EVICTED,
    "Reloaded": RELOADED,
    "Statements": STATEMENTS,
    "Cancelled": CANCELLED,
    "Queries": QUERIES,
    "Login": LOGIN,
    "LoggedIn": LOGGED_IN,
    "Anything": {"type": "object"},
}
"""Every schema by the name that the description gives it."""

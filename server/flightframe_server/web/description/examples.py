"""An example of each operation, over the retail demonstration.

What comes in: nothing. What goes out: what is sent, and what is answered, as far as it is shown. It
must never show what is not answered: the tests send each of them, and compare.

In a reply, `…` stands for any value, and as the last of a list or of an object for whatever
follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ANY = "…"
REST = {ANY: ANY}

BY_REGION = "SELECT region, SUM(revenue) AS total_revenue AT region"


@dataclass(frozen=True, slots=True)
class Example:
    """One request and its reply.

    Attributes:
        body: what is sent; None: nothing.
        keys: what stands behind `?` in the address.
        path: what stands for the names in the path; those that are left out are made first.
        reply: the JSON of the reply; None where that is none.
        status: of the reply, where that is not the operation's.
        headers: beside those that the operation needs.
    """

    body: Any = None
    keys: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    reply: Any = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


_HEALTH = Example(
    reply={
        "status": "ok",
        "installation_id": "retail-demo",
        "version": ANY,
        "collections": ["retail_full"],
        "reload": {"state": ANY, "at": ANY, "errors": []},
    }
)

_REGION_LEVEL = {
    "name": "region",
    "type": "text",
    "family": "location",
    "description": "The region a store lies in.",
    "facts": {
        "schema": "stores",
        "cardinality": 3,
        "has_null": False,
        "first": "Central",
        "last": "West",
        "members": ["Central", "East"],
        "served_from": ANY,
    },
}

_DESCRIPTION = {
    "installation_id": "retail-demo",
    "collections": [
        {
            "name": "retail_full",
            "description": ANY,
            "levels": [_REGION_LEVEL],
            "metrics": [],
            "schemas": [],
            "frames": [],
        }
    ],
}

EXAMPLES: Mapping[str, Example] = {
    "query": Example(
        body={"installation_id": "retail-demo", "source": BY_REGION},
        reply={
            "ac_name": "retail_full",
            "columns": ["region", "total_revenue"],
            "rows": [["Central", 3868636.36], ["East", 2901857.26], ["West", 3316449.82]],
            "row_count": 3,
            "served_from": "engine_cache",
            "provenance": {"served_from": "engine_cache", "query_id": ANY, **REST},
        },
    ),
    "explain": Example(
        body={"source": "SELECT revenue AT (month, region)"},
        reply={
            "ac_name": "retail_full",
            "steps": [
                {
                    "step": 1,
                    "column": "revenue",
                    "family": "revenue",
                    "operator": "SUM",
                    "anchor": "month, region",
                    "route": "rollup",
                    "source": ANY,
                    "why_not": "@(region): it neither holds nor determines month",
                }
            ],
            "nodes": [
                {
                    "id": "rollup:0",
                    "kind": "rollup",
                    "label": "roll up to (month, region)",
                    "served_from": "engine_cache",
                    "rows": None,
                    "bytes": None,
                    "detail": {
                        "anchor": ["month", "region"],
                        "edges": ["day -> month"],
                        "filter": [],
                    },
                    "reason": None,
                },
                ANY,
            ],
            "edges": [{"source": ANY, "target": "rollup:0", "label": "day -> month"}, ANY],
            "sql": [],
        },
    ),
    "check": Example(
        body={"source": "SELECT marginn AT month"},
        reply={
            "ok": False,
            "errors": [
                {
                    "code": "UNKNOWN_NAME",
                    "message": "there is no metric or level marginn",
                    "hint": "did you mean margin or region?",
                    "line": 1,
                    "column": 8,
                    "fix": "SELECT margin AT month",
                    "end_line": 1,
                    "end_column": 15,
                }
            ],
        },
    ),
    "complete": Example(
        body={"source": "SELECT on_hand AT reg", "offset": 21},
        reply={
            "start": 18,
            "end": 21,
            "options": [
                {
                    "label": "region",
                    "kind": "level",
                    "insert": "region",
                    "detail": "The region a store lies in.",
                    "type": "text",
                    "legal": False,
                    "code": "BLOCKED_REDUCTION",
                    "reason": "SUM(on_hand) may not aggregate over calendar, and the anchor leaves"
                    " out month",
                }
            ],
        },
    ),
    "format": Example(
        body={
            "shelf": {
                "metrics": ["revenue", "margin"],
                "at": ["month"],
                "where": ["region = 'East'"],
                "limit": 3,
            }
        },
        reply={"source": "SELECT revenue, margin WHERE region = 'East' AT month LIMIT 3"},
    ),
    "describe": Example(keys={"name": "region", "members": "2"}, reply=_DESCRIPTION),
    "describe_body": Example(body={"name": "region", "members": 2}, reply=_DESCRIPTION),
    "statements": Example(reply={"statements": [], "running": 0, "waiting": 0}),
    "cancel": Example(
        path={"id": "0123456789abcdef"},
        status=404,
        reply={
            "error": {
                "code": "UNKNOWN_NAME",
                "message": "no statement of yours is under way by that name",
                "hint": "GET /runtime/statements",
            }
        },
    ),
    "queries": Example(
        reply={
            "queries": [
                {
                    "at": ANY,
                    "seconds": ANY,
                    "source": BY_REGION,
                    "rows": 3,
                    "served_from": "engine_cache",
                    "query_id": ANY,
                    "collection": "retail_full",
                    "provenance": REST,
                },
                ANY,
            ]
        }
    ),
    "events": Example(),
    "login": Example(
        body={"user": "alice", "password": "correct horse"},
        reply={"user": "", "expires_in": None},
    ),
    "logout": Example(reply={"ended": False}),
    "session_begin": Example(reply={"id": ANY, "collection": "retail_full", "expires_in": 3600.0}),
    "session_end": Example(reply={"ended": True}),
    "manifest": Example(
        reply={
            "ac_name": "retail_full",
            "enabled": True,
            "entries": [
                {
                    "id": ANY,
                    "family": "revenue",
                    "anchor": ["region"],
                    "operator": "SUM",
                    "filtered": False,
                    "filter": [],
                    "rows": 3,
                    "bytes": ANY,
                    "hits": ANY,
                    "age_seconds": ANY,
                    "last_used_seconds": ANY,
                    "pinned": True,
                    "route": "backend",
                    "from_anchor": None,
                    "fresh": True,
                    "seconds": ANY,
                },
                ANY,
            ],
            "entry_count": ANY,
            "bytes": ANY,
            "budget_bytes": 1073741824,
            "budget_percent": ANY,
            "hits": ANY,
            "counts": {"damaged": 0, "evicted": 0, "unstored": 0, "failures": 0},
            "rollups": ANY,
            "misses": ANY,
            "hot_hits": ANY,
        }
    ),
    "recommendations": Example(
        keys={"min_hits": "0", "min_age_days": "0", "min_hits_per_day": "0"},
        reply={
            "thresholds": {"min_hits": 0, "min_age_days": 0.0, "min_hits_per_day": 0.0},
            "recommendations": ANY,
            "not_candidates": ANY,
        },
    ),
    "promote": Example(
        body={"promotions": [{"family": "units", "anchor": ["region"]}]},
        reply={
            "applied": False,
            "file": "ac.yaml",
            "hash": ANY,
            "diff": ANY,
            "promotions": [{"family": "units", "anchor": ["region"]}],
        },
    ),
    "refresh": Example(
        body={},
        reply={
            "refreshed": [{"family": "revenue", "anchor": ["region"], "fresh": True}, ANY],
            "failed": [],
        },
    ),
    "evict": Example(
        path={"entry_id": "0123456789abcdef"},
        status=404,
        reply={
            "error": {
                "code": "UNKNOWN_NAME",
                "message": "there is no entry 0123456789abcdef",
                "hint": "list the entries again",
            }
        },
    ),
    "reload": Example(
        reply={"reloaded": True, "changed": [], "collections": ["retail_full"], "errors": []}
    ),
    "health": _HEALTH,
    "runtime_health": _HEALTH,
    "ready": Example(reply={"ready": True}),
    "metrics": Example(),
    "openapi": Example(reply={"openapi": "3.1.0", **REST}),
    "docs": Example(),
    "docs_style": Example(),
}
"""The example of each operation, by its name."""


def fits(reply: Any, example: Any) -> bool:
    """Return whether a reply is what an example shows.

    >>> fits({"a": [1, 2], "b": 3}, {"a": [1, "…"], "…": "…"}), fits([1], [2])
    (True, False)
    """
    if example == ANY:
        return True
    if isinstance(example, dict) and isinstance(reply, dict):
        keys = example.keys() - {ANY}
        same_keys = keys == reply.keys() or (ANY in example and keys <= reply.keys())
        return same_keys and all(fits(reply[key], example[key]) for key in keys)
    if isinstance(example, list) and isinstance(reply, list):
        rest = bool(example) and example[-1] == ANY
        first = example[:-1] if rest else example
        long_enough = len(reply) >= len(first) if rest else len(reply) == len(first)
        return long_enough and all(map(fits, reply, first))
    return bool(reply == example) and type(reply) is type(example)

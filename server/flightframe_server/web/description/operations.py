"""The table of all operations: routes, guards, OpenAPI, pages and tests are made from it.

What comes in: rows. What goes out: the table. It must never have a second list of addresses beside
it.
"""

from __future__ import annotations

import json

from flightframe_server.web.api_call import ApiCall, Services
from flightframe_server.web.description.api_page import STYLE, api_page
from flightframe_server.web.description.engine_operations import ENGINE, SESSIONS
from flightframe_server.web.description.openapi import openapi
from flightframe_server.web.description.operation import Operation
from flightframe_server.web.description.query_operations import ASKING, UNDER_WAY
from flightframe_server.web.endpoints import installation
from flightframe_server.web.page_files import POLICY
from flightframe_server.web.reply import Reply, TextReply


def _openapi(services: Services, call: ApiCall) -> Reply:
    return TextReply(json.dumps(openapi(OPERATIONS), ensure_ascii=False).encode())


def _api_page(services: Services, call: ApiCall) -> Reply:
    headers = {"content-security-policy": POLICY, "cache-control": "no-cache"}
    return TextReply(api_page(OPERATIONS).encode(), 200, headers, "text/html; charset=utf-8")


def _style(services: Services, call: ApiCall) -> Reply:
    return TextReply(STYLE.encode(), 200, {"cache-control": "no-cache"}, "text/css; charset=utf-8")


_OF_THE_SERVER = (
    *(
        Operation(
            name,
            "GET",
            path,
            "whether the server answers",
            installation.health,
            "Health",
            about="`degraded` where the last reload failed and the collections of before go on."
            " `flight` is where Arrow Flight answers, `user` as whom the caller was let in. Where"
            " credentials are asked for, those, the collections and the mistakes of a reload are"
            " told to those who bring some.",
            public=True,
            audited=False,
        )
        for name, path in (("health", "/healthz"), ("runtime_health", "/runtime/healthz"))
    ),
    Operation(
        "ready",
        "GET",
        "/readyz",
        "whether questions should be sent here, and why not",
        installation.ready,
        "Readiness",
        about="The reasons are `WARMING_UP`, `BACKEND_UNREACHABLE` and `DRAINING`.",
        statuses={503: "it is not, and says why"},
        public=True,
        audited=False,
    ),
    Operation(
        "metrics",
        "GET",
        "/metrics",
        "what the server counts, for Prometheus",
        installation.metrics,
        None,
        about="Numbers alone: no text of a query, no user, no filter.",
        media_type="text/plain",
        others={"application/openmetrics-text": "the same as OpenMetrics"},
        audited=False,
    ),
    Operation(
        "openapi",
        "GET",
        "/openapi.json",
        "this description, as OpenAPI 3.1",
        _openapi,
        "Anything",
        public=True,
        audited=False,
    ),
    Operation(
        "docs",
        "GET",
        "/docs",
        "this description, to be read",
        _api_page,
        None,
        media_type="text/html",
        public=True,
        audited=False,
    ),
    Operation(
        "docs_style",
        "GET",
        "/docs/style.css",
        "how the page of this description looks",
        _style,
        None,
        media_type="text/css",
        public=True,
        audited=False,
    ),
)

OPERATIONS: tuple[Operation, ...] = (
    *ASKING,
    *UNDER_WAY,
    *SESSIONS,
    *ENGINE,
    *_OF_THE_SERVER,
)
"""Every operation, in the order of the pages."""

SECTIONS: tuple[tuple[str, tuple[Operation, ...]], ...] = (
    ("Asking", ASKING),
    ("What is under way", UNDER_WAY),
    ("Sessions", SESSIONS),
    ("The engine", ENGINE),
    ("The server", _OF_THE_SERVER),
)

"""The table of all operations: routes, guards, OpenAPI, pages and tests are made from it.

What comes in: the endpoints. What goes out: one row for each. It must never have a second list of
addresses beside it.
"""

from __future__ import annotations

import json

from flightframe_server.web.api_call import ApiCall, Services
from flightframe_server.web.description.api_page import STYLE, api_page
from flightframe_server.web.description.openapi import openapi
from flightframe_server.web.description.operation import AddressKey, Operation
from flightframe_server.web.description.schemas import SECONDS, TEXT
from flightframe_server.web.endpoints import (
    checking,
    discovery,
    engine,
    installation,
    login,
    queries,
    sessions,
    statements,
)
from flightframe_server.web.events import MEDIA_TYPE as EVENTS
from flightframe_server.web.page_files import POLICY
from flightframe_server.web.reply import ARROW, Reply, TextReply

_QUERY_ERRORS = (409, 422, 499, 501, 502, 504)
_ARROW_REPLY = {ARROW: "the rows as an Arrow IPC stream, the provenance in the schema's metadata"}

_SESSION = AddressKey("id", "the id of a session of yours", TEXT, in_path=True)
_COLLECTION = AddressKey("collection", "only this collection", TEXT)
_COUNT = {"type": "integer", "minimum": 0}
_DESCRIBED = (
    _COLLECTION,
    AddressKey("name", "only levels, metrics and schemas of this name", TEXT),
    AddressKey("schema", "whose rows tell of levels", TEXT),
    AddressKey(
        "members", "how many members of each level", {**_COUNT, "maximum": 1000}, example="3"
    ),
)
_ETAG = (
    "The reply has an ETag: it changes when the collection, the data or what is asked does. With"
    " it in If-None-Match, the reply is 304 and empty while it is the same."
)


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
            " Where credentials are asked for, the collections and the mistakes of a reload are"
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

_ASKING = (
    Operation(
        "query",
        "POST",
        "/runtime/query",
        "a query and its answer",
        queries.query,
        "Answer",
        about="In JSON, decimals are numbers with all their digits; NaN and the infinities, which"
        " JSON lacks, are null, and `provenance.notes` says how many of each column. The header"
        " `x-flightframe-served-from` has the label as well. A client that hangs up is worked for"
        " no longer.",
        body="Query",
        others=_ARROW_REPLY,
        errors=_QUERY_ERRORS,
    ),
    Operation(
        "explain",
        "POST",
        "/runtime/explain",
        "what a query would be answered from",
        queries.explain,
        "Explanation",
        about="`steps` are the rows of EXPLAIN. `nodes` and `edges` are the same plan as a graph,"
        " from tables to columns; a node `rejected` is an entry that was not used, and `reason`"
        " says why in EXPLAIN's words.",
        body="Query",
        errors=_QUERY_ERRORS,
    ),
    Operation(
        "check",
        "POST",
        "/runtime/check",
        "whether a query could be answered",
        checking.check,
        "Checked",
        about="Nothing is carried out, and 200 is the status either way. Parameters need no"
        " values. `fix` is the whole text as it was probably meant, once that was checked itself.",
        body="Query",
        errors=(499, 502, 504),
    ),
    Operation(
        "format",
        "POST",
        "/runtime/format",
        "the text of a shelf",
        checking.format_shelf,
        "Formatted",
        about="A shelf is a query clause by clause, as `check` returns it.",
        body="Format",
    ),
    Operation(
        "describe",
        "GET",
        "/runtime/describe",
        "what can be asked",
        discovery.describe,
        "Description",
        about=_ETAG,
        keys=_DESCRIBED,
        statuses={304: "it is the description that the client has"},
        errors=_QUERY_ERRORS,
    ),
    Operation(
        "describe_body",
        "POST",
        "/runtime/describe",
        "what can be asked, named in a body",
        discovery.describe,
        "Description",
        about=_ETAG,
        body="Describe",
        body_optional=True,
        audit_kind="describe",
        statuses={304: "it is the description that the client has"},
        errors=_QUERY_ERRORS,
    ),
)

_UNDER_WAY = (
    Operation(
        "statements",
        "GET",
        "/runtime/statements",
        "your questions under way",
        statements.statements,
        "Statements",
        about="Of other users' it tells how many there are.",
    ),
    Operation(
        "cancel",
        "DELETE",
        "/runtime/statements/{id}",
        "an end to one of them",
        statements.cancel,
        "Cancelled",
        about="The call that waits for the answer is told `CANCELLED`. Who else waits for the same"
        " statement goes on waiting.",
        keys=(AddressKey("id", "the id of a question of yours that is under way", TEXT, True),),
        changes=True,
    ),
    Operation(
        "queries",
        "GET",
        "/runtime/queries",
        "your last queries, the newest first",
        queries.last_queries,
        "Queries",
    ),
    Operation(
        "events",
        "GET",
        "/runtime/events",
        "the figures of the engine, as they change",
        None,
        None,
        about="A stream of server-sent events `engine`: at once, and when something changed, at"
        " most once a second. A comment every 15 seconds shows that the connection lives.",
        keys=(_COLLECTION,),
        media_type=EVENTS,
    ),
)

_SESSIONS = (
    Operation(
        "login",
        "POST",
        "/runtime/login",
        "a cookie in exchange for a password",
        login.login,
        "LoggedIn",
        about="The cookie is HttpOnly and SameSite=Strict. It lets in what changes nothing, and"
        " with `X-Flightframe: 1` all the rest.",
        body="Login",
        public=True,
        changes=True,
        errors=(401, 413, 429, 503),
    ),
    Operation(
        "logout",
        "POST",
        "/runtime/logout",
        "an end to the session whose token or cookie a call brings",
        login.logout,
        "Ended",
        about="Here and over Flight; a lasting token or a password is no session, and stays good.",
    ),
    Operation(
        "session_begin",
        "POST",
        "/sessions",
        "an id under which to look at one collection",
        sessions.begin,
        "Session",
        about="It ends some time after its last use. A caller who has too many loses the oldest.",
        body="SessionRequest",
        body_optional=True,
        status=201,
    ),
    Operation(
        "session_end",
        "DELETE",
        "/sessions/{id}",
        "an end to it",
        sessions.end,
        "Ended",
        keys=(_SESSION,),
        changes=True,
    ),
)

_ENGINE = (
    Operation(
        "manifest",
        "GET",
        "/sessions/{id}/engine/manifest",
        "what the engine holds",
        engine.manifest,
        "Manifest",
        about="Of a filter it tells the levels, never the values.",
        keys=(_SESSION,),
        errors=(502, 504),
    ),
    Operation(
        "recommendations",
        "GET",
        "/sessions/{id}/engine/recommendations",
        "which hot questions deserve a hint",
        engine.recommendations,
        "Recommendations",
        about="`stanza` is YAML to paste. `not_candidates` are hot questions that no hint can keep,"
        " each with the reason.",
        keys=(
            _SESSION,
            AddressKey("min_hits", "times answered from the cache; 100 where left out", _COUNT),
            AddressKey("min_age_days", "days since first asked; 7 where left out", SECONDS),
            AddressKey("min_hits_per_day", "hits for each of these days; 0", SECONDS),
        ),
        errors=(502, 504),
    ),
    Operation(
        "promote",
        "POST",
        "/sessions/{id}/engine/promote",
        "hints for the collection's file: shown first, then written",
        engine.promote,
        "Promoted",
        about="Without `hash` it returns the difference and its hash. With both in the body it"
        " writes exactly that, and the collection is reloaded and made. A file that changed"
        " meanwhile is refused.",
        keys=(_SESSION,),
        body="Promote",
        changes=True,
        operator=True,
        errors=(409, 422, 501, 502, 504),
    ),
    Operation(
        "refresh",
        "POST",
        "/sessions/{id}/engine/refresh",
        "entries brought up to the data as they are",
        engine.refresh,
        "Refreshed",
        about="Those that are named, or else all that is hinted.",
        keys=(_SESSION,),
        body="Refresh",
        body_optional=True,
        changes=True,
        operator=True,
        errors=(499, 502, 504),
    ),
    Operation(
        "evict",
        "DELETE",
        "/sessions/{id}/engine/entries/{entry_id}",
        "an entry taken out of the store",
        engine.evict,
        "Evicted",
        keys=(
            _SESSION,
            AddressKey("entry_id", "the id of the entry in the manifest", TEXT, in_path=True),
        ),
        changes=True,
        operator=True,
        errors=(502, 504),
    ),
    Operation(
        "reload",
        "POST",
        "/runtime/reload",
        "the installation's files read anew",
        installation.reload,
        "Reloaded",
        about="They are checked first and served as one; where they are wrong, what was served is"
        " served on, and `errors` says why.",
        changes=True,
        operator=True,
        errors=(501, 502),
    ),
)

OPERATIONS: tuple[Operation, ...] = (
    *_ASKING,
    *_UNDER_WAY,
    *_SESSIONS,
    *_ENGINE,
    *_OF_THE_SERVER,
)
"""Every operation, in the order of the pages."""

SECTIONS: tuple[tuple[str, tuple[Operation, ...]], ...] = (
    ("Asking", _ASKING),
    ("What is under way", _UNDER_WAY),
    ("Sessions", _SESSIONS),
    ("The engine", _ENGINE),
    ("The server", _OF_THE_SERVER),
)

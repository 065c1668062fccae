"""The operations that ask: queries, descriptions, checks, and what is under way.

What comes in: the endpoints. What goes out: their rows of the table.
"""

from __future__ import annotations

from flightframe_server.web.description.describe_schemas import (
    AT_ABOUT,
    DETAIL_ABOUT,
    DETAILS,
    NAMES_ABOUT,
)
from flightframe_server.web.description.operation import AddressKey, Operation
from flightframe_server.web.description.schemas import TEXT
from flightframe_server.web.endpoints import checking, discovery, queries, statements
from flightframe_server.web.events import MEDIA_TYPE as EVENTS
from flightframe_server.web.reply import ARROW

_QUERY_ERRORS = (409, 422, 499, 501, 502, 504)
_ARROW_REPLY = {ARROW: "the rows as an Arrow IPC stream, the provenance in the schema's metadata"}

_COLLECTION = AddressKey("collection", "only this collection", TEXT)
_COUNT = {"type": "integer", "minimum": 0}
_DESCRIBED = (
    _COLLECTION,
    AddressKey("name", "only levels, metrics, schemas and frames of this name", TEXT),
    AddressKey("names", f"{NAMES_ABOUT}, with commas between", TEXT, example="region,revenue"),
    AddressKey("detail", DETAIL_ABOUT, {"type": "string", "enum": DETAILS}),
    AddressKey("at", f"{AT_ABOUT}, with commas between", TEXT, example="region"),
    AddressKey("schema", "whose rows tell of levels", TEXT),
    AddressKey(
        "members", "how many members of each level", {**_COUNT, "maximum": 1000}, example="3"
    ),
)
_ETAG = (
    "The reply has an ETag: it changes when the collection, the data or what is asked does. With"
    " it in If-None-Match, the reply is 304 and empty while it is the same. It is packed with gzip"
    " where that is accepted.\n\nWhere each of many metrics may be asked at each of many levels is"
    " much to tell: the detail `names` tells everything once and no more, and `names` and `at` tell"
    " the rest of what is looked at. In an address a name that holds a comma or a quote stands in"
    ' quotes: `"a, b"`.'
)


ASKING = (
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
        " says why in EXPLAIN's words. SQL of several questions has a node `island` for each, and"
        " nodes `algebra` for what is done with their answers.",
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
        "complete",
        "POST",
        "/runtime/complete",
        "what may stand at a place of a text",
        checking.complete_text,
        "Completion",
        about="`offset` counts characters. An option that may not stand there with what is written"
        " already is not `legal`, and says why.",
        body="Complete",
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

UNDER_WAY = (
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

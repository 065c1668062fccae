"""The help of an editor over HTTP: checks, completions, and the text of a shelf.

What comes in: texts as they are being written. What goes out: what is wrong with them, what may
stand in them, or their canonical form. It must never carry a query out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flightframe_server.access.audit import audited_call
from flightframe_server.answer import Request
from flightframe_server.completion.complete import complete
from flightframe_server.completion.shelf import read_shelf, shelf_of, statement_text
from flightframe_server.errors import (
    FlightframeError,
    FrameQLSyntaxError,
    Place,
    QueryError,
    TypeMismatch,
)
from flightframe_server.query_check import CheckedQuery, check_request
from flightframe_server.query_fixes import fix_of
from flightframe_server.sql.texts import check_text
from flightframe_server.web.api_call import ApiCall, Services
from flightframe_server.web.body import QueryBody
from flightframe_server.web.endpoints.queries import read_query
from flightframe_server.web.json_body import read_fields, required_text, text_of
from flightframe_server.web.reply import Reply, json_reply

COMPLETE_EXAMPLE = 'send {"source": "SELECT rev", "offset": 10}'
FORMAT_EXAMPLE = 'send {"shelf": {"metrics": ["revenue"], "at": ["region"]}}'


def check(services: Services, call: ApiCall) -> Reply:
    """Return whether the query in a body could be answered, and why not.

    Raises:
        FlightframeError: the body holds no query, or the database is away.
    """
    body = read_query(services, call, "check")
    try:
        # Where no values come with it, a text is checked for any that fit.
        return json_reply(_checked(services, call, body))
    except QueryError as error:
        errors = [_mistake(services, call, body, error)]
        return json_reply({"ok": False, "errors": errors})


def format_shelf(services: Services, call: ApiCall) -> Reply:
    """Return the canonical text of a shelf.

    Raises:
        FrameQLSyntaxError: the body holds none, or one of its texts does not stand in its clause.
    """
    shelf = read_fields(call.body, ("shelf",), FORMAT_EXAMPLE).get("shelf")
    if not isinstance(shelf, dict):
        raise FrameQLSyntaxError("the key shelf is missing or empty", hint=FORMAT_EXAMPLE)
    noted = audited_call()
    if noted is not None:
        noted.what = "format"
    return json_reply({"source": statement_text(read_shelf(shelf))})


def complete_text(services: Services, call: ApiCall) -> Reply:
    """Return what may stand at a place of a text, and why the rest may not.

    Raises:
        FrameQLSyntaxError: the body holds no text.
        TypeMismatch: the place is no number of characters.
        UnknownName: there is no such collection.
        BackendError: the database failed.
    """
    fields = read_fields(call.body, ("source", "offset", "collection"), COMPLETE_EXAMPLE)
    source = required_text(fields, "source", COMPLETE_EXAMPLE)
    offset, collection = fields.get("offset"), text_of(fields, "collection")
    if type(offset) is not int or offset < 0:
        raise TypeMismatch("offset is not a number of characters", hint=COMPLETE_EXAMPLE)
    noted = audited_call()
    if noted is not None:
        noted.what, noted.collection = "complete", collection
    completion = complete(source, offset, services.runtime, collection, call.context)
    return json_reply(completion.to_json())


def _checked(services: Services, call: ApiCall, body: QueryBody) -> dict[str, Any]:
    typing = not body.request.parameters
    if body.sql:
        checked = check_text(
            body.request, services.runtime, services.tables, call.context, typing=typing
        )
    else:
        checked = check_request(body.request, services.runtime, call.context, typing=typing)
    if isinstance(checked, CheckedQuery):
        shelf = shelf_of(checked.statement)
        return {
            "ok": True,
            "ac_name": checked.collection,
            "canonical": checked.canonical,
            "columns": [
                {"name": column.name, "type": column.type, "kind": column.kind}
                for column in checked.columns
            ],
            "shelf": None if shelf is None else shelf.to_json(),
        }
    columns = [
        {"name": field.name, "type": str(field.type), "kind": "column"} for field in checked.schema
    ]
    return {"ok": True, "ac_name": "", "canonical": None, "columns": columns, "shelf": None}


def _mistake(
    services: Services, call: ApiCall, body: QueryBody, error: QueryError
) -> dict[str, Any]:
    source = body.request.source
    mistake: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "line": None,
        "column": None,
        "fix": None if body.sql else _fix(services, call, body.request, error),
    }
    if error.place is not None:
        mistake |= {"line": error.place.line, "column": error.place.column}
        end = _end(source, error.place)
        if end is not None:
            mistake |= {"end_line": end[0], "end_column": end[1]}
    return mistake


def _end(source: str, place: Place) -> tuple[int, int] | None:
    """Return the line and the column behind a place, from 1; None where it has no end."""
    if not place.start < place.end <= len(source):
        return None
    before = source[: place.end]
    return before.count("\n") + 1, place.end - (before.rfind("\n") + 1) + 1


def _fix(
    services: Services, call: ApiCall, request: Request, error: FlightframeError
) -> str | None:
    def checked(text: str) -> None:
        other = replace(request, source=text)
        check_request(other, services.runtime, call.context, typing=not request.parameters)

    return fix_of(request.source, error, checked)

"""Queries over HTTP: their answers, as JSON or as Arrow, their plans, and those of before.

What comes in: calls with the body of a query. What goes out: replies. It must never mean by a text
anything else than Flight does: SQL, its refusals and plans come from the same rooms.
"""

from __future__ import annotations

from typing import Any

from flightframe_server.access.audit import audited_call
from flightframe_server.answer import Answer, answer
from flightframe_server.errors import UnknownName, did_you_mean, shown
from flightframe_server.outer.plans import PlannedProgram
from flightframe_server.query_plan import PlannedRequest, plan_request
from flightframe_server.sql.texts import answer_text, plan_text
from flightframe_server.web.api_call import ApiCall, Services
from flightframe_server.web.body import QueryBody, read_body
from flightframe_server.web.reply import (
    ARROW,
    JSON,
    AnswerReply,
    ArrowReply,
    Reply,
    json_reply,
)


def query(services: Services, call: ApiCall) -> Reply:
    """Answer the query in a body.

    Raises:
        FlightframeError: the body is none, or as `answer` and `answer_text`.
    """
    body = read_query(services, call, "query")
    if body.sql:
        result = answer_text(body.request, services.runtime, services.tables, call.context)
    else:
        result = answer(body.request, services.runtime, call.context)
    form = ArrowReply if wants_arrow(call.headers.get("accept", "")) else AnswerReply
    reply = form(result, services.limits, call.context)
    _note_answer(result, reply.rows)
    return reply


def explain(services: Services, call: ApiCall) -> Reply:
    """Return what the query in a body would be answered from; raises as `query`."""
    body = read_query(services, call, "explain")
    planned = _planned(services, call, body)
    steps = planned.steps().to_pylist()
    noted = audited_call()
    if noted is not None:
        noted.rows = len(steps)
    graph = planned.graph()
    text = planned.engine.backend.text
    return json_reply(
        {
            "ac_name": planned.engine.collection.name,
            "steps": steps,
            "nodes": [node.to_json() for node in graph.nodes],
            "edges": [edge.to_json() for edge in graph.edges],
            "sql": [{"node": name, "text": text(one)} for name, one in graph.queries.items()],
        }
    )


def last_queries(services: Services, call: ApiCall) -> Reply:
    """Return the caller's own last queries, the newest first."""
    user = call.context.caller.user
    own = [query for query in services.runtime.query_log if query.user == user]
    queries: list[dict[str, Any]] = [
        {
            "at": query.at,
            "seconds": query.seconds,
            "source": query.source,
            "rows": query.rows,
            "served_from": str(query.provenance.served_from),
            "query_id": query.provenance.query_id,
            "collection": query.provenance.collection,
            "provenance": query.provenance.to_json(),
        }
        for query in reversed(own)
    ]
    return json_reply({"queries": queries})


def read_query(services: Services, call: ApiCall, what: str) -> QueryBody:
    """Return the query in the body of a call, once the audit knows of it.

    Raises:
        FrameQLSyntaxError: there is none.
        TypeMismatch: something in it is of another kind.
        UnknownName: it is meant for another installation.
    """
    body = read_body(call.body)
    known = services.runtime.installation_id
    if body.installation_id not in (None, known):
        raise UnknownName(
            f"there is no installation {shown(body.installation_id)} here",
            hint=did_you_mean(body.installation_id or "", [known]),
        )
    noted = audited_call()
    if noted is not None:
        noted.what, noted.request = what, body.request
    return body


def wants_arrow(accept: str) -> bool:
    """Return whether a client would rather have Arrow than JSON.

    >>> wants_arrow("application/vnd.apache.arrow.stream"), wants_arrow("*/*"), wants_arrow("")
    (True, False, False)
    >>> wants_arrow("application/json, application/vnd.apache.arrow.stream;q=0.5")
    False
    """
    qualities = {JSON: 0.0, ARROW: 0.0}
    for part in accept.lower().split(","):
        media_type, *options = (piece.strip() for piece in part.split(";"))
        if media_type in qualities:
            qualities[media_type] = max(qualities[media_type], _quality(options))
    return qualities[ARROW] > 0 and qualities[ARROW] >= qualities[JSON]


def _quality(options: list[str]) -> float:
    for option in options:
        if option.startswith("q="):
            try:
                return float(option[2:])
            except ValueError:
                return 0.0
    return 1.0


def _planned(services: Services, call: ApiCall, body: QueryBody) -> PlannedRequest | PlannedProgram:
    if body.sql:
        return plan_text(body.request, services.runtime, services.tables, call.context)
    return plan_request(body.request, services.runtime, call.context)


def _note_answer(result: Answer, rows: int) -> None:
    noted = audited_call()
    if noted is not None:
        noted.answered(result)
        noted.rows = rows

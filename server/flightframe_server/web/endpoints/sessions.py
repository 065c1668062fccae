"""Sessions of the workbench: begun and ended.

What comes in: calls of a user. What goes out: ids. It must never tell a user of another's session.
"""

from __future__ import annotations

from flightframe_server.answer import engine_named
from flightframe_server.errors import FrameQLSyntaxError
from flightframe_server.web.api_call import ApiCall, Services
from flightframe_server.web.json_body import read_fields, text_of
from flightframe_server.web.reply import Reply, json_reply

CREATED = 201
EXAMPLE = 'send {"collection": "…"}, or no body where there is one collection alone'


def begin(services: Services, call: ApiCall) -> Reply:
    """Begin a session that looks at one collection.

    Raises:
        FrameQLSyntaxError: the body is none of a session, or names none of several collections.
        UnknownName: there is no such collection.
        LimitExceeded: there are too many sessions.
    """
    fields = read_fields(call.body, ("collection",), EXAMPLE)
    collection = text_of(fields, "collection")
    engines = services.runtime.engines
    if collection is None:
        if len(engines) != 1:
            raise FrameQLSyntaxError(
                "there are several collections", hint=f"name one of {', '.join(sorted(engines))}"
            )
        (collection,) = engines
    name = engine_named(services.runtime, collection).collection.name
    session = services.sessions.begin(call.context.caller, name)
    return json_reply(
        {"id": session.id, "collection": name, "expires_in": services.sessions.seconds},
        CREATED,
        {"location": f"/sessions/{session.id}"},
    )


def end(services: Services, call: ApiCall) -> Reply:
    """End a session of the caller's.

    Raises:
        UnknownName: the caller has none of that id.
    """
    services.sessions.end(call.path["id"], call.context.caller)
    return json_reply({"ended": True})

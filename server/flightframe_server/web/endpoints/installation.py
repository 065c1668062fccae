"""A server about itself: whether it is up, whether it is ready, and what its API is.

What comes in: calls that anybody may make. What goes out: short texts. It must never tell a caller
who was not let in what the collections are called.
"""

from __future__ import annotations

from typing import Any

from prometheus_client.exposition import choose_encoder

from flightframe_server import __version__
from flightframe_server.errors import NotSupported
from flightframe_server.web.api_call import ApiCall, Services
from flightframe_server.web.flight_address import flight_address
from flightframe_server.web.reply import Reply, TextReply, json_reply

UNAVAILABLE = 503


def health(services: Services, call: ApiCall) -> Reply:
    """Return that the server answers, and how the last reload went."""
    reload = services.reload_state()
    body: dict[str, Any] = {
        "status": "degraded" if reload["state"] == "failed" else "ok",
        "installation_id": services.runtime.installation_id,
        "version": __version__,
    }
    if call.admitted:
        body["collections"] = sorted(services.runtime.engines)
        if services.flight is not None:
            body["flight"] = flight_address(services.flight, call.headers.get("host", ""))
    else:
        # The mistakes of a collection quote its names.
        reload = {**reload, "errors": []}
    if call.context.caller.user:
        body["user"] = call.context.caller.user
    return json_reply({**body, "reload": reload})


def ready(services: Services, call: ApiCall) -> Reply:
    """Return whether questions should be sent here, and why not."""
    reasons = services.readiness.reasons(services.runtime.engines)
    if not reasons:
        return json_reply({"ready": True})
    listed = [
        {"code": reason.code, "message": reason.message if call.admitted else "its log says more"}
        for reason in reasons
    ]
    return json_reply({"ready": False, "reasons": listed}, UNAVAILABLE)


def metrics(services: Services, call: ApiCall) -> Reply:
    """Return what the server counts, as Prometheus reads it."""
    encode, media_type = choose_encoder(call.headers.get("accept", ""))
    text = encode(services.runtime.metrics.registry)
    return TextReply(text, headers={"vary": "accept"}, media_type=media_type)


def reload(services: Services, call: ApiCall) -> Reply:
    """Read the installation's files anew, and serve what they say or go on as before.

    Raises:
        NotSupported: the server was started without files.
    """
    if services.reloader is None:
        raise NotSupported("this server was started without files, and reloads none")
    return json_reply(services.reloader.reload().to_json())

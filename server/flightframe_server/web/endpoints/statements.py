"""The caller's own questions under way, and an end to one of them.

What comes in: calls. What goes out: lists and confirmations. It must never show another user's
question: of those it tells how many there are, and no more.
"""

from __future__ import annotations

import time
from typing import Any

from flightframe_server.errors import UnknownName
from flightframe_server.statements.runner import RunningStatement
from flightframe_server.web.api_call import ApiCall, Services
from flightframe_server.web.reply import Reply, json_reply


def statements(services: Services, call: ApiCall) -> Reply:
    """Return what is under way for the caller, oldest first, and how much is for all."""
    user = call.context.caller.user
    running = services.runtime.statements.running()
    waiting = {one.query_id for one in running if not one.admitted.is_set()}
    listed: list[dict[str, Any]] = [
        {
            "id": question.query_id,
            "source": question.source,
            "started": question.started,
            "seconds": time.monotonic() - question.since,
            "state": "waiting" if question.query_id in waiting else "running",
        }
        for question in services.runtime.questions.of(user)
    ]
    known = {question["id"] for question in listed}
    streams = [one for one in running if one.streamed and one.user == user]
    sources = _sources(services, user) if streams else {}
    for stream in streams:
        if stream.query_id not in known:
            seconds = time.monotonic() - stream.since
            listed.append(
                {
                    "id": stream.query_id,
                    "source": sources.get(stream.query_id, ""),
                    "started": time.time() - seconds,
                    "seconds": seconds,
                    "state": "waiting" if stream.query_id in waiting else "running",
                }
            )
    admitted = sum(one.admitted.is_set() for one in running)
    return json_reply(
        {
            "statements": sorted(listed, key=lambda one: one["started"]),
            "running": admitted,
            "waiting": len(running) - admitted,
        }
    )


def cancel(services: Services, call: ApiCall) -> Reply:
    """Cancel a question of the caller's; the call that waits for it is told so.

    Raises:
        UnknownName: none of the caller's own is under way by that name.
    """
    user, name = call.context.caller.user, call.path["id"]
    cancelled = services.runtime.questions.cancel(name, user)
    for stream in _streams(services, user):
        if stream.query_id == name:
            stream.cancel()
            cancelled = True
    if not cancelled:
        raise UnknownName(
            "no statement of yours is under way by that name", hint="GET /runtime/statements"
        )
    return json_reply({"cancelled": True})


def _streams(services: Services, user: str) -> list[RunningStatement]:
    running = services.runtime.statements.running()
    return [one for one in running if one.streamed and one.user == user]


def _sources(services: Services, user: str) -> dict[str, str]:
    """Return the texts of a user's last queries by their names."""
    return {
        query.provenance.query_id: query.source
        for query in services.runtime.query_log
        if query.user == user
    }

"""The engine of a session's collection: what it holds, what deserves a hint, and what is changed.

What comes in: calls under a session. What goes out: entries and recommendations, as numbers and
names; what was done. It must never show a value that a filter compares with, nor a text that a user
asked.
"""

from __future__ import annotations

from typing import Any

from flightframe_server.access.audit import audited_call
from flightframe_server.errors import (
    FrameQLSyntaxError,
    LimitExceeded,
    NotSupported,
    TypeMismatch,
)
from flightframe_server.operations import Operations
from flightframe_server.promotion.recommend import DEFAULT_THRESHOLDS, Thresholds
from flightframe_server.promotion.stanza import Promotion
from flightframe_server.web.api_call import ApiCall, Services
from flightframe_server.web.json_body import Fields, check_keys, list_of, read_fields, text_of
from flightframe_server.web.reply import Reply, json_reply

MOST_NAMED = 1000
"""So many entries or promotions may be named at once."""

PROMOTE_EXAMPLE = 'send {"promotions": [{"family": "revenue", "anchor": ["day"]}]}'
REFRESH_EXAMPLE = 'send {"entry_ids": ["…"]}, {"promotions": […]}, or {} for all that is hinted'


def manifest(services: Services, call: ApiCall) -> Reply:
    """Return what the engine of a session's collection holds.

    Raises:
        UnknownName: there is no such session.
        BackendError: which version the data are of cannot be told.
    """
    operations, collection = _looked_at(services, call)
    count = services.runtime.metrics.answers_of(collection)
    answers = {"rollups": count.rollups, "misses": count.misses, "hot_hits": count.hot_hits}
    return json_reply({**operations.manifest(collection).to_json(), **answers})


def recommendations(services: Services, call: ApiCall) -> Reply:
    """Return which hot questions deserve a hint, and why others cannot have one.

    Raises:
        UnknownName: there is no such session.
        TypeMismatch: a threshold is no number.
    """
    operations, collection = _looked_at(services, call)
    default = DEFAULT_THRESHOLDS
    thresholds = Thresholds(
        int(call.number("min_hits", default.min_hits)),
        call.number("min_age_days", default.min_age_days),
        call.number("min_hits_per_day", default.min_hits_per_day),
    )
    return json_reply(operations.recommendations(collection, thresholds).to_json())


def promote(services: Services, call: ApiCall) -> Reply:
    """Show what the collection's file would be with further hints, or write what was shown.

    What was written is served before the reply, where the server reloads its files; what it hints
    is made in the background.

    Raises:
        QueryError: a hint would be refused, or no such difference was shown.
        CatalogError: the file cannot be edited.
        SetupError: it cannot be written.
    """
    operations, collection = _looked_at(services, call)
    fields = read_fields(call.body, ("promotions", "hash"), PROMOTE_EXAMPLE)
    promotions, shown_hash = _promotions(fields), text_of(fields, "hash")
    if not promotions:
        raise FrameQLSyntaxError("no promotion is named", hint=PROMOTE_EXAMPLE)
    promoted = operations.promote(promotions, collection, shown_hash)
    body = promoted.to_json()
    if promoted.applied and services.reloader is not None:
        body["reload"] = services.reloader.reload().to_json()
    return json_reply(body)


def refresh(services: Services, call: ApiCall) -> Reply:
    """Bring entries, anchors, or all that is hinted up to the data as they are.

    Raises:
        UnknownName: there is no such session, or no such entry.
        BackendError: the client hung up, or its user cancelled.
    """
    operations, collection = _looked_at(services, call)
    fields = read_fields(call.body, ("entry_ids", "promotions"), REFRESH_EXAMPLE)
    names = list_of(fields, "entry_ids") or []
    if not all(isinstance(name, str) for name in names):
        raise TypeMismatch("entry_ids is not a list of texts")
    _check_number(names)
    done = operations.refresh(
        collection, entry_ids=names, promotions=_promotions(fields), context=call.context
    )
    return json_reply(
        {
            "refreshed": [one.to_json() for one in done if one.failure is None],
            "failed": [one.to_json() for one in done if one.failure is not None],
        }
    )


def evict(services: Services, call: ApiCall) -> Reply:
    """Take one entry out of the store.

    Raises:
        UnknownName: there is no such session, or no such entry.
    """
    operations, collection = _looked_at(services, call)
    operations.evict((call.path["entry_id"],), collection)
    return json_reply({"evicted": True})


def _looked_at(services: Services, call: ApiCall) -> tuple[Operations, str]:
    """Return what operators do, and the collection that the session of a call looks at."""
    session = services.sessions.find(call.path["id"], call.context.caller)
    noted = audited_call()
    if noted is not None:
        noted.collection = session.collection
    if services.operations is None:
        raise NotSupported("this server was started without files, and has no operations")
    return services.operations, session.collection


def _promotions(fields: Fields) -> tuple[Promotion, ...]:
    promotions = list_of(fields, "promotions") or []
    _check_number(promotions)
    return tuple(map(_promotion, promotions))


def _promotion(value: Any) -> Promotion:
    if not isinstance(value, dict):
        raise TypeMismatch("a promotion is not an object", hint=PROMOTE_EXAMPLE)
    check_keys(value, ("family", "anchor"))
    family, anchor = text_of(value, "family"), list_of(value, "anchor")
    if family is None or anchor is None or not all(isinstance(level, str) for level in anchor):
        raise TypeMismatch("a promotion names a family and a list of levels", hint=PROMOTE_EXAMPLE)
    return Promotion(family, tuple(anchor))


def _check_number(names: list[Any]) -> None:
    if len(names) > MOST_NAMED:
        raise LimitExceeded(f"at most {MOST_NAMED:,} are named at once")

"""What can be asked, over HTTP.

What comes in: calls that name a collection, a level, a metric or a schema. What goes out: its
description, or that it is still the one that the client has. It must never call two descriptions
the same that differ in anything but where their members were read.
"""

from __future__ import annotations

import hashlib
from typing import Any

from flightframe_server.access.audit import audited_call
from flightframe_server.answer import Runtime, engine_named
from flightframe_server.discovery import describe as discovery
from flightframe_server.web.api_call import ApiCall, Services
from flightframe_server.web.json_body import read_object
from flightframe_server.web.reply import Reply, TextReply

NOT_MODIFIED = 304
EXAMPLE = 'send {"collection": "…", "name": "…", "schema": "…", "members": 10}'
_DIGITS = 9
_DIGEST_BYTES = 12


def describe(services: Services, call: ApiCall) -> Reply:
    """Describe what the body or the address of a call asks about.

    Raises:
        FrameQLSyntaxError: it asks about nothing that there is to tell.
        UnknownName: there is nothing of that name.
        LimitExceeded: more members are wanted than are told at once.
        BackendError: the database failed.
    """
    request = (
        discovery.read_fields(read_object(call.body, EXAMPLE))
        if call.body
        else discovery.read_fields(_fields(call))
    )
    noted = audited_call()
    if noted is not None:
        noted.what, noted.collection = "describe", request.collection or None
    # The tag is of the very definitions that are told.
    with services.runtime.pinned() as pinned:
        tag = _tag(pinned, request)
        headers = {} if tag is None else {"etag": tag, "cache-control": "private, no-cache"}
        if tag is not None and _has(call.headers.get("if-none-match", ""), tag):
            return TextReply(b"", NOT_MODIFIED, headers)
        return TextReply(discovery.describe(request, pinned, call.context), headers=headers)


def _fields(call: ApiCall) -> dict[str, Any]:
    fields: dict[str, Any] = dict(call.keys)
    members = call.keys.get("members")
    if members is not None and members.isascii() and members.isdecimal():
        fields["members"] = int(members) if len(members) <= _DIGITS else members
    return fields


def _tag(runtime: Runtime, request: discovery.DescribeRequest) -> str | None:
    """Return the name of a description's content; None where the data have no version.

    It is weak: where members were read may differ while everything that is told is the same.
    """
    engines = list(runtime.engines.values())
    if request.collection:
        engines = [engine_named(runtime, request.collection)]
    facts: list[object] = [runtime.installation_id, request]
    for engine in engines:
        versions = engine.fingerprint()
        if any(version is None for _, version in versions):
            return None
        facts += [engine.collection.name, engine.collection.source_hash, versions]
    digest = hashlib.blake2b(repr(facts).encode(), digest_size=_DIGEST_BYTES).hexdigest()
    return f'W/"{digest}"'


def _has(header: str, tag: str) -> bool:
    """Return whether `If-None-Match` names a tag; the weak comparison of RFC 9110."""
    names = {name.strip().removeprefix("W/") for name in header.split(",")}
    return "*" in names or tag.removeprefix("W/") in names

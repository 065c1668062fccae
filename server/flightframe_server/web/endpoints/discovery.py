"""What can be asked, over HTTP.

What comes in: calls that name a collection, a level, a metric or a schema. What goes out: its
description, or that it is still the one that the client has. It must never call two descriptions
the same that differ in anything but where their members were read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flightframe_server.access.audit import audited_call
from flightframe_server.answer import Runtime, engine_named
from flightframe_server.discovery.describe import describe as description_of
from flightframe_server.discovery.request import DescribeRequest, read_fields, split_names
from flightframe_server.web.api_call import ApiCall, Services
from flightframe_server.web.entity_tags import has_tag, tag_of
from flightframe_server.web.json_body import read_object
from flightframe_server.web.packing import LEAST_BYTES, accepts_gzip, packed, packed_reply
from flightframe_server.web.reply import NOT_MODIFIED, Reply, TextReply

EXAMPLE = 'send {"collection": "…", "name": "…", "schema": "…", "members": 10}'
_DIGITS = 9


def describe(services: Services, call: ApiCall) -> Reply:
    """Describe what the body or the address of a call asks about.

    Raises:
        FrameQLSyntaxError: it asks about nothing that there is to tell.
        UnknownName: there is nothing of that name.
        LimitExceeded: more members are wanted than are told at once.
        BackendError: the database failed.
    """
    request = (
        read_fields(read_object(call.body, EXAMPLE)) if call.body else read_fields(_fields(call))
    )
    noted = audited_call()
    if noted is not None:
        noted.what, noted.collection = "describe", request.collection or None
    # A call has pinned its runtime: the tag is of the very definitions that are told.
    tag = _tag(services.runtime, request)
    headers = {"vary": "accept-encoding"}
    if tag is not None:
        headers |= {"etag": tag, "cache-control": "private, no-cache"}
    if tag is not None and has_tag(call.headers.get("if-none-match", ""), tag):
        return TextReply(b"", NOT_MODIFIED, headers)
    if accepts_gzip(call.headers.get("accept-encoding", "")):
        return _packed(services, call, request, tag, headers)
    return TextReply(description_of(request, services.runtime, call.context), headers=headers)


def _packed(
    services: Services,
    call: ApiCall,
    request: DescribeRequest,
    tag: str | None,
    headers: Mapping[str, str],
) -> Reply:
    """Return a description packed; the one kept under its tag, where there is one."""
    kept = None if tag is None else services.descriptions.get(tag)
    if kept is not None:
        return packed_reply(kept, headers)
    text = description_of(request, services.runtime, call.context)
    if len(text) < LEAST_BYTES:
        return TextReply(text, headers=headers)
    content = packed(text)
    # The data may have moved meanwhile, and where members were read is of the moment.
    if tag is not None and request.members is None and tag == _tag(services.runtime, request):
        services.descriptions.keep(tag, content)
    return packed_reply(content, headers)


def _fields(call: ApiCall) -> dict[str, Any]:
    fields: dict[str, Any] = dict(call.keys)
    members = call.keys.get("members")
    if members is not None and members.isascii() and members.isdecimal():
        fields["members"] = int(members) if len(members) <= _DIGITS else members
    for key in ("names", "at"):
        if key in fields:
            fields[key] = split_names(fields[key])
    return fields


def _tag(runtime: Runtime, request: DescribeRequest) -> str | None:
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
    return tag_of(repr(facts).encode())

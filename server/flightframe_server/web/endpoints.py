"""What the addresses of the HTTP API answer: queries, plans, and what can be asked.

What comes in: the body of a request, or the keys of its address, and its call. What goes out: a
reply. It must never mean by a text anything else than Flight does: SQL, its refusals, plans and
descriptions come from the same rooms.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flightframe_server.access.audit import audited_call
from flightframe_server.answer import Answer, Runtime, answer, explain
from flightframe_server.call_context import CallContext
from flightframe_server.discovery import describe as discovery
from flightframe_server.errors import FrameQLSyntaxError, UnknownName, did_you_mean, shown
from flightframe_server.sql.tables import PublishedTables
from flightframe_server.sql.texts import answer_text, explain_text
from flightframe_server.web.body import Asked, read_body
from flightframe_server.web.reply import Reply, ReplyLimits, TextReply

_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The endpoints of one running installation; each may take its time.

    Attributes:
        runtime: what answers.
        tables: what SQL sees as tables.
        limits: the most that a reply may hold.
    """

    runtime: Runtime
    tables: PublishedTables
    limits: ReplyLimits

    def query(self, body: bytes, context: CallContext) -> Reply:
        """Answer the query in a body.

        Raises:
            FlightframeError: the body is none, or as `answer` and `answer_text`.
        """
        asked = self._asked(body, "query")
        if asked.sql:
            found = answer_text(asked.request, self.runtime, self.tables, context)
        else:
            found = answer(asked.request, self.runtime, context)
        reply = Reply(found, self.limits, context)
        _note_answer(found, reply.rows)
        return reply

    def explain(self, body: bytes, context: CallContext) -> TextReply:
        """Tell what the query in a body would be answered from; raises as `query`."""
        asked = self._asked(body, "explain")
        if asked.sql:
            found = explain_text(asked.request, self.runtime, self.tables, context)
        else:
            found = explain(asked.request, self.runtime, context)
        assert found.table is not None
        steps = found.table.to_pylist()
        _note_answer(found, len(steps))
        told = {"ac_name": found.provenance.collection, "steps": steps}
        return TextReply(json.dumps(told, ensure_ascii=False).encode())

    def describe(self, body: bytes, context: CallContext) -> TextReply:
        """Describe what a body asks about, as the action `flightframe.describe` does."""
        return self._described(discovery.read_body(body), context)

    def describe_named(self, keys: Iterable[tuple[str, str]], context: CallContext) -> TextReply:
        """Describe what the keys of an address ask about; `describe` says which there are.

        Raises:
            FrameQLSyntaxError: a key stands twice, or is none.
            FlightframeError: as `describe`.
        """
        fields: dict[str, Any] = {}
        for key, value in keys:
            if key in fields:
                raise FrameQLSyntaxError(f"the key {shown(key)} stands twice in the address")
            number = key == "members" and value.isdecimal() and len(value) <= _DIGITS
            fields[key] = int(value) if number else value
        return self._described(discovery.read_fields(fields), context)

    def _described(self, asked: discovery.Asked, context: CallContext) -> TextReply:
        call = audited_call()
        if call is not None:
            call.what = "describe"
        return TextReply(discovery.describe(asked, self.runtime, context))

    def _asked(self, body: bytes, what: str) -> Asked:
        """Return what a body asks of this installation, once the audit knows of it."""
        asked = read_body(body)
        known = self.runtime.installation_id
        if asked.installation_id not in (None, known):
            raise UnknownName(
                f"there is no installation {shown(asked.installation_id)} here",
                hint=did_you_mean(asked.installation_id or "", [known]),
            )
        call = audited_call()
        if call is not None:
            call.what, call.request = what, asked.request
        return asked


def _note_answer(found: Answer, rows: int) -> None:
    call = audited_call()
    if call is not None:
        call.answered(found)
        call.rows = rows

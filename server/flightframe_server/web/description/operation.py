"""One operation of the HTTP API as a row of its table.

What comes in: nothing, `operations` makes these. What goes out: frozen rows, from which routes,
guards, the description, the pages and the tests are made. It must never say less than the server
asks: what a row does not name is not asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flightframe_server.web.api_call import ApiCall, Services
from flightframe_server.web.reply import JSON, Reply

Endpoint = Callable[[Services, ApiCall], Reply]
"""Answers a call, in a thread where it may take its time; raises `FlightframeError`."""

JsonSchema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AddressKey:
    """What may stand in an address: behind `?`, or in the path where `in_path` is set."""

    name: str
    description: str
    schema: JsonSchema
    in_path: bool = False
    example: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    Attributes:
        name: its name.
        method: of HTTP.
        path: with names in braces.
        summary: what it does, in a few words.
        answers: what answers it; None: a stream of events.
        reply: the schema of its reply in JSON; None where that is none.
        about: more on it, in sentences.
        body: the schema of its body; None: it takes none.
        body_optional: whether the body may be left out.
        keys: what may stand in its address.
        status: of its reply.
        media_type: of its reply.
        others: further media types, and what they hold.
        statuses: further statuses that are no errors, and when.
        errors: the statuses of its own refusals, beside those that every operation has.
        public: whether it is answered without credentials.
        changes: whether it changes something, and so needs the header `X-Flightframe`.
        operator: whether the caller must be one of `server.auth.operators`.
        audited: whether the audit has a line of each call.
        audit_kind: what the audit calls it, where that is not its name.
    """

    name: str
    method: str
    path: str
    summary: str
    answers: Endpoint | None
    reply: str | None
    about: str = ""
    body: str | None = None
    body_optional: bool = False
    keys: tuple[AddressKey, ...] = ()
    status: int = 200
    media_type: str = JSON
    others: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[int, str] = field(default_factory=dict)
    errors: tuple[int, ...] = ()
    public: bool = False
    changes: bool = False
    operator: bool = False
    audited: bool = True
    audit_kind: str = ""

    @property
    def kind(self) -> str:
        """What the audit calls it."""
        return self.audit_kind or self.name

    @property
    def key_names(self) -> tuple[str, ...]:
        """The keys that may stand behind `?`."""
        return tuple(key.name for key in self.keys if not key.in_path)

    @property
    def every_error(self) -> tuple[int, ...]:
        """Every status of a refusal that it may answer with."""
        common = {400, 500}
        if not self.public:
            common |= {401, 404, 413, 429, 503}
        if self.body is not None:
            common |= {408}
        if self.changes or self.operator:
            common |= {403}
        return tuple(sorted({*common, *self.errors}))

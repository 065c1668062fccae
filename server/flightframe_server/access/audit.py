"""The audit: one line in the log for each call: its caller, its query and its outcome.

What comes in: calls of both surfaces, as they learn of the caller, the request and the answer. What
goes out: the log event `audit`, once for each call. It must never hold a credential, nor a value
that a query compares with unless the manifest asks for values, nor cost a call anything where there
is no audit.
"""

from __future__ import annotations

import hashlib
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import structlog

from flightframe_server.answer import Answer, Request
from flightframe_server.call_context import Caller
from flightframe_server.catalog.installation import AuditSettings
from flightframe_server.errors import FrameQLSyntaxError

log = structlog.get_logger(__name__)

MAX_CHARACTERS = 2000
MAX_VALUES = 100
DIGEST_BYTES = 8

# A literal, a comment, or a quoted name, which stays; a text that is not ended goes to its end.
_TOKENS = re.compile(
    r"""(?P<name>"(?:[^"]|"")*")
    | (?P<comment>--[^\n]*+ | /\*.*?(?:\*/|\Z))
    | (?P<value>'(?:[^']|'')*+(?:'|\Z) | (?<![\w$.])(?:\d|\.\d)[\w.]*+(?:(?<=[eE])[+-]\d++)?)""",
    re.VERBOSE | re.DOTALL,
)
_SEVERAL = re.compile(r"\?(?:\s*,\s*\?)+")
_BLANKS = re.compile(r"\s+")


def without_values(source: str) -> str:
    """Return a query's text with each literal as `?`, lists of them as one, and no comments.

    >>> without_values("SELECT x AT day  WHERE town IN ('It''s', 'b') AND n1 > 1.5e-3 -- secret")
    'SELECT x AT day WHERE town IN (?) AND n1 > ?'
    >>> without_values('SELECT "a 1" AT () WHERE t = $t LIMIT 10')
    'SELECT "a 1" AT () WHERE t = $t LIMIT ?'
    """

    def replacement(token: re.Match[str]) -> str:
        return token["name"] or ("?" if token["value"] else " ")

    return _BLANKS.sub(" ", _SEVERAL.sub("?", _TOKENS.sub(replacement, source))).strip()


@dataclass(slots=True, eq=False)
class AuditedCall:
    """One call, as far as it is known.

    Attributes:
        surface: `flight` or `http`.
        kind: which call of the surface.
        what: what it was about: a command, an action, a query's text.
        caller: who makes it; None before it is authenticated.
        claimed: the user that it claims to be, where there is such a user.
        peer: where it comes from, where it was refused.
        request: its last query.
        collection: the one that it names, where it asks no query.
        query_id: the name of the answer, under which other calls speak of it.
        label: where the answer came from.
        rows: how many rows were answered, or bound.
        code: of its refusal.
        request_id: the name of its refusal.
        unread: whether its query could not be read.
        later: whether it goes on after the method that begins it, in a stream.
    """

    audit: Audit

    surface: str
    kind: str
    what: str | None = None
    caller: Caller | None = None
    claimed: str | None = None
    peer: str | None = None
    request: Request | None = None
    collection: str | None = None
    unread: bool = False
    query_id: str | None = None
    label: str | None = None
    rows: int | None = None
    code: str | None = None
    request_id: str | None = None
    later: bool = False
    started: float = field(default_factory=time.perf_counter)

    def answered(self, answer: Answer) -> None:
        """Note what the answer is."""
        provenance = answer.provenance
        self.query_id, self.label = provenance.query_id, str(provenance.served_from)
        self.rows = answer.rows

    def end(self) -> None:
        """Write the line of a call that went on later; idempotent."""
        if self.later:
            self.later = False
            self.audit.write(self)

    def refused(self, error: BaseException, request_id: str | None = None) -> None:
        """Note why there is no answer: the code of an error of ours, or `INTERNAL`."""
        self.code = getattr(error, "code", "INTERNAL")
        self.unread = isinstance(error, FrameQLSyntaxError)
        self.request_id = request_id


_CURRENT: ContextVar[AuditedCall | None] = ContextVar("audited call", default=None)


def audited_call() -> AuditedCall | None:
    """Return the call that this thread executes; None where there is no audit."""
    return _CURRENT.get()


class Audit:
    """Writes the audit of one installation.

    Args:
        settings: whether, how many calls, and with which values.
        chance: a number from 0 to 1 for each call.
    """

    def __init__(
        self, settings: AuditSettings, chance: Callable[[], float] = random.random
    ) -> None:
        """Keep the settings."""
        self._settings, self._chance = settings, chance

    @property
    def on(self) -> bool:
        """Whether calls are noted."""
        return self._settings.mode != "off"

    def change(self, settings: AuditSettings) -> None:
        """Note calls by other settings from now on."""
        self._settings = settings

    @contextmanager
    def call(self, surface: str, kind: str) -> Iterator[AuditedCall | None]:
        """Note a call for as long as the block lasts, and write its line at the end.

        Yields:
            The call; None where there is no audit.
        """
        if not self.on:
            yield None
            return
        call = AuditedCall(self, surface, kind)
        before = _CURRENT.set(call)
        try:
            yield call
        except BaseException as error:
            if call.code is None:
                call.refused(error)
            raise
        finally:
            _CURRENT.reset(before)
            if not call.later:
                self.write(call)

    def write(self, call: AuditedCall) -> None:
        """Write the line of a call that has ended; of those that were answered, perhaps."""
        rate = 1.0 if self._settings.mode == "full" or call.code is not None else None
        if rate is None and self._chance() >= self._settings.rate:
            return
        caller = call.caller
        log.info(
            "audit",
            surface=call.surface,
            kind=call.kind,
            what=call.what,
            user=call.claimed if caller is None else caller.user or None,
            peer=(call.peer if caller is None else caller.peer) or None,
            **({} if call.collection is None else {"collection": call.collection}),
            **self._request_fields(call.request, unread=call.unread),
            query_id=call.query_id,
            label=call.label,
            rows=call.rows,
            milliseconds=round((time.perf_counter() - call.started) * 1000, 3),
            code=call.code,
            request_id=call.request_id,
        )

    def _request_fields(self, request: Request | None, *, unread: bool) -> dict[str, Any]:
        if request is None:
            return {}
        masked = without_values(request.source)
        digest = hashlib.blake2b(masked.encode(), digest_size=DIGEST_BYTES).hexdigest()
        fields: dict[str, Any] = {"query_hash": digest, "collection": request.collection}
        if self._settings.values:
            fields["query"] = request.source[:MAX_CHARACTERS]
            fields["values"] = {
                str(name): str(value)[:MAX_CHARACTERS]
                for name, value in request.parameters[:MAX_VALUES]
            }
        elif not unread:
            # Where it could not be read, its values cannot be told from the rest.
            fields["query"] = masked[:MAX_CHARACTERS]
        return fields


OFF = Audit(AuditSettings())
"""No audit."""

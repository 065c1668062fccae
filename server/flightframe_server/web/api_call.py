"""One call of the HTTP API, as an endpoint sees it, and what an endpoint answers from.

What comes in: what was read of a request, and who sends it. What goes out: frozen values. It must
never hold a credential that was not asked for by name: `header` is for endpoints that end or begin
a session, and for what a reply depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flightframe_server.access.access import OPEN, Access
from flightframe_server.answer import Runtime
from flightframe_server.call_context import SERVER_CALL, CallContext
from flightframe_server.errors import FrameQLSyntaxError, TypeMismatch, shown
from flightframe_server.operations import Operations
from flightframe_server.reload import Reloader
from flightframe_server.reload.outcome import ReloadStatus
from flightframe_server.sql.tables import PublishedTables
from flightframe_server.web.engine_figures import EngineFigures
from flightframe_server.web.packing import KeptTexts
from flightframe_server.web.readiness import Readiness
from flightframe_server.web.reply import ReplyLimits, reply_limits
from flightframe_server.web.sessions import WebSessions

NUMBER_LENGTH = 18


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call.

    Attributes:
        context: who calls, and whether the client is still there.
        body: the bytes of the body.
        keys: the keys of the address with their values, each once.
        path: what stands in place of the names in its path.
        headers: by their names in lower case.
        admitted: whether the caller was let in; of a public operation, who asks may not be.
        authorization: every `authorization` header, or the session that the cookie holds.
    """

    context: CallContext = SERVER_CALL
    body: bytes = b""
    keys: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    admitted: bool = True
    authorization: tuple[str, ...] = field(default=(), repr=False)

    def watched(self, is_gone: Callable[[], bool]) -> ApiCall:
        """Return the call with what tells whether its client has hung up."""
        return replace(self, context=replace(self.context, is_cancelled=is_gone))

    def number(self, key: str, default: float) -> float:
        """Return a number from 0 on of the address.

        Raises:
            TypeMismatch: it is none.
        """
        text = self.keys.get(key)
        if text is None:
            return default
        is_decimal = text.isascii() and text.replace(".", "", 1).isdecimal()
        if not is_decimal or len(text) > NUMBER_LENGTH:
            raise TypeMismatch(f"{key} is not a number from 0 on")
        return float(text)


def keys_once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return the keys of an address.

    Raises:
        FrameQLSyntaxError: one stands there twice.
    """
    keys: dict[str, str] = {}
    for key, value in pairs:
        if key in keys:
            raise FrameQLSyntaxError(f"the key {shown(key)} stands twice in the address")
        keys[key] = value
    return keys


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """What the endpoints of one server answer from.

    Attributes:
        runtime: the running installation.
        tables: what SQL sees as tables.
        fixed_limits: the most that a reply may hold; None: what the installation says.
        access: who is let in, and who may change things.
        readiness: whether questions should be sent here.
        sessions: the sessions of the workbench.
        figures: the figures of the engines.
        cookie_name: what the cookie of a session is called.
        operations: what operators do; None where the server has no files.
        reloader: reloads the files; None where the server has none.
        descriptions: descriptions that were sent, packed.
        flight: where the Flight server beside this one listens; None where there is none.
    """

    runtime: Runtime
    tables: PublishedTables
    fixed_limits: ReplyLimits | None
    readiness: Readiness
    sessions: WebSessions
    figures: EngineFigures
    cookie_name: str
    access: Access = OPEN
    operations: Operations | None = None
    reloader: Reloader | None = None
    descriptions: KeptTexts = field(default_factory=KeptTexts)
    flight: str | None = None

    @property
    def limits(self) -> ReplyLimits:
        """The most that a reply may hold now."""
        if self.fixed_limits is not None:
            return self.fixed_limits
        return reply_limits(self.runtime.statements.limits)

    def on(self, pinned: Runtime) -> Services:
        """Return the services as one call sees them, which has pinned the installation."""
        return replace(self, runtime=pinned, tables=self.tables.on(pinned))

    def reload_state(self) -> dict[str, Any]:
        """Return how the last reload went."""
        status = self.reloader.status if self.reloader is not None else ReloadStatus()
        return status.to_json()

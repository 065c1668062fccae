"""What a session may ask of itself: its user, where it is, the clock, the version of the server.

What comes in: a node of sqlglot, and the session. What goes out: the value's name, its type, and
the value; or nothing, where the node asks for none of them. It must never read a clock twice in one
text, nor tell of another caller than the one who asks.

A value of the session is no constant of the text: that a text has no rows is never concluded from
it, since who asks next is another.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from sqlglot import exp

from flightframe_server import __version__
from flightframe_server.catalog.zones import UTC
from flightframe_server.errors import NotSupported, Place

PRODUCT = f"flightframe {__version__}"
"""What `version()` answers."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who asks, and where.

    Attributes:
        catalog: the installation's id.
        collection: the collection that names are looked for in; None for any.
        user: the name that was proven; empty where the server asks for none.
        zone: of the clock that days are told by.
        now: the moment of the text, with its zone.
    """

    catalog: str
    collection: str | None
    user: str
    zone: str
    now: datetime.datetime

    @property
    def local(self) -> datetime.datetime:
        """The moment as the session's clock shows it."""
        return self.now.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class SessionValue:
    """One value that may be asked for: its name, which its column has, its type, and itself."""

    name: str
    type: pa.DataType
    of: Callable[[Session], Any]

    def answer(self, session: Session | None, place: Place) -> Any:
        """Return the value.

        Raises:
            NotSupported: no session is asked.
        """
        if session is None:
            raise NotSupported(
                f"{self.name.upper()} is not answered over published tables", place=place
            )
        return self.of(session)


def _values() -> dict[str, SessionValue]:
    text, instant, moment = pa.string(), pa.timestamp("us", UTC), pa.timestamp("us")
    values = (
        SessionValue("version", text, lambda session: PRODUCT),
        SessionValue("current_database", text, lambda session: session.catalog),
        SessionValue("current_catalog", text, lambda session: session.catalog),
        SessionValue("current_schema", text, lambda session: session.collection),
        SessionValue("current_user", text, _user),
        SessionValue("session_user", text, _user),
        SessionValue("user", text, _user),
        SessionValue("now", instant, lambda session: session.now),
        SessionValue("current_timestamp", instant, lambda session: session.now),
        SessionValue("localtimestamp", moment, lambda session: session.local),
        SessionValue("current_date", pa.date32(), lambda session: session.local.date()),
        SessionValue("today", pa.date32(), lambda session: session.local.date()),
    )
    return {value.name: value for value in values}


def _user(session: Session) -> str | None:
    return session.user or None


VALUES: Mapping[str, SessionValue] = _values()
"""Every value, by its name."""

_NODES: Mapping[type[exp.Expr], str] = {
    exp.CurrentDatabase: "current_database",
    exp.CurrentCatalog: "current_catalog",
    exp.CurrentSchema: "current_schema",
    exp.CurrentUser: "current_user",
    exp.SessionUser: "session_user",
    exp.CurrentTimestamp: "current_timestamp",
    exp.Localtimestamp: "localtimestamp",
    exp.CurrentDate: "current_date",
}
_CALLED = frozenset({"version", "user", "now", "today"})
_BARE = frozenset({"current_schema", "user"})
"""Those that the parser reads as names of columns where no parentheses follow."""


def session_value(node: exp.Expr) -> SessionValue | None:
    """Return the value of the session that a node asks for; None where it asks for none.

    >>> session_value(exp.CurrentUser()).name
    'current_user'
    """
    match node:
        case exp.Anonymous(this=str() as name) if name.lower() in _CALLED and not node.expressions:
            return VALUES[name.lower()]
        case exp.Column(this=exp.Identifier(this=str() as name, quoted=False)):
            without_call = name.lower() in _BARE and len(node.parts) == 1
            return VALUES[name.lower()] if without_call else None
    known = _NODES.get(type(node))
    return None if known is None else VALUES[known]

"""Whether a constant beside a level means the same in the reference dialect.

What comes in: the two sides of a comparison. What goes out: nothing, or the error that says what to
write. It must never let through what another cast of the constant would change: the dialect brings
a text to the level's type and may cut it short, Frame-QL never does.
"""

from __future__ import annotations

import re

from flightframe_server.algebra.types import Kind
from flightframe_server.errors import TypeMismatch
from flightframe_server.language.syntax import Expression, Literal, LiteralKind, Name
from flightframe_server.resolver.typed import TypedCollection

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", re.ASCII
)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?", re.ASCII)


def check_side(typed: TypedCollection, side: Expression, beside: Expression) -> None:
    """Check a constant beside a level; any other pair passes.

    Raises:
        TypeMismatch: the constant is of another type, and how it would be read is not one way.
    """
    if not isinstance(side, Literal) or not isinstance(beside, Name):
        return
    level = typed.graph.find(beside.text)
    if level is None:
        return
    type_ = typed.level_types[level]
    if side.kind is LiteralKind.TEXT:
        check_text(str(side.value), type_.kind, side)
    elif side.kind is LiteralKind.INTEGER and type_.is_moment:
        year = isinstance(side.value, int) and 1 <= side.value <= 9999
        raise TypeMismatch(
            f"{level} is a {type_.kind}, and {side.value} is a number",
            place=side.place,
            hint=f"write EXTRACT(year FROM {level}) = {side.value}" if year else None,
        )


def check_text(text: str, kind: Kind, side: Literal) -> None:
    """Check that a text beside a value of some kind is read one way; raises `TypeMismatch`."""
    match kind:
        case Kind.TEXT | Kind.BOOLEAN:
            return
        case Kind.DATE:
            fits, hint = _DAY.fullmatch(text), "write '2024-01-31', or TIMESTAMP '...' for a moment"
        case Kind.TIMESTAMP:
            fits = _DAY.fullmatch(text) or _MOMENT.fullmatch(text)
            hint = "write '2024-01-31 12:00:00'"
        case _:
            fits, hint = None, "write the number without quotes"
    if not fits and kind in (Kind.DATE, Kind.TIMESTAMP) and _INSTANT.fullmatch(text):
        # Grafana writes it so; a text of a moment is cut to its day by some databases.
        hint = f"write CAST('{text}' AS TIMESTAMP)"
    if not fits:
        raise TypeMismatch(f"a text stands beside a {kind}", place=side.place, hint=hint)

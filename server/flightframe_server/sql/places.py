"""Where the nodes of a tree of SQL stand in its text.

What comes in: a node. What goes out: its place, as errors tell it. It must never point outside of
the construct that a node stands in: the parser keeps no place of a NULL or a star.
"""

from __future__ import annotations

from sqlglot import exp

from flightframe_server.errors import NOWHERE, Place


def place_of(node: exp.Expr | None) -> Place:
    """Return where a node begins: its own token or its first part, else what it stands in."""
    if node is None:
        return NOWHERE
    first: tuple[int, int, int, int] | None = None
    for part in node.walk():
        own = _own(part)
        if own is not None and (first is None or own < first):
            first = own
    if first is None:
        return place_of(node.parent)
    start, end, line, column = first
    # sqlglot counts the column of a token's last character.
    return Place(line, column - (end - start), start, end + 1)


def _own(node: exp.Expr) -> tuple[int, int, int, int] | None:
    meta = node.meta if node.args else None
    if not meta or "start" not in meta:
        return None
    return meta["start"], meta["end"], meta["line"], meta["col"]

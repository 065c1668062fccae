"""The saved frames of a collection: questions under names.

What comes in: their shapes. What goes out: statements of Frame-QL, or what is wrong with their
text. It must never give a name in one a meaning: that takes the types of the data.
"""

from __future__ import annotations

from flightframe_server.catalog.collection import SavedFrame
from flightframe_server.catalog.expressions import mistake_in
from flightframe_server.catalog.findings import Cursor
from flightframe_server.catalog.shapes import CollectionShape
from flightframe_server.errors import QueryError, shown
from flightframe_server.language import format_expression, parse
from flightframe_server.language.nodes import walk
from flightframe_server.language.syntax import Parameter, Statement


def build_frames(shape: CollectionShape, cursor: Cursor) -> dict[str, SavedFrame]:
    """Return the saved frames by name, in the order of the file; mistakes are noted."""
    frames: dict[str, SavedFrame] = {}
    for at, frame in enumerate(shape.frames):
        here = cursor.at("frames", at)
        query = here.at("query")
        statement = _statement(query, frame.query)
        if statement is not None:
            frames[frame.name] = SavedFrame(
                frame.name, statement, frame.query, frame.description, location=query.location
            )
    return frames


def _statement(cursor: Cursor, text: str) -> Statement | None:
    try:
        statement = parse(text)
    except QueryError as error:
        cursor.report(*mistake_in(text, error, "query"))
        return None
    if statement.explain:
        cursor.report("a saved frame has rows, and EXPLAIN shows a plan", "leave out EXPLAIN")
        return None
    parameter = next((node for node in walk(statement) if isinstance(node, Parameter)), None)
    if parameter is not None:
        cursor.report(
            f"a saved frame takes no parameters: {shown(format_expression(parameter))}",
            "write a value in its place",
        )
        return None
    return statement

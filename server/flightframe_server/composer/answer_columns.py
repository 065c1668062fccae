"""Values of an answer, each failure named for the column or clause that it is of.

What comes in: a frame, and a column, a condition or a key over it. What goes out: its values, or
the points that a condition keeps. It must never compute a value by itself: frames do.
"""

from __future__ import annotations

import pyarrow as pa

from flightframe_server.arrow_types import conform_array
from flightframe_server.composer.frame import Frame
from flightframe_server.error_subject import about
from flightframe_server.errors import ArithmeticOverflow, shown
from flightframe_server.resolver.question import Ordering, OutputColumn
from flightframe_server.resolver.terms import Term


def column_values(frame: Frame, column: OutputColumn, type_: pa.DataType) -> pa.Array:
    """Return the values of a column of the answer, of its declared type."""
    try:
        return conform_array(frame.values(column.term), type_)
    except ArithmeticOverflow as error:
        raise about(error, [f"column {shown(column.name)}"]) from error.__cause__


def filtered(frame: Frame, having: Term) -> Frame:
    """Return the points that HAVING keeps."""
    try:
        return frame.where(having)
    except ArithmeticOverflow as error:
        raise about(error, ["HAVING"]) from error.__cause__


def ordering_values(frame: Frame, key: Ordering) -> pa.Array:
    """Return the values of a key of ORDER BY."""
    try:
        return frame.values(key.term)
    except ArithmeticOverflow as error:
        raise about(error, ["ORDER BY"]) from error.__cause__

"""The types of the algebra over answers: what each step takes and gives.

What comes in: types of columns and names of functions. What goes out: types, typed terms, or the
refusal. It must never let a step change a value to make it fit.
"""

from __future__ import annotations

from collections.abc import Sequence

from flightframe_server.algebra.frame_functions import RANKS, SHARES, TOTALS, FrameFunction
from flightframe_server.algebra.reducers import REDUCERS, result_type
from flightframe_server.algebra.types import DATE, DOUBLE, INTEGER, DataType, Kind
from flightframe_server.errors import NotSupported, Place, TypeMismatch
from flightframe_server.language.syntax import Ascribed, Call, Name, Star
from flightframe_server.outer.algebra import Node, Project, Types, column
from flightframe_server.resolver.expressions import Typer
from flightframe_server.resolver.terms import Apply, Constant, Term
from flightframe_server.resolver.values import Binding, common_type

NAME = " "
"""What the name of a column's place begins with: no level's does."""


def place_name(at: int, place: Place) -> Name:
    """Return the name that stands for a column by its place."""
    return Name((f"{NAME}{at}",), place=place)


def typer(types: Types, binding: Binding, zone: str) -> Typer:
    """Return what types the expressions over columns of these types."""

    def leaf(node: Name | Call | Ascribed | Star) -> Term:
        if isinstance(node, Name) and node.text.startswith(NAME):
            return column(types, int(node.text.removeprefix(NAME)))
        raise NotSupported("this has no meaning over an answer", place=node.place)

    return Typer(leaf, binding, zone=zone)


def measure_type(function: FrameFunction, argument: DataType | None, place: Place) -> DataType:
    """Return the type of an aggregate over a column; None: over rows.

    Raises:
        TypeMismatch: it does not take such a column.
    """
    if argument is None or function in (FrameFunction.COUNT, FrameFunction.COUNT_DISTINCT):
        return INTEGER
    if argument.kind is Kind.NULL:
        raise TypeMismatch(f"{function} of NULL alone has no type", place=place)
    if function in (FrameFunction.MIN, FrameFunction.MAX) and argument.kind is Kind.BOOLEAN:
        raise NotSupported(f"{function} of a boolean is not answered", place=place)
    try:
        return result_type(REDUCERS[function], argument, "its argument")
    except TypeMismatch as error:
        raise TypeMismatch(error.message, place=place) from None


def window_type(function: FrameFunction, argument: DataType | None, place: Place) -> DataType:
    """Return the type of a value of a window; raises as `measure_type`."""
    if function in RANKS:
        return INTEGER
    if function in SHARES:
        return DOUBLE
    if function in TOTALS:
        return measure_type(function, argument, place)
    assert argument is not None
    return argument


def raised(term: Term, type_: DataType) -> Term:
    """Return a term as a value of a type that holds all its values, or that refuses one."""
    if term.type == type_:
        return term
    if term.type.kind is Kind.NULL:
        return Constant(type_, None)
    if term.type == DATE and type_.kind is Kind.TIMESTAMP:
        return Apply(type_, "to_timestamp", (term,))
    return Apply(type_, "cast", (term,))


def shared_types(left: Types, right: Types, place: Place) -> Types:
    """Return the types that hold the columns of two frames that become one.

    Raises:
        TypeMismatch: the frames have not as many columns, or some are of two kinds.
    """
    if len(left) != len(right):
        raise TypeMismatch(
            f"{len(left)} columns stand above {len(right)}: both sides need as many", place=place
        )
    shared: list[DataType] = []
    for at, (one, other) in enumerate(zip(left, right, strict=True)):
        type_ = common_type(one, other)
        if type_ is None:
            raise TypeMismatch(f"column {at + 1} is {one} above and {other} below", place=place)
        shared.append(type_)
    return tuple(shared)


def as_types(node: Node, types: Sequence[DataType]) -> Node:
    """Return a frame with its columns raised to some types."""
    if tuple(types) == node.types:
        return node
    return Project(
        node, tuple(raised(column(node.types, at), type_) for at, type_ in enumerate(types))
    )


def check_joined(left: DataType, right: DataType, place: Place) -> DataType:
    """Return the type in which two columns of a join are compared.

    Raises:
        TypeMismatch: they cannot be compared.
        NotSupported: comparing them could change one.
    """
    shared = common_type(left, right)
    if shared is None:
        raise TypeMismatch(f"{left} and {right} cannot be compared", place=place)
    if shared == DOUBLE and left != right:
        raise NotSupported("a join of doubles with exact numbers is not answered", place=place)
    return shared

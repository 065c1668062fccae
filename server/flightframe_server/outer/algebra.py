"""The algebra over answers: what is done with complete frames once they are there.

What comes in: nothing, these are values. What goes out: a typed tree whose columns go by their
places alone. It must never hold a text of a client's: names stand beside the tree, and a value is a
constant of a term.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flightframe_server.algebra.frame_functions import FrameFunction
from flightframe_server.algebra.types import DataType
from flightframe_server.resolver.terms import ColumnTerm, Term

Types = tuple[DataType, ...]


class JoinKind(StrEnum):
    """Which rows without a match a join keeps."""

    INNER = "INNER"
    LEFT = "LEFT"
    FULL = "FULL"


class Combination(StrEnum):
    """How the rows of two frames make one."""

    UNION = "UNION"
    INTERSECT = "INTERSECT"
    EXCEPT = "EXCEPT"


@dataclass(frozen=True, slots=True)
class Frame:
    """The complete answer of an island."""

    island: int
    types: Types


@dataclass(frozen=True, slots=True)
class Filter:
    """The rows for which a condition is true."""

    source: Node
    condition: Term

    @property
    def types(self) -> Types:
        """The types of the columns."""
        return self.source.types


@dataclass(frozen=True, slots=True)
class Project:
    """Values over each row."""

    source: Node
    values: tuple[Term, ...]

    @property
    def types(self) -> Types:
        """The types of the columns."""
        return tuple(value.type for value in self.values)


@dataclass(frozen=True, slots=True)
class Pair:
    """A column of the left side and one of the right that are equal; `null_safe`: NULL too."""

    left: int
    right: int
    null_safe: bool = False


@dataclass(frozen=True, slots=True)
class Join:
    """Pairs of rows; without pairs each row beside each, which is for a right side of one row."""

    kind: JoinKind
    left: Node
    right: Node
    pairs: tuple[Pair, ...]

    @property
    def types(self) -> Types:
        """The types of the columns: the left side's, then the right side's."""
        return (*self.left.types, *self.right.types)


@dataclass(frozen=True, slots=True)
class Measure:
    """One aggregate of a column; of the rows themselves where there is none."""

    function: FrameFunction
    argument: int | None
    type: DataType


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One row for each combination of keys, and exactly one where there is no key."""

    source: Node
    keys: tuple[int, ...]
    measures: tuple[Measure, ...]

    @property
    def types(self) -> Types:
        """The types of the columns: the keys', then the measures'."""
        keys = tuple(self.source.types[key] for key in self.keys)
        return (*keys, *(measure.type for measure in self.measures))


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column that rows are ordered by."""

    column: int
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class RowRange:
    """The rows that a window reads: `rows` by number, else by equal keys.

    Attributes:
        rows: whether rows are counted.
        start: rows after the current one where it begins, negative for before; None: unbounded.
        end: the same of where it ends.
    """

    rows: bool
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class WindowCall:
    """One value of a window.

    Attributes:
        function: its name.
        argument: the column it is of; None where it has none.
        type: of the value.
        partition: the columns that rows are apart by.
        order: the columns that they are ordered by.
        range: the rows that it reads; None: those that its function reads by itself.
        count: the buckets of NTILE, the distance of LAG and LEAD.
        default: what LAG and LEAD give outside of the partition.
    """

    function: FrameFunction
    argument: int | None
    type: DataType
    partition: tuple[int, ...] = ()
    order: tuple[SortKey, ...] = ()
    range: RowRange | None = None
    count: int | None = None
    default: Term | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Rows with further columns, each a value of a window."""

    source: Node
    calls: tuple[WindowCall, ...]

    @property
    def types(self) -> Types:
        """The types of the columns: the source's, then the values'."""
        return (*self.source.types, *(call.type for call in self.calls))


@dataclass(frozen=True, slots=True)
class Combine:
    """The rows of two frames of the same types; `keep_all`: each as often as it stands."""

    how: Combination
    left: Node
    right: Node
    keep_all: bool

    @property
    def types(self) -> Types:
        """The types of the columns."""
        return self.left.types


@dataclass(frozen=True, slots=True)
class Distinct:
    """Each row once."""

    source: Node

    @property
    def types(self) -> Types:
        """The types of the columns."""
        return self.source.types


@dataclass(frozen=True, slots=True)
class Sort:
    """Rows in an order, and some of them; only the first `shown` columns stay.

    What the keys leave open, all columns decide, so that the same rows come each time.
    """

    source: Node
    keys: tuple[SortKey, ...]
    shown: int
    count: int | None = None
    offset: int = 0

    @property
    def types(self) -> Types:
        """The types of the columns."""
        return self.source.types[: self.shown]


Node = Frame | Filter | Project | Join | Aggregate | Window | Combine | Distinct | Sort


def column(types: Types, at: int) -> ColumnTerm:
    """Return the term of a column by its place."""
    return ColumnTerm(types[at], "", f"c{at}")


def columns(types: Types) -> tuple[ColumnTerm, ...]:
    """Return the terms of all columns."""
    return tuple(column(types, at) for at in range(len(types)))


def sources(node: Node) -> tuple[Node, ...]:
    """Return the nodes that one reads."""
    match node:
        case Frame():
            return ()
        case Join(left=left, right=right) | Combine(left=left, right=right):
            return left, right
    return (node.source,)


def label_of(node: Node) -> str:
    """Return one step in words, without what it reads.

    >>> from flightframe_server.algebra.types import INTEGER
    >>> one = Frame(0, (INTEGER,))
    >>> label_of(Join(JoinKind.LEFT, one, one, ())), label_of(one)
    ('left join', 'island 1')
    """
    match node:
        case Frame(island=island):
            return f"island {island + 1}"
        case Window(calls=calls):
            return f"window[{', '.join(call.function.lower() for call in calls)}]"
        case Aggregate(measures=measures):
            return f"aggregate[{', '.join(one.function.lower() for one in measures)}]"
        case Join(kind=kind):
            return f"{kind.lower()} join"
        case Combine(how=how, keep_all=keep_all):
            return how.lower() + (" all" if keep_all else "")
    return type(node).__name__.lower()


def outline(node: Node) -> str:
    """Return a tree in words, for EXPLAIN.

    >>> from flightframe_server.algebra.types import INTEGER
    >>> outline(Distinct(Frame(0, (INTEGER,))))
    'distinct(island 1)'
    """
    if isinstance(node, Frame):
        return label_of(node)
    return f"{label_of(node)}({', '.join(map(outline, sources(node)))})"

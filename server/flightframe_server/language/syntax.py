"""The frozen syntax nodes of Frame-QL.

What comes in: nothing, these are values that `parse` makes. What goes out: the tree that `format`
writes back to text and that the resolver gives meaning to. It must never know a catalog: a `Name`
here is only letters, and whether it is a level or a metric is the resolver's question.

Every node has a `place`, left out of comparison, so that two texts that mean the same syntax are
equal trees.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from flightframe_server.errors import Place
from flightframe_server.language.nodes import Node, walk

LiteralValue = int | Decimal | float | str | bool | datetime.date | datetime.datetime | None

ParameterValue = LiteralValue | tuple[LiteralValue, ...]
"""What a parameter is bound to: a value, or, behind IN alone, a list of them."""


@dataclass(frozen=True, slots=True)
class Expression(Node):
    """Anything that may stand in an item, a predicate or an argument."""


class LiteralKind(StrEnum):
    """What a literal was written as; it keeps 1, 1.0, 1e0 and TRUE apart."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    DOUBLE = "double"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """A possibly dotted name, letters as written and quotes removed: `calendar.month`."""

    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        """The parts joined by dots."""
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class AdHocLevel(Name):
    """`expr AS name` in an anchor: a name, and the expression over levels that it stands for."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class AliasedName(Name):
    """`name AS alias` in FROM: a table, and what its columns are qualified by instead of it."""

    alias: str


@dataclass(frozen=True, slots=True)
class Literal(Expression):
    """A constant: its Python value, and what it was written as."""

    value: LiteralValue
    kind: LiteralKind


@dataclass(frozen=True, slots=True)
class Parameter(Expression):
    """A value bound later: `?` has an index from 0 and no name, `$name` a name and no index."""

    name: str | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Star(Expression):
    """`*`: alone as an item, or the only argument of COUNT."""


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A reducer or scalar function with its arguments; `function` is upper case."""

    function: str
    arguments: tuple[Expression, ...]
    distinct: bool = False
    filter: Expression | None = None


@dataclass(frozen=True, slots=True)
class When(Node):
    """`WHEN condition THEN result`; beside an operand, `condition` is what it is compared with."""

    condition: Expression
    result: Expression


@dataclass(frozen=True, slots=True)
class Case(Expression):
    """`CASE [operand] WHEN ... THEN ... [ELSE ...] END`."""

    operand: Expression | None
    whens: tuple[When, ...]
    otherwise: Expression | None = None


@dataclass(frozen=True, slots=True)
class Cast(Expression):
    """`CAST(x AS type)`; the type is in lower case, `decimal(12,2)`, and not known to exist."""

    operand: Expression
    type: str


@dataclass(frozen=True, slots=True)
class Extract(Expression):
    """`EXTRACT(field FROM x)`; the field is in lower case, and not known to exist."""

    field: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Interval(Expression):
    """`INTERVAL 3 month`; the unit is in lower case and the singular, and not known to exist."""

    count: int
    unit: str


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    """A sign, `-` or `+`, before an operand that is not a plain number literal."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """Arithmetic, `+ - * / %`, and `||`, which joins texts."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Compare(Expression):
    """A comparison: `= <> < <= > >=`; `!=` is written `<>`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Junction(Expression):
    """`AND` or `OR` over two or more operands, nested ones of the same kind flattened."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not(Expression):
    """Logical negation."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class IsIn(Expression):
    """`x [NOT] IN (a, b, ...)`; the members are literals or parameters."""

    operand: Expression
    members: tuple[Expression, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsInLast(Expression):
    """`level [NOT] IN (LAST count unit)`: the last periods, the one that holds today included.

    `unit`: as it was written, in the singular and in lower case.
    """

    operand: Expression
    count: int
    unit: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsInList(Expression):
    """`x [NOT] IN $list`; the parameter is bound to a list."""

    operand: Expression
    values: Parameter
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between(Expression):
    """`x [NOT] BETWEEN low AND high`, both ends included."""

    operand: Expression
    low: Expression
    high: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Like(Expression):
    """`x [NOT] LIKE pattern`; the pattern is a text literal or a parameter."""

    operand: Expression
    pattern: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsNull(Expression):
    """`x IS [NOT] NULL`."""

    operand: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsKnown(Expression):
    """`x IS [NOT] KNOWN`: whether the edge that leads to a level has an entry for the row."""

    operand: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class DistinctFrom(Expression):
    """`a IS [NOT] DISTINCT FROM b`: comparison in which NULL equals NULL."""

    left: Expression
    right: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Anchor(Node):
    """The levels of an `AT`, an `@` or a `PER`, in the order written, duplicates kept.

    Those of an `AT` and an `@` may be `AdHocLevel`s. Of an `AT` of several sets they are those of
    all of them, and `sets` says which stand together.
    """

    levels: tuple[Name, ...]
    sets: GroupingSets | None = None


class GroupingWord(StrEnum):
    """How the elements of grouping sets make the sets."""

    ROLLUP = "ROLLUP"
    CUBE = "CUBE"
    SETS = "GROUPING SETS"


@dataclass(frozen=True, slots=True)
class GroupingSets(Node):
    """`ROLLUP (...)`, `CUBE (...)` or `GROUPING SETS (...)`: several anchors of one answer.

    An element is one level, or levels that come and go together: `(year, month)`.
    """

    word: GroupingWord
    elements: tuple[Anchor, ...]


@dataclass(frozen=True, slots=True)
class Ascribed(Expression):
    """`expr @ anchor`: the expression materialised at an anchor of its own."""

    operand: Expression
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class Item(Node):
    """One entry of SELECT; `expression` may be a bare `Star`.

    Attributes:
        expression: what is selected.
        alias: the name given to it.
        unmarked: where an alias stands that has no AS before it: it may be an item of its own
            after a comma that is missing. Both mean the same syntax.
    """

    expression: Expression
    alias: str | None = None
    unmarked: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OrderKey(Node):
    """One key of ORDER BY; `nulls_first` is None where the text does not say."""

    expression: Expression
    descending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True, slots=True)
class Limit(Node):
    """`LIMIT count [OFFSET offset] [PER anchor]`; counts are literals or parameters."""

    count: Expression
    offset: Expression | None = None
    per: Anchor | None = None


# Without slots: what is asked of its whole tree is gathered once.
@dataclass(frozen=True)
class Statement(Node):
    """One whole query, with or without EXPLAIN.

    `dates_only`: whether a level of dates is a date beside a literal, as in SQL, and no period.
    """

    items: tuple[Item, ...]
    anchor: Anchor
    source: Name | None = None
    where: Expression | None = None
    having: Expression | None = None
    order_by: tuple[OrderKey, ...] = ()
    limit: Limit | None = None
    explain: bool = False
    dates_only: bool = field(default=False, compare=False)

    @cached_property
    def node_count(self) -> int:
        """How many nodes it has; a path through it holds no more."""
        return len(walk(self))

    @cached_property
    def is_qualified(self) -> bool:
        """Whether any name in it is dotted."""
        return any(isinstance(node, Name) and len(node.parts) > 1 for node in walk(self))

    @cached_property
    def asks_what_is_known(self) -> bool:
        """Whether IS KNOWN stands in it."""
        return any(isinstance(node, IsKnown) for node in walk(self))

    @cached_property
    def compares_literals(self) -> bool:
        """Whether a name stands beside a number, a text or the last periods in a comparison."""
        return compares_literals(self)


def compares_literals(tree: Node) -> bool:
    """Return whether a name stands beside a number, a text or the last periods in a comparison."""
    return any(_compares_literal(node) for node in walk(tree))


def _compares_literal(node: Node) -> bool:
    sides: tuple[Expression, ...]
    match node:
        case Compare(left=one, right=other) | DistinctFrom(left=one, right=other):
            sides = (one, other)
        case Between(operand=one, low=low, high=high):
            sides = (one, low, high)
        case IsIn(operand=one, members=members):
            sides = (one, *members)
        case _:
            return isinstance(node, IsInLast)
    kinds = {side.kind for side in sides if isinstance(side, Literal)}
    return bool(kinds & {LiteralKind.INTEGER, LiteralKind.TEXT}) and any(
        isinstance(side, Name) for side in sides
    )

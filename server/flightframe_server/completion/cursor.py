"""Where the cursor stands in a draft, and what may be put there.

What comes in: a draft as a tree with a mark where the cursor is. What goes out: the kinds of place
that it is, and why a node may not stand in it. It must never refuse a node by itself: the resolver
is asked about the statement with it, and what it said is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from flightframe_server.algebra.reducers import REDUCER_NAMES
from flightframe_server.catalog.collection import MetricFamily, RootedMetric
from flightframe_server.completion.alike import AlikeFamilies
from flightframe_server.completion.kept_refusals import KeptRefusals
from flightframe_server.completion.trees import Path, put
from flightframe_server.completion.trial import Trial
from flightframe_server.errors import FlightframeError, TypeMismatch
from flightframe_server.language.draft import FILLING
from flightframe_server.language.nodes import Node
from flightframe_server.language.syntax import (
    AdHocLevel,
    Anchor,
    Between,
    Call,
    Compare,
    DistinctFrom,
    Expression,
    IsIn,
    IsNull,
    Item,
    Literal,
    LiteralKind,
    Name,
    Parameter,
    Statement,
)
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.values import Binding

SOMETHING = Parameter(FILLING)
_ZERO = Literal(0, LiteralKind.INTEGER)


@dataclass(frozen=True)
class Cursor:
    """A draft as a tree, and where in it the cursor stands.

    Attributes:
        trial: asks the resolver.
        statement: the tidied draft.
        path: the way to the mark.
        anchor_written: whether the draft says AT.
        only_level: whether the mark is the only level of an AT without parentheses.
        levels_only: whether no expression may begin at the mark.
        typed: the letters before the cursor; names without them are not tried.
        kept: what was found of the same draft before.
        stacked: whether the anchor is written as several sets of levels.
    """

    trial: Trial
    statement: Statement
    path: Path
    anchor_written: bool
    only_level: bool
    levels_only: bool = False
    typed: str = ""
    kept: KeptRefusals | None = None
    stacked: bool = False

    def fits(self, name: str) -> bool:
        """Whether a name has the letters in it that are typed at the cursor."""
        return self.typed.casefold() in name.casefold()

    @property
    def families(self) -> list[MetricFamily]:
        """The metric families whose names fit what is typed."""
        families = self.trial.typed.collection.metric_families.values()
        return [family for family in families if self.fits(family.name)]

    @property
    def level_names(self) -> list[str]:
        """The levels whose names fit what is typed."""
        return [level for level in self.trial.typed.graph.level_names if self.fits(level)]

    @property
    def clause(self) -> str:
        """The field of the statement that the mark stands in."""
        return self.path[0].field

    @property
    def parent(self) -> Node:
        """The node right above the mark."""
        return self.path[-1].parent

    @property
    def is_item(self) -> bool:
        """Whether the mark is all of an entry of SELECT."""
        return isinstance(self.parent, Item)

    @property
    def in_anchor(self) -> bool:
        """Whether levels are listed where the mark stands."""
        return isinstance(self.parent, Anchor)

    @property
    def over_rows(self) -> bool:
        """Whether the mark stands for a value of rows: in WHERE, FILTER or an ad-hoc level."""
        below = any(
            step.field == "filter" or isinstance(step.parent, AdHocLevel) for step in self.path
        )
        return self.clause == "where" or below

    @property
    def reduced_by(self) -> Call | None:
        """The reducer whose subject the mark is, or None."""
        call = self.parent
        if isinstance(call, Call) and call.function in REDUCER_NAMES and self.path[-1].index == 0:
            return call
        return None

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """The levels of the anchor, as declared."""
        named = (self.level(name) for name in self.statement.anchor.levels)
        return tuple(dict.fromkeys(level for level in named if level is not None))

    @property
    def ad_hoc(self) -> tuple[Name, ...]:
        """The names of the anchor's ad-hoc levels."""
        levels = self.statement.anchor.levels
        return tuple(Name(level.parts) for level in levels if isinstance(level, AdHocLevel))

    def level(self, node: Node) -> str | None:
        """Return the level that a node names, or None."""
        if not isinstance(node, Name):
            return None
        return Scope(self.trial.typed, Binding(None)).level(node)

    def compared_level(self) -> str | None:
        """Return the level that the mark is compared with, or None."""
        parent, field = self.parent, self.path[-1].field
        match parent:
            case Compare(left=left, right=right) | DistinctFrom(left=left, right=right):
                return self.level(left if field == "right" else right)
            case IsIn(operand=operand) if field == "members":
                return self.level(operand)
            case Between(operand=operand) if field != "operand":
                return self.level(operand)
        return None

    def refusal(self, new: Expression) -> FlightframeError | None:
        """Return why a node may not stand at the mark, by itself or in a test of it; None: it may.

        A condition is finished by a test, and a value of another type beside it is no fault.
        """
        if self.is_condition:
            tested = self._tried(IsNull(new))
            named = isinstance(new, Name)
            reduces = isinstance(new, Call) and new.function in REDUCER_NAMES
            # What is wrong in the test of a name or of a reducer is wrong in it, but for its type.
            if tested is None or ((named or reduces) and not isinstance(tested, TypeMismatch)):
                return tested
        first = self._tried(new)
        if isinstance(first, TypeMismatch) and not self.in_anchor:
            second = self._tried(IsNull(new))
            return first if isinstance(second, TypeMismatch) else second
        return first

    def family_refusal(self, family: MetricFamily) -> FlightframeError | None:
        """Return why a metric family may not stand at the mark; None: it may.

        Where another that is like it may, it may; a refusal names the family, and is its own. What
        a sibling holds is known of each family by itself.
        """
        root = family.meaning
        siblings = isinstance(root, RootedMetric) and root.siblings
        if not (siblings and self.statement.source is not None):
            first = self.alike.first_of(family)
            if first is not family and self.refusal(Name((first.name,))) is None:
                return None
        return self.refusal(Name((family.name,)))

    def first_refusal(self, tries: Iterable[Expression]) -> FlightframeError | None:
        """Return None where one of some nodes may stand at the mark, else why the first may not."""
        first = None
        for new in tries:
            error = self.refusal(new)
            if error is None:
                return None
            first = first or error
        return first

    @cached_property
    def is_condition(self) -> bool:
        """Whether a test of what stands at the mark is more likely than its value."""
        if self.clause != "having" or self.in_anchor:
            return False
        return isinstance(self._tried(_ZERO), TypeMismatch)

    def _tried(self, new: Expression) -> FlightframeError | None:
        if self.in_anchor and not isinstance(new, Name):
            new = AdHocLevel((FILLING,), new)

        def find() -> FlightframeError | None:
            return self.trial.refusal(put(self.statement, self.path, new))

        # Equal decimals may be written with other digits, and be of other types.
        return find() if self.kept is None else self.kept.of((self._draft, repr(new)), find)

    @cached_property
    def alike(self) -> AlikeFamilies:
        """The metric families of which one stands for others that the resolver sees alike."""
        return AlikeFamilies(self.trial.typed, self._draft)

    @cached_property
    def _draft(self) -> str:
        return repr((self.statement, self.trial.open_anchor, self.trial.open_filter))

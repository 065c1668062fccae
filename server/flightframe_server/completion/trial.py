"""Whether something may be written in a draft: the statement with it, and what the resolver says.

What comes in: a typed collection, what its data are known to break, and a draft as a tree. What
goes out: nothing, or the refusal of the statement that the draft would become, finished as briefly
as it lets: without what does not stand yet, and with the levels that its metrics cannot do without.
It must never refuse by a rule of its own, nor blame an option for what else is wrong in the draft.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from flightframe_server.algebra.types import DataType
from flightframe_server.catalog.collection import MetricFamily
from flightframe_server.catalog.expressions import names_in
from flightframe_server.completion.trees import holds, is_filling, is_mark, is_marked_text
from flightframe_server.errors import (
    AmbiguousSchema,
    BlockedReduction,
    FlightframeError,
    LevelNotInAnchor,
    NotSupported,
    QueryError,
)
from flightframe_server.language.nodes import Node
from flightframe_server.language.syntax import (
    AdHocLevel,
    Anchor,
    Ascribed,
    Call,
    Expression,
    IsNull,
    Item,
    Junction,
    Name,
    Star,
    Statement,
)
from flightframe_server.planner.make import all_needs, typed_for
from flightframe_server.planner.source import metric_reads
from flightframe_server.planner.violations import check_promises
from flightframe_server.resolver.ad_hoc_levels import with_anchor
from flightframe_server.resolver.anchors import anchors_of
from flightframe_server.resolver.expressions import Typer
from flightframe_server.resolver.metrics import MetricNames
from flightframe_server.resolver.qualified_names import table_of, unqualified
from flightframe_server.resolver.question import Question
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.terms import Term, levels_of
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding


@dataclass(frozen=True, slots=True)
class Trial:
    """Asks the resolver about statements of one collection.

    Attributes:
        typed: the collection.
        violations: the promises that its data are known to break.
        type_of: gives the type of a family's name alone; None where it means nothing.
        open_anchor: whether further levels may still join the anchor.
        open_filter: whether further conditions may still join WHERE.
    """

    typed: TypedCollection
    violations: Mapping[str, str]
    type_of: Callable[[MetricFamily], DataType | None]
    open_anchor: bool = True
    open_filter: bool = False

    def refusal(self, statement: Statement) -> FlightframeError | None:
        """Return why a statement would be refused, finished as briefly as it lets; None: it is not.

        Levels that its metrics cannot do without join an open anchor, and are pinned where the
        anchor is closed and the condition is what is being written.
        """
        statement = self._with_any_level(statement)
        error = self._refusal(statement)
        if isinstance(error, AmbiguousSchema) and statement.source is None:
            sourced = (
                replace(statement, source=Name((name,))) for name in self._schemas(statement)
            )
            if any(self._refusal(one) is None for one in sourced):
                return None
        if isinstance(error, LevelNotInAnchor) and self.open_anchor:
            statement = self._with_selected(statement)
            again = self._refusal(statement)
            if not isinstance(again, BlockedReduction):
                return None if again is None else error
        if isinstance(error, BlockedReduction | LevelNotInAnchor):
            finished = self._with_required(statement)
            if finished is not None and self._refusal(finished) is None:
                return None
        return error

    def question(self, statement: Statement) -> Question:
        """Return what a statement means, its parameters unbound; raises as `resolve`."""
        return resolve(statement, self.typed, Binding(None))

    def _schemas(self, statement: Statement) -> list[str]:
        """Return the schemas, those first whose rows reach the levels of a statement's anchor."""
        graph = self.typed.graph
        named = (graph.find(level.parts[-1]) for level in statement.anchor.levels)
        levels = {level for level in named if level is not None}
        names = self.typed.collection.schemas
        return sorted(names, key=lambda name: not levels <= graph.reachable(name))

    def _refusal(self, statement: Statement) -> FlightframeError | None:
        try:
            question = self.question(statement)
            if self.violations:
                self._check_promises(question)
        except FlightframeError as error:
            return error
        return None

    def _check_promises(self, question: Question) -> None:
        for need in all_needs(question):
            levels = {*need.anchor, *(level for part in need.filter for level in levels_of(part))}
            typed = typed_for(self.typed, question)
            reads, columns = metric_reads(typed, need.metric, levels)
            check_promises(self.typed, self.violations, frozenset(), need.metric, reads, columns)

    def _with_any_level(self, statement: Statement) -> Statement:
        """Return a statement that selects something: of one that does not, a level of WHERE."""
        if statement.items or statement.anchor.levels or statement.where is None:
            return statement
        levels = [name for name in names_in(statement.where) if self.is_level(name)][:1]
        return replace(statement, items=tuple(map(Item, levels)), anchor=Anchor(tuple(levels)))

    def _with_selected(self, statement: Statement) -> Statement:
        """Return a statement whose anchor has the levels that it selects."""
        levels = {level.text.casefold(): level for level in statement.anchor.levels}
        for item in statement.items:
            if isinstance(item.expression, Name) and self.is_level(item.expression):
                levels.setdefault(item.expression.text.casefold(), item.expression)
        return replace(statement, anchor=Anchor(tuple(levels.values())))

    def _with_required(self, statement: Statement) -> Statement | None:
        required = [Name((level,)) for level in self._required(statement)]
        if self.open_anchor:
            known = {level.text.casefold() for level in statement.anchor.levels}
            more = tuple(level for level in required if level.text.casefold() not in known)
            anchor = Anchor((*statement.anchor.levels, *more))
            selects = any(self.is_level(item.expression) for item in statement.items)
            items = (*map(Item, more), *statement.items) if selects else statement.items
            return replace(statement, anchor=anchor, items=items)
        if statement.where is None or not self.open_filter:
            return None
        pins = (IsNull(level) for level in required)
        return replace(statement, where=Junction("AND", (statement.where, *pins)))

    def _required(self, statement: Statement) -> Iterator[str]:
        names = MetricNames(self._scope(statement))
        required: set[str] = set()
        for item in statement.items:
            if isinstance(item.expression, Star) or self.is_level(item.expression):
                continue
            try:
                term = Typer(names.leaf, Binding(None), zone=self.typed.zone).term(item.expression)
            except QueryError:
                continue
            required |= set(anchors_of(self.typed, term).required)
        yield from sorted(required)

    def _scope(self, statement: Statement) -> Scope:
        return Scope(self.typed, Binding(None), table_of(statement.source, self.typed).schema)

    def is_level(self, node: Node) -> bool:
        """Whether an expression is a level alone."""
        return isinstance(node, Name) and Scope(self.typed, Binding(None)).level(node) is not None


def is_marked(node: Node) -> bool:
    """Whether the mark of the cursor stands in a node."""
    return holds(node, is_mark) or holds(node, is_marked_text)


def tidied(trial: Trial, statement: Statement, *, anchor_written: bool) -> Statement:
    """Return a draft without what does not stand yet or is wrong by itself, but for the mark.

    Args:
        trial: the collection, to see what is wrong by itself.
        statement: the draft.
        anchor_written: whether it says AT; else the levels that it selects are its anchor.
    """
    scope = Scope(trial.typed, Binding(None))
    statement = _without_qualifiers(statement, trial.typed)
    source = statement.source
    items = tuple(item for item in statement.items if _stands(trial, item, source))
    levels = tuple(
        name
        for name in statement.anchor.levels
        if is_marked(name) or scope.level(name) is not None or _is_ad_hoc(scope, name)
    )
    if not anchor_written:
        selected = [item.expression for item in items if trial.is_level(item.expression)]
        levels = tuple(name for name in selected if isinstance(name, Name))
    draft = replace(
        statement,
        items=items,
        anchor=Anchor(tuple(dict.fromkeys(levels))),
        source=source,
        where=_tidied_condition(trial, statement.where),
        having=statement.having if _marked_or_whole(statement.having) else None,
        order_by=tuple(key for key in statement.order_by if _marked_or_whole(key)),
        limit=statement.limit if statement.limit and is_marked(statement.limit) else None,
        explain=False,
    )
    return _implied_levels(trial, draft)


def _without_qualifiers(statement: Statement, typed: TypedCollection) -> Statement:
    """Return a draft whose names nothing qualifies, without a FROM that names no table."""
    source = statement.source
    if source is not None and is_mark(source):
        return statement
    for one in (source, None):
        try:
            return unqualified(replace(statement, source=one), typed, unfinished=True)
        except QueryError:
            continue
    return replace(statement, source=None)


def _is_ad_hoc(scope: Scope, name: Name) -> bool:
    """Whether a level of an anchor is an ad-hoc one that has a meaning by itself."""
    if not isinstance(name, AdHocLevel) or holds(name, is_filling):
        return False
    try:
        with_anchor(scope, Anchor((name,)))
    except QueryError:
        return False
    return True


def _implied_levels(trial: Trial, draft: Statement) -> Statement:
    """Return a draft whose levels are selected as all of its anchor, as they are by themselves."""
    anchor = {level.parts[-1].casefold() for level in draft.anchor.levels}
    ad_hoc = {level.text.casefold() for level in draft.anchor.levels if _names_its_own(level)}
    if any(is_mark(level) for level in draft.anchor.levels):
        return draft
    others = tuple(
        item
        for item in draft.items
        if not (
            isinstance(item.expression, Name)
            and (trial.is_level(item.expression) or item.expression.text.casefold() in ad_hoc)
            and item.expression.parts[-1].casefold() in anchor
        )
    )
    alone = tuple(Item(Name(level.parts)) for level in draft.anchor.levels)
    return replace(draft, items=others or alone)


def _names_its_own(level: Name) -> bool:
    return isinstance(level, AdHocLevel)


def _stands(trial: Trial, item: Item, source: Name | None) -> bool:
    if is_marked(item):
        return True
    if holds(item, is_filling):
        return False
    if isinstance(item.expression, Star):
        return False
    if trial.is_level(item.expression):
        return True
    own = source if source is not None and not is_mark(source) else None
    scope = Scope(trial.typed, Binding(None))
    if own is not None:
        scope = Scope(trial.typed, Binding(None), scope.schema(own))
    try:
        Typer(MetricNames(scope).leaf, Binding(None), zone=trial.typed.zone).term(item.expression)
    except AmbiguousSchema:
        return True
    except QueryError:
        return False
    return True


def _marked_or_whole(node: Node | None) -> bool:
    return node is not None and (is_marked(node) or not holds(node, is_filling))


def _tidied_condition(trial: Trial, where: Expression | None) -> Expression | None:
    if where is None:
        return None
    parts = where.operands if isinstance(where, Junction) and where.operator == "AND" else (where,)
    kept = tuple(part for part in parts if is_marked(part) or _is_condition(trial, part))
    if not kept:
        return None
    return kept[0] if len(kept) == 1 else Junction("AND", kept)


def _is_condition(trial: Trial, part: Expression) -> bool:
    if holds(part, is_filling):
        return False
    scope = Scope(trial.typed, Binding(None))

    def leaf(node: Name | Call | Ascribed | Star) -> Term:
        if isinstance(node, Name):
            return scope.level_term(node)
        raise NotSupported("a condition is over levels", place=node.place)

    try:
        Typer(leaf, Binding(None), zone=trial.typed.zone).predicate(part)
    except QueryError:
        return False
    return True

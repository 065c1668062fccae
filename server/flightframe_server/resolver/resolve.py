"""A statement and a typed collection to a Question: one error for each rule broken.

What comes in: syntax, a collection, the parameters' values. What goes out: a `Question` in which
everything has a name, a type and a reason to be legal. It must never plan: whether an answer is
in the cache is not its business, so the same statement is legal or not whatever was asked before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from flightframe_server.algebra.reducers import REDUCER_NAMES
from flightframe_server.algebra.types import INTEGER, Kind
from flightframe_server.errors import (
    AmbiguousMetric,
    FrameQLSyntaxError,
    LevelNotInAnchor,
    LevelNotSelected,
    NotSupported,
    QueryError,
    TypeMismatch,
    UnknownName,
    shown,
)
from flightframe_server.language import canonical_name
from flightframe_server.language.syntax import (
    Ascribed,
    Call,
    Expression,
    Item,
    Limit,
    Literal,
    LiteralKind,
    Name,
    OrderKey,
    Parameter,
    Star,
    Statement,
)
from flightframe_server.resolver.ad_hoc_levels import with_anchor
from flightframe_server.resolver.expressions import Typer
from flightframe_server.resolver.functions import unknown_function
from flightframe_server.resolver.grouping_sets import over_sets, reads_grouping, reads_name
from flightframe_server.resolver.known_levels import read_known
from flightframe_server.resolver.legality import check_metric, check_nested
from flightframe_server.resolver.level_schemas import schemas_in_play
from flightframe_server.resolver.metrics import IN_HAVING, MetricNames
from flightframe_server.resolver.needs import needs_of
from flightframe_server.resolver.period_literals import with_periods
from flightframe_server.resolver.points import check_question, with_points
from flightframe_server.resolver.predicates import conjuncts
from flightframe_server.resolver.qualified_names import unqualified
from flightframe_server.resolver.question import Ordering, OutputColumn, Question, Window
from flightframe_server.resolver.realised import is_realised, realised
from flightframe_server.resolver.refused_places import place_of_refusal
from flightframe_server.resolver.scope import Scope
from flightframe_server.resolver.terms import (
    ComputedLevel,
    Constant,
    LevelTerm,
    Term,
    ascribed_of,
    computed_in,
    level_text,
    levels_of,
    metrics_of,
    nested_of,
)
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding


def resolve(
    statement: Statement, typed: TypedCollection, binding: Binding | None = None
) -> Question:
    """Give a statement its meaning in one collection.

    Args:
        statement: what `parse` returned.
        typed: the collection with its types.
        binding: the parameters' values; one without values types the query alone.

    Raises:
        QueryError: one subclass for each rule of docs/frame-ql.md that can be broken.
    """
    binding = binding if binding is not None else Binding()
    statement = with_periods(unqualified(statement, typed), typed, binding)
    statement, typed, known = read_known(statement, typed)
    scope = Scope(typed, binding)
    if statement.source is not None:
        scope = Scope(typed, scope.binding, scope.schema(statement.source))
    scope, computed = with_anchor(scope, statement.anchor)
    anchor = scope.levels(statement.anchor)
    filters = _filter(scope, statement)
    filtered = frozenset().union(*map(levels_of, filters))
    in_play = schemas_in_play(typed, statement)
    scope = replace(scope, anchor=anchor, filtered=filtered, in_play=in_play)

    def at_anchor(scope: Scope) -> Question:
        return _at_anchor(scope, statement, filters, computed, known)

    if statement.anchor.sets is not None:
        return over_sets(scope, statement.anchor.sets, at_anchor)
    return at_anchor(scope)


def _at_anchor(
    scope: Scope,
    statement: Statement,
    filters: tuple[Term, ...],
    computed: tuple[ComputedLevel, ...],
    known: tuple[str, ...],
) -> Question:
    """Return the question of a statement at one anchor, that of the scope."""
    anchor = scope.anchor or ()
    columns = _columns(scope, statement.items, filters)
    outputs = _Outputs(scope, columns)
    having = None
    if statement.having is not None:
        having = outputs.predicate(statement.having)
    question = Question(
        scope.typed.collection.name,
        anchor,
        columns,
        filters,
        having,
        tuple(outputs.orderings(statement.order_by)),
        _window(scope, statement.limit),
        source=scope.source,
        explain=statement.explain,
        known=known,
        # Last of all: what was read before says whether the day matters.
        today=scope.binding.today,
    )
    computed = tuple(dict.fromkeys((*computed, *computed_in(question.terms))))
    if computed:
        question = replace(question, computed=computed)
        scope = replace(scope, typed=scope.typed.with_levels(computed))
    try:
        return with_points(scope, question)
    except QueryError as refusal:
        if refusal.place is None:
            check = partial(check_question, scope.typed)
            refusal.place = place_of_refusal(statement, question, refusal, check)
        raise


def _filter(scope: Scope, statement: Statement) -> tuple[Term, ...]:
    where = statement.where
    if where is None:
        return ()
    outputs = {item.alias.casefold() for item in statement.items if item.alias}

    def leaf(node: Name | Call | Ascribed | Star) -> Term:
        if isinstance(node, Name):
            known = scope.level(node) is not None or scope.ad_hoc_level(node) is not None
            if not known and node.text.casefold() in outputs:
                raise UnknownName(
                    f"{shown(node.text)} is a column of the answer, and WHERE takes rows by levels",
                    place=node.place,
                    hint=IN_HAVING,
                )
            return scope.member_term(node, IN_HAVING)
        if isinstance(node, Call) and node.function not in REDUCER_NAMES:
            raise unknown_function(node)
        raise NotSupported(
            "WHERE filters rows by levels",
            place=node.place,
            hint=IN_HAVING,
        )

    return conjuncts(Typer(leaf, scope.binding, zone=scope.zone).predicate(where))


def _columns(
    scope: Scope, items: tuple[Item, ...], filters: tuple[Term, ...]
) -> tuple[OutputColumn, ...]:
    anchor = scope.row_levels or ()
    columns: list[OutputColumn] = []
    for item in items:
        if isinstance(item.expression, Star):
            columns.extend(_everything(scope, filters))
        else:
            columns.append(_column(scope, item, anchor))
    selected = {column.term.level for column in columns if isinstance(column.term, LevelTerm)}
    if not selected:
        columns = [*_level_columns(scope, anchor), *columns]
    elif missing := [level for level in anchor if level not in selected]:
        lacking = shown(level_text(missing[0]))
        raise LevelNotSelected(
            f"the anchor has {lacking}, and SELECT lists other levels but not that one",
            hint="select every level of the anchor, or none to get them all",
        )
    _refuse_duplicates(columns)
    return tuple(columns)


def _column(scope: Scope, item: Item, anchor: tuple[str, ...]) -> OutputColumn:
    _refuse_missing_comma(scope, item)
    node = item.expression
    if isinstance(node, Name) and (ad_hoc := scope.ad_hoc_level(node)) is not None:
        return OutputColumn(item.alias or ad_hoc.name, ad_hoc.member)
    if isinstance(node, Name) and (level := scope.level(node)) is not None:
        if level not in anchor:
            raise LevelNotInAnchor(
                f"{shown(level)} is selected but not in the anchor",
                place=node.place,
                hint=f"add {shown(level)} to AT, or leave it out of SELECT",
            )
        return OutputColumn(item.alias or level, scope.level_term(node))
    term = Typer(MetricNames(scope).leaf, scope.binding, zone=scope.zone).term(node)
    reads_any = any(reads(term) for reads in (metrics_of, nested_of, ascribed_of, levels_of))
    if not reads_any and not reads_grouping(node):
        raise NotSupported(
            "an item is a level, or an expression over at least one level or metric",
            place=node.place,
        )
    if item.alias:
        return OutputColumn(item.alias, term)
    family = scope.family(node.text) if isinstance(node, Name) else None
    return OutputColumn(family.name if family else canonical_name(node), term)


def _refuse_missing_comma(scope: Scope, item: Item) -> None:
    """Refuse the name of another metric or level as an alias without AS: it stands for itself."""
    if item.unmarked is None or item.alias is None:
        return
    is_level = scope.level(Name((item.alias,))) is not None
    if not is_level and scope.family(item.alias) is None:
        return
    written = canonical_name(item.expression)
    if re.search(rf"(?<!\w){re.escape(item.alias.casefold())}(?!\w)", written.casefold()):
        return
    alias, what = shown(item.alias), "level" if is_level else "metric"
    raise FrameQLSyntaxError(
        f"{alias} is a {what} of its own, and stands as a name for {shown(written)}",
        place=item.unmarked,
        hint=f"write a comma before {alias} to ask for both, or AS {alias} to rename",
    )


def _level_columns(scope: Scope, anchor: tuple[str, ...]) -> list[OutputColumn]:
    types = scope.typed.level_types
    names = {named.level: named.name for named in scope.ad_hoc.values()}
    return [
        OutputColumn(names.get(level, level), LevelTerm(types[level], level)) for level in anchor
    ]


def _everything(scope: Scope, filters: tuple[Term, ...]) -> list[OutputColumn]:
    columns = _level_columns(scope, scope.row_levels or ())
    for family in scope.typed.collection.metric_families:
        term = None
        try:
            for anchor in scope.sets or (scope.anchor or (),):
                other = _legal_term(replace(scope, anchor=anchor), Name((family,)), filters)
                term = other if anchor == scope.anchor else term
        except QueryError:
            # SELECT * lists what is legal here; what is not is no part of it.
            continue
        if term is not None:
            columns.append(OutputColumn(family, term))
    return columns


def _legal_term(scope: Scope, family: Name, filters: tuple[Term, ...]) -> Term:
    anchor = scope.anchor or ()
    term = MetricNames(scope).leaf(family)
    for need in needs_of(term, anchor, filters):
        check_metric(scope.typed, need.metric, need.anchor, need.filter)
    check_nested(scope.typed, term, anchor, filters)
    return term


def _refuse_duplicates(columns: list[OutputColumn]) -> None:
    seen: set[str] = set()
    for column in columns:
        if column.name.casefold() in seen:
            raise AmbiguousMetric(
                f"two columns are named {shown(column.name)}", hint="rename one with AS"
            )
        seen.add(column.name.casefold())


class _Outputs:
    """The leaves of HAVING and ORDER BY: an output name first, else a metric as in an item."""

    def __init__(self, scope: Scope, columns: tuple[OutputColumn, ...]) -> None:
        self._names = MetricNames(scope)
        self._typer = Typer(self.leaf, scope.binding, self._named, scope.zone)
        self._columns = columns
        self._by_name = {column.name.casefold(): column.term for column in columns}
        self._by_level = {
            column.term.level: column.term
            for column in columns
            if isinstance(column.term, LevelTerm)
        }
        self._scope = scope

    def leaf(self, node: Name | Call | Ascribed | Star) -> Term:
        if isinstance(node, Name):
            term = self._by_name.get(node.text.casefold())
            if term is not None:
                return term
            ad_hoc = self._scope.ad_hoc_level(node)
            level = self._scope.level(node) if ad_hoc is None else ad_hoc.level
            if level is not None and level in self._by_level:
                return self._by_level[level]
            if is_realised(self._scope, node):
                return realised(self._scope, self._by_name.values())
        elif isinstance(node, Call):
            term = self._named(node)
            if term is not None:
                return term
        return self._names.leaf(node)

    def predicate(self, node: Expression) -> Term:
        """Return the condition of HAVING."""
        return self._typer.predicate(node)

    def _named(self, node: Call) -> Term | None:
        return self._by_name.get(canonical_name(node).casefold())

    def _numbered(self, node: Literal) -> Term:
        """Return the column of the answer that a number in ORDER BY counts, from 1."""
        at, count = node.value, len(self._columns)
        if isinstance(at, int) and 1 <= at <= count:
            return self._columns[at - 1].term
        raise TypeMismatch(
            f"ORDER BY {shown(str(at))} counts the answer's columns, which are {count}",
            place=node.place,
            hint=f"write a number from 1 to {count}, or name the column",
        )

    def orderings(self, keys: tuple[OrderKey, ...]) -> Iterator[Ordering]:
        """Yield the keys of ORDER BY that order anything: at one anchor GROUPING does not."""
        for key in keys:
            ordering = self._ordering(key)
            if self._scope.sets or not isinstance(ordering.term, Constant):
                yield ordering

    def _ordering(self, key: OrderKey) -> Ordering:
        if isinstance(key.expression, Literal) and key.expression.kind is LiteralKind.INTEGER:
            return Ordering(self._numbered(key.expression), key.descending, key.nulls_first is True)
        term = self._typer.term(key.expression)
        if isinstance(term, Constant) and not reads_name(key.expression):
            raise TypeMismatch(
                "ORDER BY takes a column or an expression, not a constant",
                place=key.place,
                hint="name the column",
            )
        return Ordering(term, key.descending, key.nulls_first is True)


def _window(scope: Scope, limit: Limit | None) -> Window | None:
    if limit is None:
        return None
    per = scope.levels(limit.per) if limit.per is not None else ()
    for level in per:
        if level not in (scope.row_levels or ()):
            raise LevelNotInAnchor(
                f"PER names {shown(level_text(level))}, which is not in the anchor",
                place=limit.place,
            )
    offset = 0 if limit.offset is None else _count(scope, limit.offset)
    return Window(_count(scope, limit.count), offset, per)


def _count(scope: Scope, node: Expression) -> int:
    value = Typer(MetricNames(scope).leaf, scope.binding, zone=scope.zone).term(node)
    if isinstance(node, Parameter):
        scope.binding.note_type(node, INTEGER)
    if isinstance(value, Constant):
        if value.value is None and scope.binding.values is None:
            return 0
        number = value.value
        if value.type.kind is Kind.INTEGER and isinstance(number, int) and number >= 0:
            return number
    bound = "bind a number and no text; on the command line: --param :integer=10"
    hint = bound if isinstance(node, Parameter) else "such as LIMIT 10"
    raise TypeMismatch("LIMIT and OFFSET take whole numbers from 0", place=node.place, hint=hint)

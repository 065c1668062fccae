"""SELECTs that are more than one question, as algebra over the answers of their islands.

What comes in: a tree without WITH. What goes out: a relation over islands. It must never reorder
the steps of a SELECT: FROM, WHERE, GROUP BY, HAVING, windows, SELECT, DISTINCT, ORDER BY, LIMIT.

A SELECT that is one question is an island whole. Of a SELECT that reduces rows and does more, the
rows reduced are an island, and the rest is done with its answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlglot import exp

from flightframe_server.errors import (
    AmbiguousMetric,
    FlightframeError,
    NotSupported,
    QueryError,
    TypeMismatch,
    shown,
)
from flightframe_server.language.syntax import Limit, Literal
from flightframe_server.outer.algebra import (
    Combination,
    Combine,
    Distinct,
    Project,
    Sort,
    SortKey,
)
from flightframe_server.outer.typing import as_types, shared_types
from flightframe_server.resolver.terms import ColumnTerm, Term
from flightframe_server.sql.clauses import MOST_ROWS, check_ordered, limit_of, ordinal
from flightframe_server.sql.grouping import item_of
from flightframe_server.sql.islands import Islands
from flightframe_server.sql.outer_groups import SelectItem, each_once, grouped, has_groups, keys_of
from flightframe_server.sql.outer_joins import joined
from flightframe_server.sql.outer_rows import RowsBelow, is_rows, rows_below
from flightframe_server.sql.outer_sets import check_sets, chosen, query_of, split_conditions
from flightframe_server.sql.outer_windows import windowed
from flightframe_server.sql.places import place_of
from flightframe_server.sql.reading import LIMITED
from flightframe_server.sql.relations import NamedColumn, Relation, projected_unique
from flightframe_server.sql.scalar_selects import scalar_selects, with_values
from flightframe_server.sql.stages import Stage, stage_of
from flightframe_server.sql.trees import is_star, windows_in

_COMBINATIONS: dict[type[exp.Expr], Combination] = {
    exp.Union: Combination.UNION,
    exp.Intersect: Combination.INTERSECT,
    exp.Except: Combination.EXCEPT,
}


class NoAlgebra(Exception):
    """A SELECT reads rows that no answer holds; a signal inside the translation."""


@dataclass(frozen=True, slots=True)
class SelectReader:
    """Reads the SELECTs of one tree.

    Attributes:
        islands: where questions go.
    """

    islands: Islands

    def relation(self, tree: exp.Expr) -> Relation:
        """Return what a tree gives.

        Raises:
            QueryError: it is not answered, or breaks a rule.
        """
        match tree:
            case exp.Subquery(this=exp.Query() as inner):
                return self.relation(inner)
            case exp.SetOperation():
                return self._combined(tree)
            case exp.Select():
                return self._select(tree)
        raise NotSupported("a SELECT is wanted here", place=place_of(tree))

    def _select(self, select: exp.Select) -> Relation:
        try:
            return self.islands.relation(select)
        except QueryError as error:
            refusal = error
        try:
            return self._algebra(select)
        except NoAlgebra:
            raise refusal from None

    def _algebra(self, select: exp.Select) -> Relation:
        scalars = scalar_selects(select)
        below = self._below(scalars.select)
        if isinstance(below, RowsBelow) and scalars.before:
            # Those in a condition on rows are of the question that reduces the rows.
            scalars = scalar_selects(select, in_where=False)
            below = self._below(scalars.select)
        select = scalars.select
        check_sets(select)
        if isinstance(below, RowsBelow):
            stage, items = below.reduced(self.islands, _items(select, None))
            nodes = self._nodes(select, items, below)
        else:
            values = self._values(scalars.before)
            stage, items, nodes = self._over_relation(select, below, values)
        stage = with_values(stage, self._values(scalars.after))
        having = select.args.get("having")
        if having is not None:
            stage = stage.filtered(_with_names(having.this, items, below))
        windows = each_once((w for node in nodes for w in windows_in(node)), stage.key)
        stage = windowed(stage, windows)
        chosen_by = _qualified(select, items, below)
        if chosen_by is not None:
            stage = stage.filtered(chosen_by)
        return self._projected(select, stage, items, below)

    def _over_relation(
        self, select: exp.Select, below: Relation, values: dict[str, Relation]
    ) -> tuple[Stage, list[SelectItem], list[exp.Expr]]:
        items = _items(select, below)
        context = self.islands.context
        stage = with_values(stage_of(context, below), values)
        where = select.args.get("where")
        if where is not None:
            stage = self._filtered(stage, where.this)
        nodes = self._nodes(select, items, below)
        if has_groups(select, nodes):
            having = select.args.get("having")
            reduced = [*nodes, *([_with_names(having.this, items, below)] if having else [])]
            keys = keys_of(select, items, lambda column: below.find(column) is not None)
            stage = grouped(stage, keys, reduced)
        return stage, items, nodes

    def _filtered(self, stage: Stage, condition: exp.Expr) -> Stage:
        sets, others = split_conditions(condition)
        if not sets:
            return stage.filtered(condition)
        for part in others:
            stage = stage.filtered(part)
        for node in sets:
            stage = chosen(stage, node, self.relation(query_of(node)))
        return stage

    def _values(self, selects: dict[str, exp.Select]) -> dict[str, Relation]:
        """Return the SELECTs of one value as relations of one row."""
        return {name: self.relation(select) for name, select in selects.items()}

    def _nodes(
        self, select: exp.Select, items: list[SelectItem], below: Relation | RowsBelow
    ) -> list[exp.Expr]:
        """Return the expressions of SELECT, QUALIFY and ORDER BY."""
        order = select.args.get("order")
        keys = [] if order is None else [key.this for key in order.expressions]
        more = [key for key in keys if not isinstance(key, exp.Column | exp.Literal)]
        chosen_by = _qualified(select, items, below)
        return [
            *(item.node for item in items),
            *(() if chosen_by is None else (chosen_by,)),
            *(_with_names(key, items, below) for key in more),
        ]

    def _below(self, select: exp.Select) -> Relation | RowsBelow:
        clause = select.args.get("from_")
        if clause is None:
            raise NoAlgebra
        joins = select.args.get("joins") or []
        rows = is_rows(clause.this, self.islands.tables)
        if rows and has_groups(select, list(select.expressions)):
            return rows_below(select, self._source, self.islands)
        relation = self._source(clause.this)
        for join in joins:
            right = self._source(join.this)
            relation = joined(self.islands.context, relation, right, join)
        return relation

    def _source(self, source: exp.Expr) -> Relation:
        match source:
            case exp.Subquery(this=exp.Query() as inner):
                return self.relation(inner).aliased(source.alias)
            case exp.Table(this=exp.Identifier()):
                saved = self.islands.saved(source)
                if saved is not None:
                    return saved
                all_of_it = exp.Select(expressions=[exp.Star()], from_=exp.From(this=source.copy()))
                try:
                    relation = self.islands.relation(all_of_it)
                except FlightframeError:
                    raise NoAlgebra from None
                return relation.aliased(source.alias or source.name)
        raise NoAlgebra

    def _projected(
        self,
        select: exp.Select,
        stage: Stage,
        items: list[SelectItem],
        below: Relation | RowsBelow,
    ) -> Relation:
        terms = [stage.term(item.node) for item in items]
        named = tuple(NamedColumn(item.name) for item in items)
        kept = [int(t.column[1:]) if isinstance(t, ColumnTerm) else None for t in terms]
        unique = projected_unique(stage.relation.unique, kept)
        distinct = select.args.get("distinct")
        if distinct is not None and distinct.args.get("expressions"):
            raise NotSupported("DISTINCT ON is not answered", place=place_of(select))
        order = select.args.get("order")
        hidden: list[Term] = []
        keys: list[SortKey] = []
        for key in () if order is None else order.expressions:
            at = self._ordered(key.this, stage, items, below)
            if at is None:
                if distinct is not None:
                    raise NotSupported(
                        "beside DISTINCT, ORDER BY takes columns of SELECT", place=place_of(key)
                    )
                hidden.append(stage.term(_with_names(key.this, items, below)))
                at = len(terms) + len(hidden) - 1
            keys.append(_sort_key(key, at))
        node = Project(stage.relation.node, (*terms, *hidden))
        source = node if distinct is None else Distinct(node)
        if distinct is not None:
            unique = (*unique, frozenset(range(len(terms))))
        count, offset = self._limit(select)
        if not keys and count is None and not offset:
            return Relation(source, named, unique)
        made = Sort(source, tuple(keys), len(terms), count, offset)
        return Relation(made, named, (*unique, *((frozenset(),) if count == 1 else ())))

    def _ordered(
        self,
        node: exp.Expr,
        stage: Stage,
        items: list[SelectItem],
        below: Relation | RowsBelow,
    ) -> int | None:
        """Return which column of SELECT a key of ORDER BY is; None: it is none of them."""
        check_ordered(node)
        if isinstance(node, exp.Literal):
            return items.index(ordinal(node, items, "ORDER BY"))
        if isinstance(node, exp.Column) and len(node.parts) == 1:
            fits = [
                at for at, item in enumerate(items) if item.name.casefold() == node.name.casefold()
            ]
            if len(fits) == 1:
                return fits[0]
        if isinstance(node, exp.Column) and isinstance(below, Relation):
            below.place(node)
        key = stage.key(_with_names(node, items, below))
        return next((at for at, item in enumerate(items) if stage.key(item.node) == key), None)

    def _limit(self, query: exp.Expr) -> tuple[int | None, int]:
        written = limit_of(query, self.islands.context.reading)  # type: ignore[arg-type]
        if written is None:
            return None, 0
        return _counts(written)

    def _combined(self, tree: exp.SetOperation) -> Relation:
        left, right = self.relation(tree.this), self.relation(tree.expression)
        types = shared_types(left.types, right.types, place_of(tree.expression))
        keep_all = tree.args.get("distinct") is False
        node = Combine(
            _COMBINATIONS[type(tree)],
            as_types(left.node, types),
            as_types(right.node, types),
            keep_all,
        )
        every = frozenset(range(len(types)))
        relation = Relation(
            node,
            tuple(replace(column, qualifier="") for column in left.columns),
            () if keep_all else (every,),
        )
        order, (count, offset) = tree.args.get("order"), self._limit(tree)
        if order is None and count is None and not offset:
            return relation
        keys = [
            _sort_key(key, _combined_key(key.this, relation))
            for key in ([] if order is None else order.expressions)
        ]
        made = Sort(node, tuple(keys), len(types), count, offset)
        return replace(relation, node=made)


def _items(select: exp.Select, below: Relation | None) -> list[SelectItem]:
    items: list[SelectItem] = []
    for node in select.expressions:
        if not is_star(node):
            made = item_of(node)
            items.append(SelectItem(_own_name(made.name, made.node, below), made.node, made.named))
            continue
        if below is None:
            raise NotSupported("a star stands for columns of an answer", place=place_of(node))
        for at in below.starred(node if isinstance(node, exp.Column) else None):
            column = below.columns[at]
            parts = [column.qualifier, column.name] if column.qualifier else [column.name]
            written = exp.column(*(exp.to_identifier(x, quoted=True) for x in reversed(parts)))
            items.append(SelectItem(column.name, written, False))
    return items


def _own_name(name: str, node: exp.Expr, below: Relation | None) -> str:
    """Return the name of a column as its own sub-select spells it."""
    if below is None or not isinstance(node, exp.Column) or name != node.name:
        return name
    at = below.find(node)
    spelled = below.columns[at].name if at is not None else name
    return spelled if spelled.casefold() == name.casefold() else name


def _named(
    node: exp.Expr, items: list[SelectItem], is_column: Callable[[exp.Column], bool]
) -> exp.Expr:
    """Return an expression with names of SELECT written out, where no column has them."""
    by_name: dict[str, list[exp.Expr]] = {}
    for item in items:
        if item.named:
            by_name.setdefault(item.name.casefold(), []).append(item.node)

    def written(part: exp.Expr) -> exp.Expr:
        if not isinstance(part, exp.Column) or len(part.parts) > 1:
            return part
        fits = by_name.get(part.name.casefold(), [])
        own = is_column(part)
        if len(fits) > 1 or (own and any(not _is_same(fit, part) for fit in fits)):
            raise AmbiguousMetric(
                f"{shown(part.name)} is a column, and a name of SELECT for something else",
                place=place_of(part),
                hint="give it a name of its own",
            )
        return exp.Paren(this=fits[0].copy()) if fits and not own else part

    if isinstance(node, exp.Literal):
        return node
    return node.copy().transform(written, copy=False)


def _is_same(node: exp.Expr, column: exp.Column) -> bool:
    inner = node.unnest()
    return isinstance(inner, exp.Column) and inner.name.casefold() == column.name.casefold()


def _with_names(node: exp.Expr, items: list[SelectItem], below: Relation | RowsBelow) -> exp.Expr:
    if isinstance(below, RowsBelow):
        return _named(node, items, below.is_column)
    return _named(node, items, lambda column: below.find(column) is not None)


def _qualified(
    select: exp.Select, items: list[SelectItem], below: Relation | RowsBelow
) -> exp.Expr | None:
    """Return the condition of QUALIFY, with names of SELECT written out; None: there is none.

    Raises:
        NotSupported: no window stands in it or in SELECT.
    """
    clause = select.args.get("qualify")
    if clause is None:
        return None
    condition = _with_names(clause.this, items, below)
    if not any(any(windows_in(node)) for node in (condition, *(item.node for item in items))):
        raise NotSupported(
            "QUALIFY is a condition on windows, and this SELECT has none",
            place=place_of(clause),
            hint="write HAVING or WHERE",
        )
    return condition


def _sort_key(node: exp.Ordered, at: int) -> SortKey:
    return SortKey(at, bool(node.args.get("desc")), bool(node.args.get("nulls_first")))


def _combined_key(node: exp.Expr, relation: Relation) -> int:
    check_ordered(node)
    if isinstance(node, exp.Literal):
        return ordinal(node, list(range(len(relation.columns))), "ORDER BY")
    if isinstance(node, exp.Column):
        return relation.place(node)
    raise NotSupported("ORDER BY of combined SELECTs takes their columns", place=place_of(node))


def _counts(written: Limit) -> tuple[int | None, int]:
    numbers: list[int | None] = []
    for part in (written.count, written.offset):
        value = part.value if isinstance(part, Literal) else None
        if isinstance(part, Literal) and (
            isinstance(value, bool) or not isinstance(value, int) or value < 0
        ):
            raise TypeMismatch(LIMITED, place=part.place)
        numbers.append(value if isinstance(value, int) else None)
    count, offset = numbers
    return (None if count == MOST_ROWS else count), offset or 0

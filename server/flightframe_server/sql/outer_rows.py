"""A SELECT that reduces rows and does more with them: the reduction as an island of its own.

What comes in: a SELECT over rows of metrics, and the answers joined to them. What goes out: the
reduced rows with the places of keys and aggregates. It must never join rows to an answer that could
meet one of them twice, nor split groups that the SELECT has as one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlglot import exp

from flightframe_server.errors import AmbiguousMetric, NotSupported, QueryError, shown
from flightframe_server.outer.algebra import Join, JoinKind, Pair
from flightframe_server.outer.typing import check_joined
from flightframe_server.sql.islands import Islands
from flightframe_server.sql.outer_groups import SelectItem, each_once, keys_of
from flightframe_server.sql.outer_joins import equality, kind_of
from flightframe_server.sql.places import place_of
from flightframe_server.sql.question import rows_scope
from flightframe_server.sql.relations import NamedColumn, Relation
from flightframe_server.sql.scopes import Scope
from flightframe_server.sql.stages import Stage
from flightframe_server.sql.trees import Key, aggregates_in, by_name, conjuncts, key_of
from flightframe_server.sql.unwrapping import Tables


@dataclass(frozen=True, slots=True)
class _Joined:
    """An answer that is joined to rows: ON by expressions over the rows."""

    relation: Relation
    kind: JoinKind
    pairs: tuple[tuple[exp.Expr, int, bool], ...]


@dataclass(frozen=True, slots=True)
class RowsBelow:
    """Rows that a SELECT reduces, with the answers that are joined to them.

    Attributes:
        select: the SELECT, without those joins.
        scope: the columns of the rows.
        answers: what is joined.
        original: the SELECT as it stands.
    """

    select: exp.Select
    scope: Scope
    answers: tuple[_Joined, ...]
    original: exp.Select

    def is_column(self, node: exp.Column) -> bool:
        """Whether a name is a column of the rows, or of an answer."""
        return self._of_rows(node) or self._of_answer(node) is not None

    def reduced(self, islands: Islands, items: list[SelectItem]) -> tuple[Stage, list[SelectItem]]:
        """Return the rows reduced, joined to the answers.

        Raises:
            QueryError: the reduction is no question, or a join could meet a row twice.
        """
        context = islands.context

        def key(node: exp.Expr) -> Key:
            return key_of(node, context.reading, self._column_key)

        keys = each_once(iter(keys_of(self.original, items, self.is_column)), key)
        own = {k: node for k, node in keys.items() if not self._reads_answer(node)}
        aggregates = each_once(
            (a for node in self._places_of_aggregates(items) for a in aggregates_in(node)), key
        )
        inner = self._inner(list(own.values()), list(aggregates.values()))
        relation = islands.relation(inner)
        known = {k: at for at, k in enumerate([*own, *aggregates])}
        for number, answer in enumerate(self.answers):
            relation, known = _met(relation, known, number, answer, list(own), key)
        for k, node in keys.items():
            if k not in own and k not in known:
                raise NotSupported(
                    "a key that reads rows and an answer is not answered", place=place_of(node)
                )
        unnamed = replace(relation, columns=tuple(NamedColumn("") for _ in relation.columns))
        selected = {k: at for k, at in known.items() if k in keys or k in aggregates}
        return Stage(context, unnamed, self._column_key, selected, grouped=True), items

    def _places_of_aggregates(self, items: list[SelectItem]) -> list[exp.Expr]:
        nodes = [item.node for item in items]
        for name in ("having", "qualify", "order"):
            clause = self.original.args.get(name)
            if clause is not None:
                nodes.append(clause)
        return nodes

    def _inner(self, keys: list[exp.Expr], aggregates: list[exp.Expr]) -> exp.Select:
        select = self.select.copy()
        listed: list[exp.Expr] = []
        for at, node in enumerate([*keys, *aggregates]):
            name = exp.to_identifier(f"column {at}", quoted=True)
            listed.append(exp.Alias(this=node.copy(), alias=name))
        select.set("expressions", listed)
        for clause in ("having", "qualify", "order", "limit", "offset", "distinct"):
            select.set(clause, None)
        places = [exp.Literal.number(at + 1) for at in range(len(keys))]
        select.set("group", exp.Group(expressions=places) if places else None)
        return select

    def _of_rows(self, node: exp.Column) -> bool:
        try:
            self.scope.column(node)
        except AmbiguousMetric:
            return True
        except QueryError:
            return False
        return True

    def _of_answer(self, node: exp.Column) -> tuple[int, int] | None:
        for number, answer in enumerate(self.answers):
            at = answer.relation.find(node)
            if at is not None:
                return number, at
        return None

    def _column_key(self, node: exp.Column) -> Key:
        at = self._of_answer(node)
        if at is None:
            self.scope.column(node)
            # Where tables are joined, a name says whose column it is.
            qualified = self.scope.table.joined and tuple(x.name.casefold() for x in node.parts)
            return (*by_name(node), qualified or ())
        if len(node.parts) == 1 and self._of_rows(node):
            raise AmbiguousMetric(
                f"both sides of a join have a column {shown(node.name)}",
                place=place_of(node),
                hint="say whose: a.b",
            )
        return ("answer", *at)

    def _reads_answer(self, node: exp.Expr) -> bool:
        return any(self._of_answer(column) is not None for column in node.find_all(exp.Column))


def _met(
    relation: Relation,
    known: dict[Key, int],
    number: int,
    answer: _Joined,
    keys: list[Key],
    key: Callable[[exp.Expr], Key],
) -> tuple[Relation, dict[Key, int]]:
    """Return reduced rows joined to an answer, whose columns their keys settle."""
    pairs: list[Pair] = []
    for node, at, null_safe in answer.pairs:
        own = key(node)
        if own not in keys:
            raise NotSupported(
                "rows are joined to an answer by keys of GROUP BY only",
                place=place_of(node),
                hint="add what ON compares to GROUP BY",
            )
        left, right = relation.types[known[own]], answer.relation.types[at]
        if check_joined(left, right, place_of(node)) != left or left != right:
            raise NotSupported(
                f"a join of {left} and {right} is not answered", place=place_of(node)
            )
        pairs.append(Pair(known[own], at, null_safe))
    first = len(relation.types)
    node_ = Join(answer.kind, relation.node, answer.relation.node, tuple(pairs))
    columns = (*relation.columns, *answer.relation.columns)
    more = {("answer", number, at): first + at for at in range(len(answer.relation.types))}
    return Relation(node_, columns, relation.unique), {**known, **more}


def is_rows(source: exp.Expr, tables: Tables) -> bool:
    """Whether FROM names rows that nothing has reduced: a table, or columns of one."""
    match source:
        case exp.Table(this=exp.Identifier()) as table:
            return tables.saved(table) is None
        case exp.Subquery(this=exp.Select() as inner):
            clauses = ("group", "having", "qualify", "distinct", "limit", "offset")
            reduced = any(inner.args.get(name) is not None for name in clauses)
            parts = (exp.Window, exp.AggFunc)
            clause = inner.args.get("from_")
            if reduced or clause is None or any(x.find(*parts) for x in inner.expressions):
                return False
            return is_rows(clause.this, tables)
    return False


def rows_below(
    select: exp.Select, source_of: Callable[[exp.Expr], Relation], islands: Islands
) -> RowsBelow:
    """Return the rows of a SELECT, and the answers that are joined to them.

    Raises:
        NotSupported: a join is no equality with all that tells the answer's rows apart.
    """
    rows, answers = select.copy(), list[_Joined]()
    kept: list[exp.Expr] = []
    for join in rows.args.get("joins") or []:
        source = join.this
        named = isinstance(source, exp.Subquery | exp.Table)
        if named and not is_rows(source, islands.tables):
            answers.append(_joined(join, source_of, islands))
        else:
            kept.append(join)
    rows.set("joins", kept or None)
    scope = rows_scope(rows, islands.tables, islands.context.reading)
    return RowsBelow(rows, scope, tuple(answers), select)


def _joined(join: exp.Join, source_of: Callable[[exp.Expr], Relation], islands: Islands) -> _Joined:
    relation, kind = source_of(join.this), kind_of(join)
    on = join.args.get("on")
    if kind is JoinKind.FULL or on is None:
        raise NotSupported(
            "rows are joined to an answer by an INNER or LEFT JOIN with ON", place=place_of(join)
        )
    pairs: list[tuple[exp.Expr, int, bool]] = []
    for part in conjuncts(on):
        made = equality(part, islands.context)
        sides = [] if made is None else [(made.left, made.right), (made.right, made.left)]
        for own, other in sides:
            at = relation.find(other) if isinstance(other, exp.Column) else None
            reads = any(relation.find(column) is not None for column in own.find_all(exp.Column))
            if at is not None and not reads and made is not None:
                pairs.append((own, at, made.null_safe))
                break
        else:
            raise NotSupported("ON takes equalities with columns", place=place_of(part))
    if not any(one <= {at for _, at, _ in pairs} for one in relation.unique):
        raise NotSupported(
            "a join of rows with an answer that could meet a row twice is not answered",
            place=place_of(join),
            hint="join on all keys of the sub-select, or group both sides first",
        )
    return _Joined(relation, kind, tuple(pairs))

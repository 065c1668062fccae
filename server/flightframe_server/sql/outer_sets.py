"""Conditions over answers that take their members from a SELECT: `WHERE x IN (SELECT ...)`.

What comes in: the condition of a SELECT over answers. What goes out: its rows joined to the
members, each once, so that a row stays or goes and is never repeated. It must never read a
condition beside OR or NOT so: a row that finds no member is not always one that goes.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from flightframe_server.errors import NotSupported
from flightframe_server.outer.algebra import Distinct, Join, JoinKind, Pair
from flightframe_server.outer.typing import check_joined
from flightframe_server.sql.places import place_of
from flightframe_server.sql.relations import NamedColumn, Relation
from flightframe_server.sql.scalars import IN_SELECT
from flightframe_server.sql.stages import Stage
from flightframe_server.sql.trees import conjuncts


def check_sets(select: exp.Select) -> None:
    """Check that no clause but WHERE takes members from a SELECT; FROM has its own.

    Raises:
        NotSupported: one does.
    """
    clauses = (select.args.get(name) for name in ("group", "having", "qualify", "order"))
    for part in (*select.expressions, *(clause for clause in clauses if clause is not None)):
        for node in part.find_all(exp.In):
            if node.args.get("query") is not None:
                raise NotSupported(IN_SELECT, place=place_of(node))


def split_conditions(condition: exp.Expr) -> tuple[list[exp.In], list[exp.Expr]]:
    """Return the parts of a condition that choose by a SELECT, and all others."""
    sets: list[exp.In] = []
    others: list[exp.Expr] = []
    for part in conjuncts(condition):
        if isinstance(part, exp.In) and part.args.get("query") is not None:
            sets.append(part)
        else:
            others.append(part)
    return sets, others


def query_of(node: exp.In) -> exp.Expr:
    """Return the SELECT that a condition takes its members from."""
    query: exp.Expr = node.args["query"]
    return query.this if isinstance(query, exp.Subquery) else query


def chosen(stage: Stage, node: exp.In, members: Relation) -> Stage:
    """Return the rows whose value is among members.

    Raises:
        NotSupported: the SELECT has several columns, or its members are of another type.
    """
    term, place = stage.term(node.this), place_of(node)
    if len(members.types) != 1:
        raise NotSupported("a SELECT in a condition has one column", place=place)
    (type_,) = members.types
    if check_joined(term.type, type_, place) != term.type or term.type != type_:
        raise NotSupported(f"members of {type_} beside {term.type} are not answered", place=place)
    beside, (at,) = stage.with_terms([term])
    joined = Join(JoinKind.INNER, beside, Distinct(members.node), (Pair(at, 0),))
    more = (NamedColumn(""), NamedColumn(""))
    columns = (*stage.relation.columns, *more)
    return replace(stage, relation=replace(stage.relation, node=joined, columns=columns))

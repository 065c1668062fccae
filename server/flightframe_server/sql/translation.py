"""A text of SQL over published tables as what it means in Frame-QL.

What comes in: a text's tree, its values, and the tables that are published. What goes out: what it
means; or its columns alone, where it can have no rows. It must never read a text under the values
of another, nor call what has one row whatever WHERE says empty.
"""

from __future__ import annotations

from dataclasses import replace

from flightframe_server.algebra.types import DataType
from flightframe_server.answer import utc_now
from flightframe_server.arrow_types import arrow_type, with_moments
from flightframe_server.composer.compose import answer_schema
from flightframe_server.errors import TypeMismatch
from flightframe_server.language.grouping_sets import count_of_sets, level_sets
from flightframe_server.language.syntax import Anchor
from flightframe_server.query_types import QuerySignature
from flightframe_server.request import Request, Translation
from flightframe_server.resolver.grouping_sets import MAX_SETS
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.resolver.values import Binding
from flightframe_server.sql.parse import ParsedSql
from flightframe_server.sql.question import never, translated
from flightframe_server.sql.reading import Clock, Reading
from flightframe_server.sql.saved_frames import whole_frame
from flightframe_server.sql.select import Relation
from flightframe_server.sql.unwrapping import Tables


def translation_of(
    parsed: ParsedSql, request: Request, tables: Tables, typed: TypedCollection, *, typing: bool
) -> Translation:
    """Return what a text means in a collection.

    Args:
        parsed: the text's tree.
        request: the request that brings it.
        tables: what its tables are.
        typed: the collection.
        typing: whether no parameter is bound.

    Raises:
        QueryError: it is not answered, or breaks a rule.
    """
    values = None if typing else request.scalars
    reading = Reading(typed, values, request.sql, Clock(typed.zone))
    made = whole_frame(parsed.select, tables, reading) or translated(parsed.select, tables, reading)
    if parsed.explain:
        made = replace(made, statement=replace(made.statement, explain=True), moments=())
    return made


def empty_of(
    request: Request, typed: TypedCollection, *, typing: bool
) -> tuple[Relation, QuerySignature] | None:
    """Return the columns of a question that can have no rows; None for any other.

    Raises:
        QueryError: the question breaks a rule.
    """
    made = request.translation
    if made is None or not (_has_no_total(made.statement.anchor) or _limited(made)):
        return None
    if not never(made.statement):
        return None
    binding = Binding(None if typing else {}, now=utc_now())
    question = resolve(replace(made.statement, where=None), typed, binding)
    types: dict[int | str, DataType] = {**binding.types}
    types.update(made.parameters)
    schema = with_moments(answer_schema(question), made.moments)
    parameters = tuple((key, arrow_type(types[key])) for key in sorted(types, key=str))
    return Relation(schema, lambda: (), empty=True), QuerySignature(schema, parameters)


def _has_no_total(anchor: Anchor) -> bool:
    """Whether an anchor, or each of its sets of levels, has a level: rows come of rows alone."""
    if anchor.sets is None or count_of_sets(anchor.sets) > MAX_SETS:
        return bool(anchor.levels)
    return all(one.levels for one in level_sets(anchor.sets))


def _limited(made: Translation) -> bool:
    """Whether LIMIT lets no row through: without keys there is one row, whatever WHERE says."""
    return never(replace(made.statement, where=None))


def check_values(parsed: ParsedSql, request: Request, *, typing: bool) -> None:
    """Refuse values that a text has no parameters for; raises `TypeMismatch`."""
    surplus = [key for key, _ in request.parameters if key not in range(parsed.parameters)]
    if surplus and not typing:
        raise TypeMismatch(
            f"the statement has {parsed.parameters} parameters, {len(request.parameters)} came",
            hint="bind one value for each ?",
        )

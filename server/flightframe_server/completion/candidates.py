"""Names that may stand at the cursor: metrics, levels, reducers, functions, schemas, outputs.

What comes in: a draft as a tree with a mark where the cursor is. What goes out: options, each with
what the resolver says of the statement in which it stands at the mark. It must never refuse an
option by itself: where the cursor stands decides only which kinds of names are tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flightframe_server.algebra.reducers import REDUCER_NAMES, REDUCERS
from flightframe_server.catalog.collection import METRICS, MetricFamily
from flightframe_server.catalog.declared_types import TYPE_NAMES
from flightframe_server.completion.cursor import SOMETHING, Cursor
from flightframe_server.completion.functions import function_options, word_options
from flightframe_server.completion.options import Option
from flightframe_server.completion.trees import put
from flightframe_server.errors import FlightframeError
from flightframe_server.language import format_expression
from flightframe_server.language.nodes import Node
from flightframe_server.language.syntax import (
    AdHocLevel,
    Anchor,
    Call,
    Cast,
    Expression,
    Extract,
    Interval,
    IsIn,
    Item,
    Literal,
    Name,
    Star,
    Statement,
)
from flightframe_server.language.words import CASE_NAMES
from flightframe_server.resolver.days import UNITS
from flightframe_server.resolver.functions import FIELDS


def name_options(cursor: Cursor) -> Iterator[Option]:
    """Yield the names that could stand at the mark."""
    if isinstance(cursor.parent, Literal | IsIn) and cursor.path[-1].field == "members":
        return
    if isinstance(cursor.path[-1].parent, Statement) and cursor.clause == "source":
        yield from _schemas(cursor)
    elif cursor.in_anchor:
        yield from _anchors(cursor)
    else:
        yield from _in_expression(cursor)


def _in_expression(cursor: Cursor) -> Iterator[Option]:
    words = _fixed_words(cursor)
    if words is not None:
        yield from words
        return
    families = cursor.families
    yield from _ad_hoc_levels(cursor)
    if cursor.over_rows:
        yield from _levels(cursor)
        yield from function_options(cursor)
        yield from word_options(cursor)
        yield from (_metric(cursor, family) for family in families)
        return
    if cursor.clause in ("having", "order_by"):
        yield from _outputs(cursor)
    yield from (_metric(cursor, family) for family in families)
    reducer = cursor.reduced_by
    if cursor.is_item or cursor.clause == "order_by":
        yield from _levels(cursor)
    elif reducer is not None:
        yield from _levels(cursor)
        return
    yield from _reducers(cursor)
    yield from function_options(cursor)
    yield from word_options(cursor)


def _fixed_words(cursor: Cursor) -> Iterator[Option] | None:
    """Return the types of CAST, the fields of EXTRACT or the units of INTERVAL, where due."""
    target = _target(cursor)
    match target:
        case Cast():
            written = {name: (name, name) for name in TYPE_NAMES}
            written["decimal"] = ("decimal(", "decimal(38,2)")
            return (
                _with_refusal(
                    cursor, Option(name, "keyword", insert), replace(target, type=type_name)
                )
                for name, (insert, type_name) in written.items()
                if cursor.fits(name)
            )
        case Extract():
            return (
                _with_refusal(
                    cursor, Option(name, "keyword", name, what), replace(target, field=name)
                )
                for name, what in FIELDS.items()
                if cursor.fits(name)
            )
        case Interval():
            return (
                _with_refusal(cursor, Option(name, "keyword", name), replace(target, unit=name))
                for name in UNITS
                if cursor.fits(name)
            )
    return None


def _target(cursor: Cursor) -> Node:
    step = cursor.path[-1]
    value = getattr(step.parent, step.field)
    node: Node = value if step.index is None else value[step.index]
    return node


def _with_refusal(cursor: Cursor, option: Option, new: Expression) -> Option:
    return option.refused(cursor.refusal(new))


def _quoted(name: str) -> str:
    """Return a name as it is written: in quotes where it must be, or could be read as a word."""
    if name.lower() in CASE_NAMES:
        return f'"{name}"'
    return format_expression(Name((name,)))


def _metric(cursor: Cursor, family: MetricFamily) -> Option:
    type_ = cursor.trial.type_of(family)
    option = Option(
        family.name,
        "metric",
        _quoted(family.name),
        family.description,
        None if type_ is None else str(type_),
    )
    return option.refused(cursor.family_refusal(family))


def _level_option(cursor: Cursor, level: str) -> Option:
    typed = cursor.trial.typed
    family = typed.collection.dimension_families.get(typed.graph.family_of(level))
    detail = family.describes(level) if family is not None else ""
    return Option(level, "level", _quoted(level), detail, str(typed.level_types[level]))


def _levels(cursor: Cursor) -> Iterator[Option]:
    for level in cursor.level_names:
        option = _level_option(cursor, level)
        if cursor.is_item:
            yield option.refused(_selected(cursor, level))
        elif cursor.clause == "order_by" and level not in cursor.levels:
            continue
        else:
            yield _with_refusal(cursor, option, Name((level,)))


def _selected(cursor: Cursor, level: str) -> FlightframeError | None:
    """Return why a level may not be selected: beside it stand the other levels of the anchor."""
    name = Name((level,))
    draft = put(cursor.statement, cursor.path, name)
    others = _beside(cursor, name)
    anchor = draft.anchor
    if not cursor.anchor_written:
        anchor = Anchor(tuple(Name((one,)) for one in dict.fromkeys((*cursor.levels, level))))
    return cursor.trial.refusal(replace(draft, items=(*others, *draft.items), anchor=anchor))


def _beside(cursor: Cursor, name: Name) -> tuple[Item, ...]:
    """Return the other levels of the anchor as items."""
    levels = (Name((level,)) for level in cursor.levels)
    return tuple(Item(one) for one in (*levels, *cursor.ad_hoc) if one != name)


def _ad_hoc_levels(cursor: Cursor) -> Iterator[Option]:
    """Yield the ad-hoc levels of the anchor where they may be named."""
    if isinstance(cursor.parent, AdHocLevel) or not (
        cursor.is_item or cursor.clause in ("where", "having", "order_by")
    ):
        return
    for level in cursor.statement.anchor.levels:
        if not isinstance(level, AdHocLevel) or not cursor.fits(level.text):
            continue
        name, written = Name(level.parts), format_expression(level.expression)
        option = Option(level.text, "level", _quoted(level.text), written)
        if cursor.is_item:
            draft = put(cursor.statement, cursor.path, name)
            items = (*_beside(cursor, name), *draft.items)
            yield option.refused(cursor.trial.refusal(replace(draft, items=items)))
        else:
            yield _with_refusal(cursor, option, name)


def _anchors(cursor: Cursor) -> Iterator[Option]:
    """Yield the levels of an anchor, and all that SELECT lists where AT says none yet."""
    anchor = cursor.parent
    assert isinstance(anchor, Anchor)
    written = {cursor.level(name) for name in anchor.levels}
    if cursor.only_level:
        yield from _selected_anchor(cursor)
    for level in cursor.level_names:
        if level not in written:
            yield _with_refusal(cursor, _level_option(cursor, level), Name((level,)))
    if not cursor.levels_only:
        yield from function_options(cursor)


def _selected_anchor(cursor: Cursor) -> Iterator[Option]:
    named = (cursor.level(item.expression) for item in cursor.statement.items)
    levels = tuple(dict.fromkeys(level for level in named if level is not None))
    if len(levels) > 1:
        text = f"({', '.join(map(_quoted, levels))})"
        anchor = Anchor(tuple(Name((level,)) for level in levels))
        error = cursor.trial.refusal(replace(cursor.statement, anchor=anchor))
        yield Option(text, "level", text, "the levels that SELECT lists").refused(error)


def _schemas(cursor: Cursor) -> Iterator[Option]:
    for schema in cursor.trial.typed.collection.schemas.values():
        if not cursor.fits(schema.name):
            continue
        option = Option(schema.name, "schema", _quoted(schema.name), schema.description)
        yield _with_refusal(cursor, option, Name((schema.name,)))
    names = {schema.casefold() for schema in cursor.trial.typed.collection.schemas}
    if cursor.fits(METRICS) and METRICS not in names:
        option = Option(METRICS, "schema", METRICS, "every level and every metric")
        yield _with_refusal(cursor, option, Name((METRICS,)))


def _outputs(cursor: Cursor) -> Iterator[Option]:
    """Yield the names that SELECT gives, and in HAVING the levels that it lists."""
    for item in cursor.statement.items:
        if item.alias is not None and cursor.fits(item.alias):
            option = Option(item.alias, "metric", _quoted(item.alias), "a column of the answer")
            yield _with_refusal(cursor, option, Name((item.alias,)))
    if cursor.clause == "having":
        for level in cursor.levels:
            yield _with_refusal(cursor, _level_option(cursor, level), Name((level,)))


def _reducers(cursor: Cursor) -> Iterator[Option]:
    for name in filter(cursor.fits, REDUCER_NAMES):
        option = Option(name, "reducer", f"{name}(", _takes(name))
        yield option.refused(cursor.first_refusal(_calls(cursor, name)))


def _takes(reducer: str) -> str:
    row = REDUCERS[reducer]
    what = "a metric, a level or *" if row.of_rows else "a metric"
    return f"of {what}, at a number from 0 to 1" if row.parameter else f"of {what}"


def _calls(cursor: Cursor, reducer: str) -> Iterator[Expression]:
    """Yield a reducer over whatever it could reduce."""
    more: tuple[Expression, ...] = (SOMETHING,) if REDUCERS[reducer].parameter else ()
    for family in cursor.alike.likely_first(reducer):
        yield Call(reducer, (Name((family.name,)), *more))
    if REDUCERS[reducer].of_rows:
        yield Call(reducer, (Star(),))

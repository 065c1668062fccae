"""Functions of a row that may be called at the cursor, and the words that stand for a value.

What comes in: a draft as a tree with a mark where the cursor is. What goes out: options, each with
what the resolver says of a call of it there. It must never refuse a function by itself: it only
chooses what is put between the parentheses.
"""

from __future__ import annotations

from collections.abc import Iterator

from flightframe_server.algebra.functions import CALLED
from flightframe_server.completion.cursor import SOMETHING, Cursor
from flightframe_server.completion.options import Option
from flightframe_server.errors import FlightframeError, NotSupported
from flightframe_server.language.syntax import Call, Case, Expression, IsNull, Name, When
from flightframe_server.language.words import CLAUSE_FUNCTIONS
from flightframe_server.resolver.grouping_sets import GROUPING

_LEFT_OUT = "1 where a set of levels leaves the level out, else 0"


def function_options(cursor: Cursor) -> Iterator[Option]:
    """Yield the functions that are called by name; keywords are not among them."""
    for name, row in CALLED.items():
        if cursor.fits(name) and name not in CLAUSE_FUNCTIONS:
            option = Option(name, "function", f"{name}(", row.form)
            more: tuple[Expression, ...] = (SOMETHING,) * (row.least - 1)
            yield option.refused(_call_refusal(cursor, name, more))
    if cursor.stacked and cursor.levels and not cursor.over_rows and cursor.fits(GROUPING):
        option = Option(GROUPING, "function", f"{GROUPING}(", _LEFT_OUT)
        yield option.refused(cursor.refusal(Call(GROUPING, (Name(cursor.levels[:1]),))))


def word_options(cursor: Cursor) -> Iterator[Option]:
    """Yield words that stand for a value where the collection has no such name of its own."""
    words = {"CURRENT_DATE": "the day on which it is asked"}
    if cursor.clause == "having":
        words["REALISED"] = "whether some row stands behind a point of the answer"
    typed = cursor.trial.typed
    for word, detail in words.items():
        known = word.casefold() in typed.collection.folded_families
        if cursor.fits(word) and not known and typed.graph.find(word) is None:
            option = Option(word, "function", word, detail)
            yield option.refused(cursor.refusal(Name((word,))))


def _call_refusal(
    cursor: Cursor, name: str, more: tuple[Expression, ...]
) -> FlightframeError | None:
    if cursor.in_anchor:
        return cursor.first_refusal(Call(name, (level, *more)) for level in _one_of_each(cursor))
    call = Call(name, (SOMETHING, *more))
    error = cursor.refusal(call)
    if not isinstance(error, NotSupported) or not cursor.is_item:
        return error
    # One over a metric goes on in a CASE.
    families = cursor.trial.typed.collection.metric_families
    whens = (When(IsNull(call), Name((family,))) for family in families)
    return cursor.first_refusal(Case(None, (when,)) for when in whens)


def _one_of_each(cursor: Cursor) -> Iterator[Name]:
    """Yield a level that may stand at the mark of each type, for an ad-hoc level to read."""
    typed, types_seen = cursor.trial.typed, set()
    for level in typed.graph.level_names:
        type_, name = typed.level_types[level], Name((level,))
        if type_ not in types_seen and cursor.refusal(name) is None:
            types_seen.add(type_)
            yield name

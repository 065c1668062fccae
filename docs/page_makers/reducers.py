"""The page of every reducer: its state, how it combines, what it gives, on which back-ends.

What comes in: the table of reducers. What goes out: the page. It must never state what the product
does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator

from flightframe_server.algebra.primitives import Combine
from flightframe_server.algebra.reducers import REDUCER_NAMES, REDUCERS, Finish, Over, Reducer
from flightframe_server.backends.registry import OWN
from flightframe_server.resolver.values import OPERATIONS
from page_makers.functions import _ARGUMENTS
from page_makers.markdown import HEADER, table

_COMBINES = {
    Combine.SUM: "states add up",
    Combine.MIN: "the least state",
    Combine.MAX: "the greatest state",
    Combine.FIRST: "the state with the least key",
    Combine.LAST: "the state with the greatest key",
    Combine.CHAN: "Chan's merge of count, mean and M2",
    Combine.NEVER: "never",
}


def reducers_page() -> str:
    """Return the page of every reducer: what it keeps, and whether it rolls up."""
    rows = [reducer_row(REDUCERS[name]) for name in REDUCER_NAMES]
    lines = [
        HEADER,
        "# Reducers",
        "",
        "An entry of the cache holds a reducer's **state**, not its value, so that a coarser anchor"
        " can be answered from a finer entry. Distributive reducers combine their own values,"
        " algebraic ones combine a few numbers, holistic ones need the rows again (Gray et al.,"
        " *Data Cube*, 1997).",
        "",
        *table(
            (
                "reducer",
                "class",
                "state",
                "value",
                "exact",
                "combines by",
                "may roll up",
                "must be declared",
                "back-ends",
            ),
            rows,
        ),
        "",
        "- A reducer that is made of others keeps no state of its own, and shares their entries:"
        " AVG is SUM over COUNT, both exact, divided once; RANGE is MAX less MIN, NULL where there"
        " is no value, and refused (`OVERFLOW`) where it does not fit.",
        "- `COUNT(DISTINCT x)` is COUNT_DISTINCT.",
        "- A reducer that never rolls up is still answered from an entry when every level that the"
        " anchor leaves out is pinned to one value by WHERE: nothing has to be combined then.",
        "- VAR and STDDEV are of a sample: NULL below two values.",
        "",
        "## Types",
        "",
        "The type of the answer from the type of the argument, or refused (`TYPE`).",
        "",
        *table(("reducer", *(name for name, _ in _ARGUMENTS)), type_rows()),
    ]
    return "\n".join(lines) + "\n"


def reducer_row(reducer: Reducer) -> tuple[str, ...]:
    """Return a reducer's row of the first table."""
    state = [column.name for column in reducer.state] + ["order key"] * reducer.ordered
    computes = (
        name for name, kind in OWN.items() if reducer.primitives <= kind.CAPABILITIES.primitives
    )
    return (
        reducer.name,
        reducer.kind,
        ", ".join(state) or f"that of {' and '.join(reducer.parts)}",
        finish_text(reducer.finish),
        reducer.exactness,
        _combines(reducer),
        "yes" if reducer.rolls_up else "no",
        "yes" if reducer.must_be_declared else "no",
        ", ".join(computes),
    )


def _combines(reducer: Reducer) -> str:
    if Combine.CHAN in reducer.combines:
        return _COMBINES[Combine.CHAN]
    return ", ".join(_COMBINES[how] for how in reducer.combines)


def finish_text(finish: Finish) -> str:
    """Return how a value is computed, as text: `m2 / (count - 1)`."""
    if not isinstance(finish, Over):
        return str(finish)
    sides = [finish_text(side) for side in finish.sides]
    if finish.function not in OPERATIONS:
        return f"{finish.function.upper()}({', '.join(sides)})"
    operands = (
        f"({text})" if isinstance(side, Over) else text
        for side, text in zip(finish.sides, sides, strict=True)
    )
    return f" {OPERATIONS[finish.function]} ".join(operands)


def type_rows() -> Iterator[tuple[str, ...]]:
    """Yield each reducer's row of the table of types."""
    for name in REDUCER_NAMES:
        reducer = REDUCERS[name]
        yield (
            name,
            *(
                "refused"
                if reducer.numbers_only and not type_.is_number
                else str(reducer.type_of(type_))
                for _, type_ in _ARGUMENTS
            ),
        )

"""The page of every reducer: its state, how it combines, what it gives, on which back-ends.

What comes in: the table of reducers. What goes out: the page. It must never state what the product
does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator

from flightframe_server.backends.registry import OWN
from flightframe_server.resolver.operators import REDUCERS, Combine, Reducer
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
    Combine.DISTINCT: "points are listed once",
}


def reducers_page() -> str:
    """Return the page of every reducer: what it keeps, and whether it rolls up."""
    rows = [reducer_row(reducer) for name, reducer in REDUCERS.items() if name != "MEMBERS"]
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
                "combines by",
                "may roll up",
                "must be declared",
                "back-ends",
            ),
            rows,
        ),
        "",
        "- AVG keeps no state of its own: it is SUM over COUNT, both exact, divided once.",
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
    return (
        reducer.name,
        reducer.kind,
        ", ".join(state),
        _COMBINES[reducer.combine],
        "yes" if reducer.rolls_up else "no",
        "no" if reducer.statistic else "yes",
        ", ".join(name for name, kind in OWN.items() if reducer.name in kind.CAPABILITIES.reducers),
    )


def type_rows() -> Iterator[tuple[str, ...]]:
    """Yield each reducer's row of the table of types."""
    for name, reducer in REDUCERS.items():
        if name == "MEMBERS":
            continue
        yield (
            name,
            *(
                "refused"
                if reducer.numbers_only and not type_.is_number
                else str(reducer.type_of(type_))
                for _, type_ in _ARGUMENTS
            ),
        )

"""Which rows a question reads: the schemas of its metrics, and whether it counts their rows.

What comes in: what is met while a text is read. What goes out: the same in one place, for the end,
when it is known what FROM the question needs. It must never choose a schema: rows that are counted
are of one schema, or the text is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flightframe_server.catalog.collection import MetricFamily, RootedMetric
from flightframe_server.errors import AmbiguousSchema, Place
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.sql.periods import Fold


@dataclass(slots=True)
class Rows:
    """The schemas whose rows a question reads, and whether it counts them.

    Attributes:
        typed: the collection.
        roots: the schemas of its metrics, in the order met.
        counted: where rows are counted first; None where they are not.
        folds: the truncations that were read as levels.
    """

    typed: TypedCollection
    roots: dict[str, None] = field(default_factory=dict)
    counted: tuple[Place, str] | None = None
    folds: list[Fold] = field(default_factory=list)

    def read(self, family: MetricFamily) -> None:
        """Note the schemas that a family is rooted in."""
        if isinstance(family.meaning, RootedMetric):
            self.roots[family.meaning.schema] = None
            return
        for name in family.meaning.inputs:
            known = self.typed.collection.folded_families.get(name.casefold())
            if known is not None:
                self.read(known)

    def count(self, place: Place, what: str) -> None:
        """Note that rows are counted."""
        if self.counted is None:
            self.counted = place, what


def ambiguous_rows(
    counted: tuple[Place, str], roots: list[str], schemas: list[str]
) -> AmbiguousSchema:
    """Return the error of rows that are counted and are of no one schema."""
    place, what = counted
    if not roots:
        return AmbiguousSchema(
            f"{what} counts rows, and the table of metrics has none of its own",
            place=place,
            hint=f"name their table: FROM {' or FROM '.join(schemas[:3])}",
        )
    return AmbiguousSchema(
        f"{what} counts rows, and the metrics beside it are of {' and '.join(roots)}",
        place=place,
        hint="ask for them in two queries, or leave the count out",
    )

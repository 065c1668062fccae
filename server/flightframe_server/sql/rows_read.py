"""Which rows a question reads: the schemas of its metrics, and whether it counts their rows.

What comes in: what is met while a text is read. What goes out: the same in one place, for the end,
when it is known what FROM the question needs. It must never choose a schema: rows that are counted
are of one schema, or the text is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flightframe_server.catalog.collection import MetricFamily, RootedMetric
from flightframe_server.errors import AmbiguousSchema, NotSupported, Place
from flightframe_server.resolver.typed import TypedCollection
from flightframe_server.sql.periods import Fold


@dataclass(slots=True)
class Rows:
    """The schemas whose rows a question reads, and whether it counts them.

    Attributes:
        typed: the collection.
        roots: the schemas of its metrics, in the order met.
        counted: where rows are counted first; None where they are not.
        members: where the least or greatest member of a level stands first; None where none does.
        some_row: whether HAVING asks that there is a row, whichever schema it is of.
        folds: the truncations that were read as levels.
    """

    typed: TypedCollection
    roots: dict[str, None] = field(default_factory=dict)
    counted: tuple[Place, str] | None = None
    members: tuple[Place, str] | None = None
    some_row: bool = False
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

    def bound(self, place: Place, what: str) -> None:
        """Note the least or greatest member of a level."""
        if self.members is None:
            self.members = place, what

    def pinned(self, schema: str | None, *, alone: bool) -> str | None:
        """Return the schema that FROM of the question names; None where its columns have their own.

        Args:
            schema: the table of facts that the text names; None for the table of metrics.
            alone: whether no column reads a metric.

        Raises:
            AmbiguousSchema: rows are counted, or their members bounded, and are of no one schema.
            NotSupported: levels alone stand in the order of several schemas' metrics.
        """
        one_table = self.counted is not None or self.members is not None or self.some_row
        if schema is not None or not (one_table or alone):
            return schema
        roots, schemas = list(self.roots), list(self.typed.collection.schemas)
        if not roots and len(schemas) == 1:
            roots = schemas
        if len(roots) == 1:
            return roots[0]
        if self.counted is not None:
            raise _ambiguous(self.counted, roots, schemas)
        if not roots or (self.some_row and not alone and self.members is None):
            return None
        if self.members is not None:
            raise _ambiguous(self.members, roots, schemas)
        raise NotSupported(
            f"levels alone beside metrics of {' and '.join(roots)} are not answered",
            hint="ask for the metrics of one table",
        )


def _ambiguous(use: tuple[Place, str], roots: list[str], schemas: list[str]) -> AmbiguousSchema:
    """Return the error of what is of one schema's rows, and the question is of none or several."""
    place, what = use
    if not roots:
        return AmbiguousSchema(
            f"{what} is of rows, and the table of metrics has none of its own",
            place=place,
            hint=f"name their table: FROM {' or FROM '.join(schemas[:3])}",
        )
    return AmbiguousSchema(
        f"{what} is of one table's rows, and the metrics beside it are of {' and '.join(roots)}",
        place=place,
        hint="ask for them in two queries, or leave it out",
    )

"""What must hold for derived metric families: formulas, inputs, and no circles.

What comes in: a collection whose names are all known, and its graph. What goes out: mistakes, noted
where they stand. It must never compute a formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flightframe_server.catalog.check_dimensions import walk_text
from flightframe_server.catalog.check_families import default_operator
from flightframe_server.catalog.collection import (
    Collection,
    DerivedMetric,
    MetricFamily,
    RootedMetric,
)
from flightframe_server.catalog.cycles import find_cycle, used_first
from flightframe_server.catalog.expressions import anchors_in, bare_names_in, names_in
from flightframe_server.catalog.findings import Cursor
from flightframe_server.catalog.levels import LevelGraph
from flightframe_server.errors import did_you_mean, shown
from flightframe_server.language.syntax import AdHocLevel


def check_derived(collection: Collection, graph: LevelGraph, cursor: Cursor) -> None:
    """Note what is wrong with the derived families of a collection."""
    families = collection.metric_families
    by_folded = {name.casefold(): family for name, family in families.items()}
    for at, family in enumerate(families.values()):
        if isinstance(family.meaning, DerivedMetric):
            here = cursor.at("metric_families", at, "derived")
            _check_inputs(family.meaning, families, graph, here)
            _check_formula(family.meaning, by_folded, graph, here.at("formula"))
    uses = {
        name: family.meaning.inputs if isinstance(family.meaning, DerivedMetric) else ()
        for name, family in families.items()
    }
    cycle = find_cycle(uses)
    if cycle is None:
        _check_common_anchors(families, used_first(uses), graph, cursor)
        return
    at = list(families).index(cycle[0])
    here = cursor.at("metric_families", at, "derived", "inputs")
    here.report(f"the derived families go in a circle: {walk_text(cycle)}")


def _check_inputs(
    derived: DerivedMetric, families: Mapping[str, MetricFamily], graph: LevelGraph, cursor: Cursor
) -> None:
    """Note names that stand in the formula alone or in `inputs` alone."""
    inputs = {name.casefold(): name for name in derived.inputs}
    used: set[str] = set()
    for name in names_in(derived.formula):
        folded = name.text.casefold()
        if folded not in inputs and folded not in used:
            hint = did_you_mean(name.text, derived.inputs) or "add it to inputs"
            if graph.find(name.parts[-1]) is not None:
                hint = "it is a level, and a formula is over metric families"
            elif all(folded != known.casefold() for known in families):
                hint = did_you_mean(name.text, families) or "there is no such metric family"
            cursor.at("formula").report(f"'{shown(name.text)}' is not among the inputs", hint)
        used.add(folded)
    for at, unused in enumerate(derived.inputs):
        if unused.casefold() not in used:
            cursor.at("inputs", at).report(f"the formula does not use the input '{shown(unused)}'")


def _check_formula(
    derived: DerivedMetric, by_folded: Mapping[str, MetricFamily], graph: LevelGraph, cursor: Cursor
) -> None:
    """Note anchors of unknown levels, and bare names that mean no reducer."""
    for anchor in anchors_in(derived.formula):
        if not anchor.levels:
            cursor.report("@ () adds no level to any anchor", "name a level after @")
        for level in anchor.levels:
            if isinstance(level, AdHocLevel):
                declared = "declare it as a derived dimension, or as an edge to a table"
                cursor.report(f"'{shown(level.text)}' is no declared level", declared)
            elif graph.find(level.parts[-1]) is None:
                nearest = did_you_mean(level.parts[-1], graph.level_names)
                cursor.report(f"there is no level '{shown(level.text)}'", nearest)
    for name in bare_names_in(derived.formula):
        family = by_folded.get(name.text.casefold())
        if (
            family is not None
            and isinstance(family.meaning, RootedMetric)
            and default_operator(family.meaning) is None
        ):
            hint = "name its reducer in the formula, or give the family a default_reducer"
            cursor.report(
                f"'{shown(name.text)}' has several reducers or none, and no default", hint
            )


def _check_common_anchors(
    families: Mapping[str, MetricFamily], order: Iterable[str], graph: LevelGraph, cursor: Cursor
) -> None:
    """Note families whose inputs stand in schemas that share no level."""
    schemas: dict[str, frozenset[str]] = {}
    for name in order:
        meaning = families[name].meaning
        if isinstance(meaning, RootedMetric):
            schemas[name] = frozenset({meaning.schema})
        else:
            schemas[name] = frozenset().union(*(schemas[used] for used in meaning.inputs))
    for at, (name, family) in enumerate(families.items()):
        reached = [graph.reachable(schema) for schema in schemas[name]]
        if len(reached) > 1 and not frozenset.intersection(*reached):
            cursor.at("metric_families", at, "derived", "inputs").report(
                f"the inputs of '{shown(family.name)}' have no level in common",
                "there is no anchor but () at which both exist",
            )

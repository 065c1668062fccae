"""Levels alone: the members of every schema that reaches them, and the first and last of those.

By definition: for each schema whose rows reach all levels that are asked of it, each row looked up
hop by hop; what passes the filter is a point, whichever schema it came from.
"""

from dataclasses import dataclass

import oracle
from ac_yaml import model_and_collection
from asked import predicates
from budget import HEAVY
from hypothesis import given, note
from hypothesis import strategies as st
from legality import closure, levels_in, own_levels
from questions import write
from rig import SOURCE, Rig, rows_of
from worlds import arrow_of, shapes, tables


@dataclass(frozen=True)
class Listing:
    """Levels, first and last members beside them, a filter, and a schema where one is named."""

    anchor: tuple[str, ...]
    items: tuple[tuple[str, str], ...]
    where: tuple | None
    source: str | None

    def __str__(self):
        columns = [*self.anchor, *(f"{name}({level})" for name, level in self.items)]
        source = f" FROM {self.source}" if self.source else ""
        where = "" if self.where is None else f" WHERE {write(self.where)}"
        return f"SELECT {', '.join(columns)}{source}{where} AT ({', '.join(self.anchor)})"


def schemas_of(model, listing, levels):
    """The schemas whose rows reach some levels beside those of the anchor and the filter."""
    wanted = {*listing.anchor, *levels, *levels_in(listing.where)}
    named = [listing.source] if listing.source else list(model.columns)
    return [name for name in named if wanted <= closure(model, own_levels(model, name))]


def members(model, data, listing, levels):
    """The points of the anchor, each with the members of further levels that its rows have."""
    frames = oracle.Frames(model, data, listing.where)
    found = {(): set()} if not listing.anchor else {}
    for schema in schemas_of(model, listing, levels):
        for row in frames.rows(schema):
            point = tuple(frames.level(schema, row, level) for level in listing.anchor)
            more = tuple(frames.level(schema, row, level) for level in levels)
            found.setdefault(point, set()).add(more)
    return found


def expected(model, data, listing):
    """The rows of the answer, in the order of the anchor's levels."""
    if not listing.items:
        points = members(model, data, listing, ())
        rows = dict.fromkeys(points, ())
    else:
        columns = [members(model, data, listing, (level,)) for _, level in listing.items]
        points = dict.fromkeys(point for column in columns for point in column)
        rows = {
            point: tuple(
                oracle.reduce_values(name, [one for (one,) in column.get(point, ())], kind)
                for (name, level), column in zip(listing.items, columns, strict=True)
                for kind in [model.levels[level]]
            )
            for point in points
        }
    ordered = sorted(rows, key=lambda point: [oracle.member_key(member) for member in point])
    return [(*point, *rows[point]) for point in ordered]


@st.composite
def listings(draw, model):
    """A listing that some schema answers."""
    schema = draw(st.sampled_from(sorted(model.columns)))
    reached = sorted(closure(model, own_levels(model, schema)))
    anchor = tuple(draw(st.lists(st.sampled_from(reached), max_size=3, unique=True)))
    item = st.tuples(st.sampled_from(["MIN", "MAX"]), st.sampled_from(reached))
    least = 0 if anchor else 1
    items = tuple(draw(st.lists(item, min_size=least, max_size=2, unique=True)))
    where = draw(st.none() | predicates(reached))
    return Listing(anchor, items, where, draw(st.sampled_from([None, None, schema])))


@st.composite
def listed_worlds(draw):
    """A world, other data for it, and pairs of a finer listing and the one that is held."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    asked = draw(st.lists(listings(model), min_size=1, max_size=3))
    finer = []
    for listing in asked:
        reached = sorted(set.intersection(*reach_of(model, listing)))
        more = draw(st.lists(st.sampled_from(reached), max_size=2)) if reached else []
        where = draw(st.sampled_from([None, listing.where]))
        anchor = tuple(dict.fromkeys((*listing.anchor, *more)))
        finer.append(Listing(anchor, listing.items, where, listing.source))
    return shape, draw(tables(shape)), draw(tables(shape)), list(zip(finer, asked, strict=True))


def reach_of(model, listing):
    """What each schema reaches that may have a part in a listing."""
    parts = [(level,) for _, level in listing.items] or [()]
    names = {name for levels in parts for name in schemas_of(model, listing, levels)}
    return [closure(model, own_levels(model, name)) for name in names]


@HEAVY
@given(listed_worlds())
def test_levels_alone_are_what_the_rows_of_every_schema_say_by_every_route(given):
    shape, data, moved, pairs = given
    SOURCE.sign = "0"
    with Rig(shape, data) as rig:
        for finer, listing in pairs:
            held(rig, listing, [rig.cold, rig.streamed])
            held(rig, finer, [rig.ask])
            held(rig, listing, [rig.ask, rig.ask])
        # Other data: no entry of the former may have a part in it.
        rig.replace(moved, "second")
        rig.tables = moved
        for _, listing in pairs:
            held(rig, listing, [rig.ask, rig.streamed, rig.ask])
    SOURCE.sign = "0"


def held(rig, listing, routes):
    """Ask by each route and compare with the definition."""
    note(str(listing))
    wanted = expected(rig.model, rig.tables, listing)
    kinds = [rig.model.levels[level] for level in listing.anchor]
    kinds += [rig.model.levels[level] for _, level in listing.items]
    for route in routes:
        found = route(listing)
        types = [str(field.type) for field in found.schema]
        assert types == [str(arrow_of(kind)) for kind in kinds], route.__name__
        assert rows_of(found) == wanted, (route.__name__, str(listing))

"""Law 8: the declared types come by every route, also where there is nothing."""

from ac_yaml import model_and_collection
from asked import EXACT, MIXED, OTHER, ROUNDED, STOCK, finer, questions
from budget import HEAVY
from hypothesis import given
from hypothesis import strategies as st
from legality import legal
from oracle import kinds
from rig import Rig
from worlds import arrow_of, shapes, tables, tables_of

from flightframe_server.answer import Request
from flightframe_server.query_types import type_request

EVERYTHING = (*EXACT, *ROUNDED, *OTHER)


@st.composite
def typed_worlds(draw):
    """A world, often empty, a question, and one that it could be rolled up from."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    data = draw(tables(shape)) if draw(st.booleans()) else {name: [] for name in tables_of(shape)}
    target = draw(questions(model, only=draw(st.sampled_from([EVERYTHING, STOCK, MIXED]))))
    return shape, data, target, draw(finer(model, target))


@HEAVY
@given(typed_worlds())
def test_law_8_every_route_gives_the_declared_types(given):
    shape, data, target, other = given
    with Rig(shape, data) as rig:
        wanted = [str(arrow_of(kind)) for kind in kinds(rig.model, target)]
        declared = type_request(Request(str(target)), rig.serving).schema
        assert [str(field.type) for field in declared] == wanted
        if legal(rig.model, other):
            rig.ask(other)
        for route in (rig.cold, rig.streamed, rig.ask, rig.ask):
            found = route(target)
            names = [field.name for field in found.schema]
            assert names == [*target.anchor, *(name for name, _ in target.items)]
            assert [str(field.type) for field in found.schema] == wanted, route.__name__
            batches = list(found.open())
            assert batches, "an empty answer is one empty batch"
            for batch in batches:
                assert [str(field.type) for field in batch.schema] == wanted, route.__name__
                assert [str(column.type) for column in batch.columns] == wanted, route.__name__
                batch.validate(full=True)

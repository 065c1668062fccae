"""What completion calls lawful after AT and in SELECT is what is answered, in any world."""

from ac_yaml import model_and_collection
from asked import questions
from budget import HEAVY
from hypothesis import given
from hypothesis import strategies as st
from questions import write
from rig import Rig
from worlds import shapes, tables

from flightframe_server.completion.complete import complete
from flightframe_server.errors import FlightframeError
from flightframe_server.language import parse
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.values import Binding


@st.composite
def drafts(draw):
    """A world, and a lawful question over it to be cut short."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    return shape, draw(tables(shape)), draw(questions(model, window=False))


def code_of(rig, text):
    try:
        resolve(parse(text), rig.engine.typed, Binding(None))
    except FlightframeError as error:
        return error.code
    return None


@HEAVY
@given(drafts())
def test_each_name_is_lawful_exactly_where_the_statement_with_it_is(given):
    shape, data, question = given
    items = ", ".join(f"{write(term)} AS {name}" for name, term in question.items)
    where = "" if question.where is None else f" WHERE {write(question.where)}"
    anchor = f"AT ({', '.join(question.anchor)})"
    with Rig(shape, data) as rig:
        before, after = f"SELECT {items}{where} AT ", ""
        for option in named(rig, before, after, "level"):
            assert option.code == code_of(rig, before + option.insert + after), option
        before, after = f"SELECT {items}, ", f"{where} {anchor}"
        for option in named(rig, before, after, "metric"):
            assert option.code == code_of(rig, before + option.insert + after), option


def named(rig, before, after, kind):
    found = complete(before + after, len(before), rig.serving)
    assert (found.start, found.end) == (len(before), len(before))
    return [option for option in found.options if option.kind == kind]

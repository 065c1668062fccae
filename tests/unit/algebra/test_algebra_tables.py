"""The tables of reducers and row functions: whole, implemented everywhere, named nowhere else."""

import ast
from pathlib import Path

import pyarrow as pa
import pytest

import flightframe_server
from flightframe_server.algebra.functions import CALLED, CHOOSING, FUNCTIONS, Nulls
from flightframe_server.algebra.primitives import PRIMITIVES, Combine, Primitive
from flightframe_server.algebra.reducers import REDUCER_NAMES, REDUCERS, Over
from flightframe_server.algebra.types import INTEGER, TEXT, decimal
from flightframe_server.arrow_types import arrow_type
from flightframe_server.backends.registry import OWN
from flightframe_server.composer import cells
from flightframe_server.composer import functions as composed
from flightframe_server.resolver.terms import Apply, Constant

PRODUCT = Path(flightframe_server.__file__).parent

LACKING = {"duckdb": frozenset(), "sqlite": frozenset(), "polars": frozenset()}
"""The row functions that a back-end is declared not to compute."""


def test_every_primitive_has_a_rule():
    assert PRIMITIVES.keys() == set(Primitive)


@pytest.mark.parametrize("name", OWN)
def test_a_back_end_computes_every_primitive_and_every_function_it_does_not_disclaim(name):
    able = OWN[name].CAPABILITIES
    assert able.primitives == set(Primitive)
    assert able.functions == FUNCTIONS.keys() - LACKING[name]


def test_the_composer_computes_every_function():
    assert composed.FUNCTIONS.keys() | CHOOSING == FUNCTIONS.keys()
    assert not composed.FUNCTIONS.keys() & CHOOSING


def test_the_composer_reduces_cells_to_every_primitive_without_order_or_argument():
    assert cells._PRIMITIVES.keys() == set(Primitive) - {
        Primitive.FIRST,
        Primitive.LAST,
        Primitive.QUANTILE,
    }


def names_of(finish):
    if isinstance(finish, Over):
        return {name for side in finish.sides for name in names_of(side)}
    return {finish} if isinstance(finish, str) else set()


def functions_of(finish):
    if not isinstance(finish, Over):
        return set()
    return {finish.function}.union(*(functions_of(side) for side in finish.sides))


@pytest.mark.parametrize("name", REDUCER_NAMES)
def test_a_row_is_whole(name):
    row = REDUCERS[name]
    assert bool(row.state) != bool(row.parts)
    assert names_of(row.finish) <= {column.name for column in row.own_states}
    assert functions_of(row.finish) <= FUNCTIONS.keys()
    for part in row.parts:
        assert REDUCERS[part].finish == "value"
        assert len(REDUCERS[part].state) == 1
        # What a part may not be asked for, the whole may not either.
        assert not REDUCERS[part].numbers_only or row.numbers_only
    if Combine.CHAN in row.combines:
        assert [column.name for column in row.state] == ["count", "mean", "m2"]
    if row.ordered:
        assert len(row.state) == 1
    assert row.distinct in ("", *REDUCER_NAMES)


@pytest.mark.parametrize(
    ("name", "kind", "combines", "type_"),
    [
        ("SUM", "distributive", (Combine.SUM,), decimal(38, 2)),
        ("COUNT", "distributive", (Combine.SUM,), INTEGER),
        ("LAST", "distributive", (Combine.LAST,), decimal(12, 2)),
        ("MEDIAN", "holistic", (Combine.NEVER,), None),
        ("COUNT_DISTINCT", "holistic", (Combine.NEVER,), INTEGER),
        ("STDDEV", "algebraic", (Combine.SUM, Combine.CHAN), None),
        ("AVG", "algebraic", (Combine.SUM,), None),
        ("RANGE", "algebraic", (Combine.MAX, Combine.MIN), decimal(38, 2)),
    ],
)
def test_what_follows_from_a_row(name, kind, combines, type_):
    row = REDUCERS[name]
    assert (row.kind, row.combines) == (kind, combines)
    assert row.rolls_up == (kind != "holistic")
    assert type_ in (None, row.type_of(decimal(12, 2)))


def test_the_words_that_the_other_layers_ask_for():
    def where(what):
        return {name for name in REDUCER_NAMES if getattr(REDUCERS[name], what)}

    assert where("must_be_declared") == {"SUM", "FIRST", "LAST"}
    assert where("ordered") == {"FIRST", "LAST"}
    assert where("picks_last") == {"LAST"}
    assert where("adds_up") == {"SUM"}
    assert where("of_rows") == {"COUNT"}
    assert where("zero_when_empty") == {"COUNT", "COUNT_DISTINCT"}
    assert where("of_levels") == {"COUNT", "COUNT_DISTINCT", "MIN", "MAX"}
    assert where("ranks") == {"MIN", "MAX"}
    assert where("parameter") == {"QUANTILE"}
    assert where("keeps_one_row") == {"SUM", "MIN", "MAX"}
    assert where("reduces_own_values") == {"SUM", "MIN", "MAX"}


SAMPLES = {TEXT: "a", INTEGER: 1}
ALLOWED = {
    "language/draft.py": {"FIRST"},
    # Functions over the rows of an answer, which have SQL's names: no reducers.
    "algebra/frame_functions.py": {
        *("SUM", "AVG", "MIN", "MAX", "COUNT", "COUNT_DISTINCT", "MEDIAN")
    },
    # It stands for every reducer that the rules treat alike.
    "discovery/verdicts.py": {"SUM"},
    # What SQL calls by the same names, and what it means by them.
    "sql/aggregate_nodes.py": {"SUM", "MIN", "MAX", "AVG", "MEDIAN", "STDDEV", "VAR"},
    "sql/aggregates.py": {"SUM", "MIN", "MAX", "COUNT", "QUANTILE"},
    "sql/idioms.py": {"COUNT"},
    "web/description/examples.py": {"SUM"},
    "algebra/reducers.py": set(REDUCERS),
    # A walk-through of the demonstration, whose numbers are SQL by hand.
    "demo/from_python.py": {"SUM"},
    # The frame of a window, and NULLS FIRST.
    "outer/compile.py": {"RANGE", "FIRST", "LAST"},
    "sql/outer_windows.py": {"RANGE"},
    # NULLS FIRST, and the end at which a snapshot is taken: no reducers.
    "language/words.py": {"FIRST", "LAST"},
    "language/build.py": {"FIRST"},
    # IN (LAST n unit).
    "language/format.py": {"LAST"},
    "catalog/shapes.py": {"FIRST", "LAST"},
    "catalog/collection.py": {"FIRST", "LAST"},
}


def texts_of(path):
    """Each text that stands in a module as a value."""
    tree = ast.parse(path.read_text())
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@pytest.mark.slow
def test_no_other_module_holds_a_reducers_name():
    held = {}
    for path in sorted(PRODUCT.rglob("*.py")):
        module = str(path.relative_to(PRODUCT))
        found = (texts_of(path) & set(REDUCERS)) - ALLOWED.get(module, set())
        if found:
            held[module] = found
    assert held == {}


def test_functions_are_called_by_their_names_in_capitals():
    assert all(function.form.startswith(f"{name}(") for name, function in CALLED.items())
    assert all(FUNCTIONS[function.name] is function for function in CALLED.values())
    for function in CALLED.values():
        assert function.least <= len(function.takes)


WANTED = {
    "length": (TEXT,),
    "lower": (TEXT,),
    "upper": (TEXT,),
    "substr": (TEXT, INTEGER, INTEGER),
    "make_date": (INTEGER, INTEGER, INTEGER),
    "abs": (INTEGER,),
    "sqrt": (INTEGER,),
    "modulo": (INTEGER, INTEGER),
    "left": (TEXT, INTEGER),
    "right": (TEXT, INTEGER),
    "trim": (TEXT,),
    "position": (TEXT, TEXT),
}


@pytest.mark.parametrize("name", WANTED)
def test_null_in_is_null_out(name):
    assert FUNCTIONS[name].nulls is Nulls.PASS
    types = WANTED[name]
    for absent in range(len(types)):
        values = [None if at == absent else SAMPLES[of] for at, of in enumerate(types)]
        sides = [pa.array([v], arrow_type(of)) for v, of in zip(values, types, strict=True)]
        terms = tuple(Constant(of, v) for v, of in zip(values, types, strict=True))
        given = FUNCTIONS[name].gives
        term = Apply(given(types[0]), name, terms)
        assert composed.FUNCTIONS[name](term, sides).to_pylist() == [None]

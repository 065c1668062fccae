"""What a family declares to stand for a sum of nothing, read as a value of the sum's type."""

from decimal import Decimal

import pytest

from flightframe_server.algebra.types import DOUBLE, INTEGER, TEXT, decimal
from flightframe_server.catalog import read_collection
from flightframe_server.errors import CatalogError
from flightframe_server.language import parse
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.terms import MetricTerm
from flightframe_server.resolver.typed import type_collection
from flightframe_server.resolver.values import fill_of

MONEY = decimal(38, 2)


@pytest.mark.parametrize(
    ("fill", "type_", "value"),
    [
        (0, INTEGER, 0),
        (Decimal("0.0"), INTEGER, 0),
        (Decimal("0.5"), INTEGER, None),
        (2**63, INTEGER, None),
        (0, MONEY, Decimal("0.00")),
        (Decimal("-1.5"), MONEY, Decimal("-1.50")),
        (Decimal("0.005"), MONEY, None),
        (10**37, MONEY, None),
        (0, DOUBLE, 0.0),
        (True, INTEGER, None),
        ("none", TEXT, None),
        (None, INTEGER, None),
    ],
)
def test_a_fill_is_a_value_of_the_sum_or_none(fill, type_, value):
    found = fill_of(fill, type_)
    assert (found, type(found)) == (value, type(value))


def typed(fill):
    text = f"""
version: 1
name: shop
schemas: [{{name: sales, grain: [sale], columns: {{sale: sale, amount: amount}}}}]
metric_families:
  - name: amount
    family_root: {{schema: sales, column: amount}}
    ip_reducers: [{{operator: SUM, a_block: []}}]
    fill: {fill}
"""
    return type_collection(
        read_collection(text), {"sales": {"sale": INTEGER, "amount": decimal(10, 2)}}
    )


def test_a_fill_that_no_sum_could_be_is_refused_where_it_stands():
    with pytest.raises(CatalogError, match=r"line 6.*the fill 0\.005 is no decimal\(38,2\)"):
        typed("0.005")


def fills(query):
    terms = resolve(parse(query), typed("0")).terms
    return [term.metric.fill for term in terms if isinstance(term, MetricTerm)]


def test_a_sum_alone_is_filled():
    assert fills("SELECT SUM(amount), MIN(amount), COUNT(amount) AT ()") == [0, None, None]

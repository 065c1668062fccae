"""What a source holds at a version, what is asked of it, and what is right, by arithmetic.

In version v every sale has the amount v and the cost 1000 + v, every line the weight v and the
height 1000 + v, and every region bears v in its name: a sum says of which version each of its rows
was, and two columns of one answer say whether they are of one version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

ROWS = 240
LINES = 70_000
"""A stream of so many rows comes in two batches."""

STREAM_ROWS = 1_000
SHOPS, KINDS = 4, 3

COLLECTION = """
version: 1
name: shop
schemas:
  - name: sales
    table: sales
    grain: [sale]
    columns: {sale: sale, shop: shop, kind: kind, amount: amount, cost: cost}
  - {name: shops, table: shops, grain: [shop], columns: {shop: shop, region: region}}
  - name: lines
    table: lines
    grain: [line]
    columns: {line: line, weight: weight, height: height}
dimension_families:
  - {name: places, levels: [shop, region], edges: [{from: shop, to: region, via: shops}]}
  - {name: kinds, levels: [kind]}
metric_families:
"""
COLLECTION += "".join(
    f"  - name: {column}\n    family_root: {{schema: {schema}, column: {column}}}\n"
    "    ip_reducers: [{operator: SUM, a_block: []}]\n"
    for schema, columns in {"sales": ("amount", "cost"), "lines": ("weight", "height")}.items()
    for column in columns
)


@dataclass(frozen=True)
class Version:
    """What a file holds: its value, and how many sales."""

    value: int
    rows: int = ROWS


Holds = Mapping[str, Version]
"""The version of each table at one moment."""

Rows = list[tuple[object, ...]]


def shop_of(sale: int) -> str:
    return f"S{sale % SHOPS}"


def kind_of(sale: int) -> str:
    return f"K{sale % KINDS}"


def region_of(shop: int, value: int) -> str:
    return f"{('east', 'west')[shop % 2]} {value}"


@dataclass(frozen=True)
class Question:
    """One query.

    Attributes:
        shape: how it is answered where nothing moves.
        text: Frame-QL.
        tables: what it reads.
        right: the rows that are right at a version of each table, in the order of the answer.
    """

    shape: str
    text: str
    tables: tuple[str, ...]
    right: Callable[[Holds], Rows]


def _by(key: Callable[[int], str], sales: Version) -> dict[str, int]:
    """Return how many sales stand at each member."""
    found: dict[str, int] = {}
    for sale in range(sales.rows):
        found[key(sale)] = found.get(key(sale), 0) + 1
    return dict(sorted(found.items()))


def _sums(at: Holds, key: Callable[[int], str]) -> Rows:
    sales = at["sales"]
    each = _by(key, sales).items()
    return [(member, sales.value * n, (1000 + sales.value) * n) for member, n in each]


def _total(at: Holds) -> Rows:
    sales = at["sales"]
    return [(sales.value * sales.rows, (1000 + sales.value) * sales.rows)]


def _cells(at: Holds) -> Rows:
    sales = at["sales"]
    each = _by(lambda sale: f"{kind_of(sale)} {shop_of(sale)}", sales).items()
    return [(*member.split(" "), sales.value * n) for member, n in each]


def _one_shop(at: Holds) -> Rows:
    sales = at["sales"]
    return [(kind, sales.value * n) for kind, n in _kinds_of_one_shop(sales).items()]


def _kinds_of_one_shop(sales: Version) -> dict[str, int]:
    kept = [kind_of(sale) for sale in range(sales.rows) if shop_of(sale) == "S1"]
    return {kind: kept.count(kind) for kind in sorted(set(kept))}


def _counts(at: Holds) -> Rows:
    value = at["sales"].value
    return [
        (shop, n, float(value), value, 1000 + value)
        for shop, n in _by(shop_of, at["sales"]).items()
    ]


def _regions(at: Holds) -> Rows:
    sales, shops = at["sales"], at["shops"]
    each = _by(lambda sale: region_of(sale % SHOPS, shops.value), sales).items()
    return [(region, sales.value * n, (1000 + sales.value) * n) for region, n in each]


def _beside(at: Holds) -> Rows:
    return [(at["sales"].value * at["sales"].rows, at["lines"].value * LINES)]


def _every_line(at: Holds) -> Rows:
    value = at["lines"].value
    return [(line, value, 1000 + value) for line in range(LINES)]


SALES = ("sales",)
QUESTIONS = (
    Question("exact", "SELECT amount, cost AT ()", SALES, _total),
    Question("exact", "SELECT shop, amount, cost AT shop", SALES, lambda at: _sums(at, shop_of)),
    Question("exact", "SELECT kind, shop, amount AT (kind, shop)", SALES, _cells),
    Question("rollup", "SELECT kind, amount, cost AT kind", SALES, lambda at: _sums(at, kind_of)),
    Question("filter", "SELECT kind, amount AT kind WHERE shop = 'S1'", SALES, _one_shop),
    Question(
        "count",
        "SELECT shop, COUNT(amount) AS n, AVG(amount) AS mean, MIN(amount) AS least, "
        "MAX(cost) AS dearest AT shop",
        SALES,
        _counts,
    ),
    Question("look-up", "SELECT region, amount, cost AT region", ("sales", "shops"), _regions),
    Question("side by side", "SELECT amount, weight AT ()", ("sales", "lines"), _beside),
)
STREAMED = Question("streamed", "SELECT line, weight, height AT line", ("lines",), _every_line)

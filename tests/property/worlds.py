"""Small worlds: a collection as plain data, its YAML, and tables to go with it.

A `Model` says what a collection declares, once: `yaml` writes it for the product, and the oracle
reads the same declarations as data. Tables are lists of dicts, with the traps in them: NULL keys,
keys without a parent, dimension rows twice, empty tables, ties, negative numbers.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import pyarrow as pa
from hypothesis import strategies as st

DATE = datetime.date
DAYS = [
    DATE(2024, 1, 30),
    DATE(2024, 1, 31),
    DATE(2024, 2, 1),
    DATE(2024, 3, 31),
    DATE(2024, 4, 1),
    DATE(2023, 12, 31),
    DATE(2025, 1, 1),
    DATE(1969, 12, 31),
]
HOURS = [datetime.time(0), datetime.time(10, 30), datetime.time(10, 59, 59), datetime.time(23)]
MOMENTS = [datetime.datetime.combine(day, hour) for day in DAYS[:5] for hour in HOURS]
MONTHS = [DATE(2024, 1, 1), DATE(2024, 2, 1), DATE(2024, 4, 1), DATE(2023, 12, 1)]
STORES = ["S1", "S2", "S3", "S4", "S9", None]
REGIONS = ["East", "West", "o'x"]
ZONES = ["Z1", "Z2", None]
PRODUCTS = [1, 2, 3, 9, None]
CUSTOMERS = ["U1", "u1", "É_%", "", None]
RATES = [Decimal("0.00"), Decimal("0.10"), Decimal("0.25"), None]
MONEY = [None, *map(Decimal, ("10.10", "-3.05", "0.00", "0.10", "20.20", "7.00", "99999999.99"))]
COSTS = [None, *map(Decimal, ("7.125", "-0.001", "0.000", "15.000", "20.500"))]
COUNTS = [None, 0, 1, 3, 3, -5, 7, 2**31]
# Sums of multiples of 1/4 are exact in any order, so that doubles can be ordered by.
WEIGHTS = [None, 0.25, -1.5, 2.0, 0.0, 1000.0, 2.0, -1.5, float("nan")]
NOTES = [None, "a", "b", "B", "é", "", "zz"]

ARROW = {
    "text": pa.string(),
    "int": pa.int64(),
    "double": pa.float64(),
    "date": pa.date32(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us"),
}


def arrow_of(kind):
    """The Arrow type of `text`, `int`, ... or `(precision, scale)` of a decimal."""
    return pa.decimal128(*kind) if isinstance(kind, tuple) else ARROW[kind]


@dataclass(frozen=True)
class Shape:
    """What differs from collection to collection."""

    zone: str = "none"
    own_region: bool = False
    moment: bool = False
    blocks: tuple[str, ...] = ("calendar",)
    snapshot_per: tuple[str, ...] = ("store",)
    late: str = "promo"
    summary: bool = False


@dataclass(frozen=True)
class Edge:
    """`source` determines `target`, by a `table`'s rows, a `function`, or listed `values`."""

    source: str
    target: str
    table: str | None = None
    function: str | None = None
    values: tuple[tuple[str, str], ...] = ()
    default: str | None = None
    null: str | None = None


@dataclass(frozen=True)
class Reducer:
    """One declared reducer."""

    operator: str
    a_block: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    default: bool = False
    snapshot: tuple[str, str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Family:
    """A root family, or a derived one where `formula` is given as an expression of questions."""

    name: str
    schema: str = ""
    column: str | None = None
    reducers: tuple[Reducer, ...] = ()
    default: str | None = None
    filter: object = None
    fill: int | None = None
    formula: object = None
    siblings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """A collection as data: columns with kinds, grains, dimension families, edges, families."""

    shape: Shape
    columns: dict
    grains: dict
    dimensions: dict
    edges: tuple[Edge, ...]
    families: dict

    def family_of(self, level):
        """The dimension family that lists a level; its own name where none does."""
        for name, levels in self.dimensions.items():
            if level in levels:
                return name
        return level

    @cached_property
    def levels(self):
        """Every level's kind."""
        listed = {level for levels in self.dimensions.values() for level in levels}
        listed |= {level for grain in self.grains.values() for level in grain}
        kinds = {}
        for columns in self.columns.values():
            kinds.update({name: kind for name, kind in columns.items() if name in listed})
        for edge in self.edges:
            if edge.function:
                kinds[edge.target] = "timestamp" if edge.function == "HOUR_OF" else "date"
            elif edge.values:
                kinds[edge.target] = "text"
        return kinds


def calendar(shape):
    """The calendar's levels and edges."""
    levels = ["day", "week", "month", "quarter", "year"]
    edges = [
        Edge("day", "week", function="WEEK_OF"),
        Edge("day", "month", function="MONTH_OF"),
        Edge("month", "quarter", function="QUARTER_OF"),
        Edge("quarter", "year", function="YEAR_OF"),
    ]
    if shape.moment:
        levels = ["moment", "hour", *levels]
        edges = [
            Edge("moment", "hour", function="HOUR_OF"),
            Edge("hour", "day", function="DAY_OF"),
            *edges,
        ]
    return levels, edges


def location(shape):
    """The levels and edges of places."""
    levels, edges = ["store", "region", "coast"], [Edge("store", "region", table="stores")]
    if shape.zone != "none":
        levels.append("zone")
        edges.append(Edge("region", "zone", table="regions" if shape.zone == "chain" else "stores"))
    if shape.zone == "diamond":
        edges.append(Edge("store", "zone", table="stores"))
    coast = Edge(
        "region", "coast", values=(("East", "Atlantic"), ("West", "Pacific")), default="Inland"
    )
    return levels, [*edges, coast]


def tables_of(shape):
    """Each table's columns with their kinds."""
    columns = {
        "stores": {"store": "text", "region": "text"},
        "products": {"product": "int", "category": "text"},
        "tx": {
            "txn": "int",
            "store": "text",
            "product": "int",
            "moment" if shape.moment else "day": "timestamp" if shape.moment else "date",
            "promo": "bool",
            "rate": (3, 2),
            "cust": "text",
            "revenue": (10, 2),
            "cost": (12, 3),
            "qty": "int",
            "weight": "double",
            "note": "text",
        },
        "inv": {"store": "text", "month": "date", "on_hand": "int"},
    }
    if shape.zone in ("flat", "diamond"):
        columns["stores"]["zone"] = "text"
    if shape.zone == "chain":
        columns["regions"] = {"region": "text", "zone": "text"}
    if shape.own_region:
        columns["tx"]["region"] = "text"
    if shape.summary:
        columns["daily"] = {"store": "text", "day": "date", "revenue": (38, 2)}
    return columns


def model_of(shape, families):
    """The model of a shape; `families` makes the metric families."""
    calendar_levels, calendar_edges = calendar(shape)
    places, place_edges = location(shape)
    columns = tables_of(shape)
    grains = {"stores": ["store"], "products": ["product"], "tx": ["txn"]}
    grains["inv"] = ["store", "month"]
    if shape.zone == "chain":
        grains["regions"] = ["region"]
    if shape.summary:
        grains["daily"] = ["store", "day"]
    dimensions = {
        "calendar": calendar_levels,
        "location": places,
        "goods": ["product", "category"],
        "flags": ["promo", "rate"],
        "people": ["cust"],
    }
    goods = Edge("product", "category", table="products")
    edges = (*calendar_edges, *place_edges, goods)
    return Model(shape, columns, grains, dimensions, edges, families(shape))


# Reading a collection takes as long as asking it ten times, so the shapes are few and unlike.
SHAPES = (
    Shape(),
    Shape("chain", blocks=(), snapshot_per=(), late="region"),
    Shape("flat", moment=True, blocks=("location",), late="product"),
    Shape("diamond", blocks=("calendar", "location")),
    Shape("chain", own_region=True, moment=True, snapshot_per=()),
    Shape("flat", own_region=True, blocks=("location",), late="region"),
    Shape("diamond", moment=True, late="product"),
    Shape("chain", summary=True),
    Shape(own_region=True, moment=True, summary=True, blocks=(), late="region"),
)
shapes = st.sampled_from(SHAPES)


@st.composite
def tables(draw, shape):
    """Rows for each table of a shape, that keep every promise the collection makes."""
    zone_of = dict(zip(REGIONS, draw(st.tuples(*[st.sampled_from(ZONES)] * 3)), strict=True))
    parents = draw(st.tuples(*[st.sampled_from([*REGIONS, None, "absent"])] * 4))
    stores = [
        {"store": store, "region": region}
        for store, region in zip(STORES, parents, strict=False)
        if region != "absent"
    ]
    if draw(st.booleans()):
        # A place without a key, and every row twice: neither may lose or double a fact.
        stores += [*stores, {"store": None, "region": "East"}]
    if "zone" in tables_of(shape)["stores"]:
        unplaced = None if shape.zone == "diamond" else "Z9"
        for row in stores:
            row["zone"] = zone_of.get(row["region"], unplaced)
    kinds = draw(st.tuples(*[st.sampled_from(["A", "B", None, "absent"])] * 3))
    products = [
        {"product": product, "category": kind}
        for product, kind in zip(PRODUCTS, kinds, strict=False)
        if kind != "absent"
    ]
    found = {"stores": stores, "products": products, "tx": draw(transactions(shape))}
    found["inv"] = draw(stock) if draw(st.integers(0, 9)) else []
    if shape.zone == "chain":
        missing = draw(st.sampled_from([None, *REGIONS]))
        found["regions"] = [
            {"region": region, "zone": zone}
            for region, zone in zone_of.items()
            if region != missing
        ]
    if shape.summary:
        found["daily"] = summary_of(found["tx"])
    return found


def summary_of(rows):
    """What the facts add up to for each store and day: the table of a sibling."""
    shares = {}
    for row in rows:
        day = row["moment"] and row["moment"].date() if "moment" in row else row["day"]
        shares.setdefault((row["store"], day), []).append(row["revenue"])
    found = []
    for (store, day), values in shares.items():
        known = [value for value in values if value is not None]
        found.append({"store": store, "day": day, "revenue": sum(known) if known else None})
    return found


def transactions(shape):
    """Rows of the fact table."""
    moments = MOMENTS if shape.moment else DAYS
    columns = {
        "store": STORES,
        "product": PRODUCTS,
        "moment" if shape.moment else "day": [*moments, None],
        "promo": [True, False, None],
        "rate": RATES,
        "cust": CUSTOMERS,
        "revenue": MONEY,
        "cost": COSTS,
        "qty": COUNTS,
        "weight": WEIGHTS,
        "note": NOTES,
    }
    if shape.own_region:
        columns["region"] = [*REGIONS, None]
    row = st.tuples(*(st.sampled_from(values) for values in columns.values()))
    names = list(columns)
    sizes = st.sampled_from([0, 3, 5, 9])
    return sizes.flatmap(lambda size: st.lists(row, min_size=size, max_size=9)).map(
        lambda rows: [
            {"txn": number, **dict(zip(names, values, strict=True))}
            for number, values in enumerate(rows, 1)
        ]
    )


stock = st.dictionaries(
    st.tuples(st.sampled_from(STORES), st.sampled_from([*MONTHS, None])),
    st.sampled_from(COUNTS),
    min_size=2,
    max_size=7,
).map(
    lambda found: [
        {"store": store, "month": month, "on_hand": amount}
        for (store, month), amount in found.items()
    ]
)


def arrow_table(columns, rows):
    """Rows as an Arrow table of the declared kinds."""
    schema = pa.schema([(name, arrow_of(kind)) for name, kind in columns.items()])
    return pa.Table.from_pylist(rows, schema=schema)

"""Which columns of a collection nothing else in it uses."""

from flightframe_server.catalog import LevelGraph, read_collection
from flightframe_server.catalog.unused_columns import unused_columns

COLLECTION = """
version: 1
name: shop
schemas:
  - name: stores
    grain: [store]
    columns: {store: id, region: region, place: place, zip: zip}
  - name: towns
    grain: [town]
    columns: {town: town, mayor: mayor, Cheap: cheap, Size: size}
  - name: sales
    grain: [sale]
    columns:
      sale: id
      store: store
      town: town
      amount: amount
      spare: spare
      cost: cost
      kind: kind
      doubled: {expr: "COST * 2", type: integer}
      inhabitants: {lookup: Size, via: {schema: towns, on: [town]}}
  - {name: daily, grain: [store], columns: {store: store, total: total, zip: zip}}
dimension_families:
  - name: location
    levels: [store, region, area]
    edges:
      - {from: store, to: region, via: stores}
      - {from: store, to: area, via: {schema: stores, from: store, to: place}}
metric_families:
  - name: amount
    family_root: {schema: sales, column: amount}
    filter: "KIND = 'x'"
    ip_reducers: [{operator: SUM}]
    siblings: [{schema: daily, column: total, operator: SUM}]
  - {name: visits, family_root: {schema: sales}}
  - {name: twice, derived: {formula: "amount * 2", inputs: [amount]}}
"""


def test_columns_that_no_level_no_metric_and_no_column_reads() -> None:
    """One use is enough, in any case; a name that another schema uses is none."""
    collection = read_collection(COLLECTION)
    assert list(unused_columns(collection, LevelGraph(collection))) == [
        ("stores", "zip"),
        ("towns", "mayor"),
        ("towns", "Cheap"),
        ("sales", "spare"),
        ("sales", "doubled"),
        ("sales", "inhabitants"),
        ("daily", "zip"),
    ]

"""Broken collections: each case spoils a sound document in one way, by hand.

Lines are counted in `SOUND` as it stands below, where line 1 is `version: 1`.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from flightframe_server.catalog import read_collection
from flightframe_server.errors import CatalogError

SOUND = """\
version: 1
name: shop
schemas:
  - name: stores
    grain: [store]
    columns: {store: store_id, region: region}
  - name: sales
    grain: [sale]
    columns:
      sale: id
      store: store_id
      day: day
      amount: amount
      price: {expr: "amount / 2", type: double}
      tax: {lookup: rate, via: {schema: rates, on: [store]}}
  - {name: rates, grain: [store], columns: {store: store_id, rate: rate}}
  - {name: stock, grain: [store, day], columns: {store: s, day: d, units: n}}
  - {name: nation, grain: [nation_key], columns: {nation_key: k, nation_name: n}}
  - {name: other, grain: [thing], columns: {thing: t, thing_value: v}}
dimension_families:
  - name: place
    levels: [store, region, home_key, home]
    edges:
      - {from: store, to: region, via: stores}
      - {from: home_key, to: home, via: {schema: nation, from: nation_key, to: nation_name}}
  - name: calendar
    levels: [day, week, month, year]
    edges:
      - {from: day, to: week, derived_by: WEEK_OF}
      - {from: day, to: month, derived_by: MONTH_OF}
      - {from: month, to: year, derived_by: YEAR_OF}
derived_dimensions:
  - {name: coast, source: region, mapping: {East: Atlantic}, default: Inland}
metric_families:
  - name: amount
    family_root: {schema: sales, column: amount}
    ip_reducers:
      - {operator: SUM, a_block: [], default: true}
    cache_hint:
      materialize_at: [[region], [region, month]]
  - name: units
    family_root: {schema: stock, column: units}
    ip_reducers:
      - {operator: SUM, a_block: [calendar]}
      - {operator: LAST, order_by: [day]}
    default_reducer: SUM
  - name: orders
    family_root: {schema: sales}
    filter: "amount > 0"
  - name: things
    family_root: {schema: other, column: thing_value}
    ip_reducers: [{operator: SUM}]
  - {name: share, derived: {formula: "amount / units", inputs: [amount, units]}}
"""


class Case(NamedTuple):
    """One way to spoil the document: what is replaced, and what the error must say."""

    old: str
    new: str
    line: int
    path: str
    message: str
    hint: str = ""
    also: tuple[tuple[str, str], ...] = ()


def role(roles: str, path: str, message: str, hint: str = "", at: int = 0) -> Case:
    """Return a case of roles declared on a line of their own; `at` is the one that is wrong."""
    where = f"roles[{at}].{path}" if path else f"roles[{at}]"
    new = f"roles: [{roles}]\nmetric_families:"
    return Case("metric_families:", new, 34, where, message, hint)


CASES = {
    # the document and its shapes
    "no version": Case("version: 1\n", "", 1, "", "'version' is missing", "version: 1"),
    "later version": Case("version: 1", "version: 2", 1, "version", "version 2 is not known"),
    "version as truth": Case("version: 1", "version: true", 1, "version", "version true"),
    "version as text": Case("version: 1", "version: '1'", 1, "version", "version 1 is not known"),
    "not yaml": Case("grain: [sale]", "grain: [sale", 9, "", "not YAML"),
    "tab": Case("  - name: units", "\t- name: units", 41, "", "not YAML"),
    "key twice": Case("      day: day\n", "      sale: x\n", 12, "schemas[1].columns", "twice"),
    "unknown key": Case("via: stores", "vai: stores", 24, "edges[0].vai", "unknown key", "via"),
    "unknown top key": Case(
        "metric_families:", "metrics:", 34, "metrics", "unknown key 'metrics'", "metric_families"
    ),
    "unknown key in a union": Case(
        "type: double}", "tpe: double}", 14, "columns.price.tpe", "unknown key", "type"
    ),
    "unknown key in via": Case("on: [store]", "at: [store]", 15, "tax.via.at", "'at'", "on"),
    "unknown before missing": Case(
        "    grain: [sale]\n    columns:\n",
        "    columms:\n",
        8,
        "schemas[1].columms",
        "unknown key 'columms'",
        "did you mean columns? (1 more mistake",
    ),
    "missing key": Case(
        "{schema: sales, column", "{column", 36, "metric_families[0].family_root", "'schema'"
    ),
    "missing source": Case("source: region, ", "", 33, "derived_dimensions[0]", "'source'"),
    "missing name": Case("name: shop\n", "", 1, "", "the key 'name' is missing"),
    "number as name": Case(
        "name: shop", "name: 2024", 2, "name", "expected text, found a number", "quotes"
    ),
    "date as name": Case("name: shop", "name: 2024-01-01", 2, "name", "found a date", "quotes"),
    "truth as column": Case("day: day\n", "day: true\n", 12, "columns.day", "true or false"),
    "truth as key": Case("      day: day", "      true: day", 12, "[true]", "text as a key"),
    "null as key": Case("      day: day", "      null: day", 12, "[null]", "found nothing"),
    "list for a mapping": Case(
        "{schema: sales, column: amount}", "[a]", 36, "family_root", "expected a mapping"
    ),
    "text for a list": Case("grain: [sale]", "grain: sale", 8, "grain", "a list", "[a, b]"),
    "yes for true": Case("default: true", "default: yes", 38, "default", "true or false"),
    "nothing for text": Case("name: shop", "name:", 2, "name", "found nothing", "leave the key"),
    "empty name": Case("name: shop", 'name: ""', 2, "name", "must not be empty"),
    "blank name": Case("name: units", 'name: "units "', 41, "name", "blank"),
    "control in name": Case("name: units", 'name: "un\\nits"', 41, "name", "control"),
    "no schemas": Case("name: place", "name: ' '", 21, "dimension_families[0].name", "empty"),
    "empty grain": Case("grain: [sale]", "grain: []", 8, "grain", "must not be empty"),
    "pick": Case(
        "a_block: [calendar]}",
        "snapshot: {level: day, pick: SECOND}}",
        44,
        "snapshot.pick",
        "'FIRST' or 'LAST'",
    ),
    "first in the file": Case(
        "name: shop\n",
        "name: shop\nx: 1\n\ny: 1\n",
        3,
        "x",
        "unknown key 'x'",
        "1 more mistake in the file",
    ),
    # names
    "family twice": Case(
        "name: orders", "name: units", 47, "metric_families[2].name", "declared twice"
    ),
    "family but for case": Case("name: orders", "name: Units", 47, "[2].name", "only in case"),
    "family named like a level": Case(
        "name: orders", "name: month", 47, "metric_families[2].name", "name of a level"
    ),
    "family named like a grain": Case("name: orders", "name: sale", 47, "[2]", "of a level"),
    "family named like a derived level": Case(
        "name: orders", "name: Coast", 47, "[2]", "only in case"
    ),
    "schema twice": Case("name: other", "name: sales", 19, "schemas[5].name", "declared twice"),
    "schema but for case": Case("name: stock", "name: Sales", 17, "schemas[3]", "only in case"),
    "column but for case": Case("      day: day", "      Sale: x", 12, "Sale", "only in case"),
    "dimension family twice": Case(
        "name: calendar", "name: place", 26, "dimension_families[1].name", "declared twice"
    ),
    "level in two families": Case(
        "[day, week, month, year]", "[day, week, month, region, year]", 27, "levels[3]", "twice"
    ),
    "level twice in a family": Case("home_key, home]", "home_key, store, home]", 22, "", "twice"),
    "level named like another family": Case(
        "name: calendar", "name: thing", 19, "schemas[5].grain[0]", "no dimension family"
    ),
    "description of no level": Case(
        "    levels: [store, region, home_key, home]\n",
        "    levels: [store, region, home_key, home]\n    level_descriptions: {stor: A shop}\n",
        23,
        "dimension_families[0].level_descriptions.stor",
        "there is no level of place 'stor'",
        "store",
    ),
    # schemas
    "grain without column": Case(
        "grain: [sale]", "grain: [sall]", 8, "schemas[1].grain[0]", "'sall'", "sale"
    ),
    "grain twice": Case("grain: [store, day]", "grain: [day, day]", 17, "grain[1]", "twice"),
    "computed syntax": Case('"amount / 2"', '"amount / / 2"', 14, "price.expr", "", "column 10"),
    "computed of unknown": Case('"amount / 2"', '"amont / 2"', 14, "price.expr", "amont", "amount"),
    "computed reducer": Case('"amount / 2"', '"SUM(amount)"', 14, "expr", "the reducer SUM"),
    "computed parameter": Case('"amount / 2"', '"amount / ?"', 14, "expr", "a parameter"),
    "computed of itself": Case(
        '"amount / 2"', '"price + 1"', 14, "columns.price", "sales.price -> sales.price"
    ),
    "type unknown": Case("type: double", "type: dubble", 14, "price.type", "dubble", "double"),
    "type without scale": Case("type: double", "type: decimal", 14, "type", "", "decimal(18,2)"),
    "type too wide": Case(
        "type: double", 'type: "decimal(39,2)"', 14, "price.type", "no type", "1 to 38"
    ),
    "scale past precision": Case("type: double", 'type: "decimal(3,4)"', 14, "type", "no type"),
    "lookup in unknown schema": Case("schema: rates", "schema: rate", 15, "via.schema", "'rate'"),
    "lookup of unknown column": Case(
        "lookup: rate,", "lookup: rato,", 15, "tax.lookup", "'rato'", "rate"
    ),
    "lookup on unknown key": Case("on: [store]", "on: [region]", 15, "via.on[0]", "'region'"),
    "lookup at home": Case(
        "{lookup: rate, via: {schema: rates,",
        "{lookup: day, via: {schema: sales,",
        15,
        "tax.via.schema",
        "another schema",
    ),
    "lookup along a key spelled otherwise": Case(
        "{name: rates, grain: [store], columns: {store:",
        "{name: rates, grain: [store], columns: {Store:",
        15,
        "tax.via.on[0]",
        "the key is 'store' here and 'Store' there",
        "spell both columns alike",
    ),
    "computed from another schema": Case(
        '"amount / 2"',
        '"rates.amount / 2"',
        14,
        "price.expr",
        "no column of schema sales 'rates.amount'",
    ),
    "computed at another anchor": Case(
        '"amount / 2"', '"amount @ day"', 14, "price.expr", "cannot hold an anchor after @"
    ),
    "computed from a star": Case('"amount / 2"', '"ABS(*)"', 14, "price.expr", "a *"),
    "lookups in a circle": Case(
        "rate: rate}",
        "rate: {lookup: tax, via: {schema: sales, on: [store]}}}",
        15,
        "schemas[1].columns.tax",
        "sales.tax -> rates.rate -> sales.tax",
    ),
    # edges
    "edge to unknown level": Case(
        "to: region,", "to: regoin,", 24, "edges[0].to", "no level 'regoin'", "region"
    ),
    "edge from another family": Case(
        "{from: day, to: week", "{from: store, to: week", 29, "edges[0].from", "not listed"
    ),
    "edge to itself": Case("from: store, to: region", "from: store, to: store", 24, "", "itself"),
    "edge twice": Case(
        "from: home_key, to: home, via: {schema: nation, from: nation_key, to: nation_name}",
        "from: store, to: region, via: stores",
        25,
        "dimension_families[0].edges[1]",
        "two edges store -> region, the first on line 24",
    ),
    "edges in a circle": Case(
        "via: stores}\n",
        "via: stores}\n      - {from: region, to: store, via: stores}\n",
        24,
        "dimension_families[0].edges[0]",
        "store -> region -> store",
    ),
    "edges in a circle by derived levels": Case(
        "  - {name: coast, source: region, mapping: {East: Atlantic}, default: Inland}",
        "  - {name: a, source: b, mapping: {x: y}}\n  - {name: b, source: a, mapping: {x: y}}",
        33,
        "derived_dimensions[0]",
        "b -> a -> b",
    ),
    "via and derived_by": Case(
        "via: stores}", "via: stores, derived_by: DAY_OF}", 24, "edges[0]", "both via and"
    ),
    "neither via nor derived_by": Case(", via: stores}", "}", 24, "edges[0]", "neither via nor"),
    "via unknown schema": Case(
        "via: stores}", "via: store}", 24, "edges[0].via", "no schema 'store'", "stores"
    ),
    "long via unknown schema": Case(
        "{schema: nation, from:", "{schema: nations, from:", 25, "via.schema", "'nations'", "nation"
    ),
    "via without column": Case("via: stores}", "via: sales}", 24, "via", "level 'region'", "name"),
    "via unknown column": Case("to: nation_name", "to: nation_nam", 25, "via.to", "nation_nam"),
    "function unknown": Case(
        "derived_by: WEEK_OF", "derived_by: WEKK_OF", 29, "edges[0].derived_by", "", "WEEK_OF"
    ),
    "month of a week": Case(
        "{from: day, to: month,",
        "{from: week, to: month,",
        30,
        "edges[1].derived_by",
        "MONTH_OF cannot be derived from 'week'",
        "nothing is derived from WEEK_OF",
    ),
    "day of a month": Case("derived_by: YEAR_OF", "derived_by: DAY_OF", 31, "", "DAY_OF cannot"),
    "month of a month": Case("derived_by: YEAR_OF", "derived_by: MONTH_OF", 31, "", "cannot be"),
    "one level of two periods": Case(
        "{from: month, to: year, derived_by: YEAR_OF}",
        "{from: day, to: year, derived_by: YEAR_OF}\n"
        "      - {from: month, to: year, derived_by: QUARTER_OF}",
        32,
        "edges[3].derived_by",
        "derived by QUARTER_OF here and by YEAR_OF on line 31",
    ),
    "role: key of another thing": Case(
        "{from: home_key, to: home,",
        "{from: store, to: home,",
        25,
        "edges[1].via.from",
        "'nation_key' of 'nation' does not hold the level 'store'",
        "'store' is the key of 'stores'",
    ),
    "role: not the whole grain": Case(
        "{schema: nation, from: nation_key, to: nation_name}",
        "{schema: stock, from: store, to: units}",
        25,
        "via.from",
        "does not hold the level 'home_key'",
        "the whole grain",
    ),
    "role of two keys": Case(
        "to: nation_name}}",
        "to: nation_name}}\n      - {from: home_key, to: region,"
        " via: {schema: other, from: thing, to: thing_value}}",
        26,
        "edges[2].via.from",
        "does not hold the level 'home_key'",
        "the key 'nation_key'",
    ),
    # derived dimensions
    "derived of unknown": Case("source: region", "source: regio", 33, "source", "regio", "region"),
    "derived of itself": Case("source: region", "source: coast", 33, "", "to itself"),
    "derived, listed elsewhere": Case(
        "week, month, year]", "week, month, year, coast]", 33, "name", "listed in the family"
    ),
    "derived of mixed values": Case("{East: Atlantic}", "{East: A, 1: B}", 33, "mapping", "texts"),
    "derived to mixed targets": Case("default: Inland", "default: 5", 33, "mapping", "targets"),
    "derived to a list": Case("{East: Atlantic}", "{East: [A]}", 33, "mapping.East", "single"),
    "derived of nothing": Case(
        "mapping: {East: Atlantic}, default: Inland", "mapping: {}", 33, "mapping", "maps nothing"
    ),
    # metric families
    "root in unknown schema": Case(
        "{schema: sales, column: amount}",
        "{schema: sale, column: amount}",
        36,
        "family_root.schema",
        "'sale'",
        "sales",
    ),
    "root in unknown column": Case(
        "column: units}", "column: unit}", 42, "family_root.column", "'unit'", "units"
    ),
    "neither root nor derived": Case(
        "    family_root: {schema: sales}\n", "", 47, "metric_families[2]", "neither"
    ),
    "both root and derived": Case(
        "{name: share, derived",
        "{name: share, family_root: {schema: sales}, derived",
        53,
        "derived",
        "both family_root and derived",
    ),
    "derived with reducers": Case(
        "{name: share, ", "{name: share, ip_reducers: [], ", 53, "ip_reducers", "derived family"
    ),
    "operator unknown": Case(
        "{operator: LAST,", "{operator: LATS,", 45, "ip_reducers[1].operator", "'LATS'", "LAST"
    ),
    "operator twice": Case(
        "{operator: LAST, order_by: [day]}",
        "{operator: sum}",
        45,
        "[1].operator",
        "SUM is declared",
    ),
    "last without order": Case(
        "{operator: LAST, order_by: [day]}", "{operator: LAST}", 45, "[1]", "LAST needs order_by"
    ),
    "order on a sum": Case(
        "{operator: SUM, a_block: [calendar]}",
        "{operator: SUM, order_by: [day]}",
        44,
        "order_by",
        "SUM takes no order_by",
    ),
    "order by unreachable": Case(
        "order_by: [day]", "order_by: [sale]", 45, "order_by[0]", "'sale' is not reachable"
    ),
    "two defaults": Case(
        "{operator: SUM, a_block: [], default: true}",
        "{operator: SUM, default: true}\n      - {operator: MAX, default: true}",
        39,
        "ip_reducers[1].default",
        "SUM and MAX are both the default",
    ),
    "defaults that differ": Case(
        "{operator: LAST, order_by: [day]}",
        "{operator: MAX, default: true}",
        46,
        "default_reducer",
        "SUM here and MAX in ip_reducers",
    ),
    "default not declared": Case(
        "    default_reducer: SUM", "    default_reducer: FIRST", 46, "", "FIRST is not declared"
    ),
    "default quantile": Case(
        "    default_reducer: SUM", "    default_reducer: QUANTILE", 41, "", "which quantile"
    ),
    "sum of rows": Case(
        "{schema: other, column: thing_value}", "{schema: other}", 52, "operator", "SUM needs a col"
    ),
    "block unknown": Case(
        "[calendar]", "[calender]", 44, "a_block[0]", "no dimension family 'calender'", "calendar"
    ),
    "block of a level": Case("[calendar]", "[month]", 44, "a_block[0]", "is a level", "'calendar'"),
    "block without a level": Case(
        "ip_reducers: [{operator: SUM}]",
        "ip_reducers: [{operator: SUM, a_block: [calendar]}]",
        52,
        "a_block[0]",
        "has no level of 'calendar'",
    ),
    "filter syntax": Case('"amount > 0"', '"amount >"', 49, "filter", "", "column"),
    "filter of unknown": Case('"amount > 0"', '"amonut > 0"', 49, "filter", "amonut", "amount"),
    "filter unreachable": Case('"amount > 0"', "\"home = 'X'\"", 49, "filter", "not reachable"),
    "filter of another family": Case(
        '"amount > 0"', "\"place.month = DATE '2024-01-01'\"", 49, "filter", "'place.month'"
    ),
    "filter with a reducer": Case('"amount > 0"', '"SUM(amount) > 0"', 49, "filter", "reducer SUM"),
    "sibling at home": Case(
        "    filter:",
        "    siblings: [{schema: sales, column: sale, operator: MAX}]\n    filter:",
        49,
        "siblings[0].schema",
        "another table",
    ),
    "sibling not declared": Case(
        "    filter:",
        "    siblings: [{schema: stock, column: units, operator: SUM}]\n    filter:",
        49,
        "siblings[0].operator",
        "SUM is not declared",
    ),
    "sibling of a reducer made of others": Case(
        "    filter:",
        "    siblings: [{schema: stock, column: units, operator: RANGE}]\n    filter:",
        49,
        "siblings[0].operator",
        "RANGE is made of MAX and MIN, and no column holds it",
    ),
    "sibling of counts": Case(
        "    filter:",
        "    siblings: [{schema: stock, column: units, operator: COUNT}]\n    filter:",
        49,
        "siblings[0].operator",
        "COUNT of a column of COUNT values is not the COUNT of the rows",
        "under SUM",
    ),
    "sibling of medians": Case(
        "    filter:",
        "    siblings: [{schema: stock, column: units, operator: MEDIAN}]\n    filter:",
        49,
        "siblings[0].operator",
        "MEDIAN of a column of MEDIAN values is not the MEDIAN of the rows",
    ),
    "sibling of finer grain": Case(
        "    default_reducer: SUM",
        "    siblings: [{schema: sales, column: amount, operator: SUM}]",
        46,
        "siblings[0].schema",
        "holds 'sale', which is not reachable from 'stock'",
    ),
    "fill of several": Case(
        "    filter:", "    fill: [0]\n    filter:", 49, "fill", "single value"
    ),
    # tables without a key
    "grain of another word": Case("grain: [sale]", "grain: row", 8, "grain", "a list", "[a, b]"),
    "attest of another word": Case(
        "grain: [sale]", "grain: [sale]\n    attest: never", 9, "attest", "'always' or 'trusted'"
    ),
    "last of rows": Case(
        "grain: [store, day], columns", "grain: rows, columns", 45, "[1]", "LAST needs a unique key"
    ),
    "fetched from rows": Case(
        "name: rates, grain: [store]", "name: rates, grain: rows", 15, "via.schema", "unique key"
    ),
    "sibling of rows": Case(
        "    cache_hint:\n",
        "    siblings: [{schema: rates, column: rate, operator: SUM}]\n    cache_hint:\n",
        39,
        "siblings[0].schema",
        "a sibling needs a unique key, and 'rates' has none",
        also=(
            ("      tax: {lookup: rate, via: {schema: rates, on: [store]}}\n", "      tax: tax\n"),
            ("name: rates, grain: [store]", "name: rates, grain: rows"),
        ),
    ),
    # roles
    "role of nothing": role("{name: far, level: regoin, from: store}", "level", "regoin", "region"),
    "role from nothing": role("{name: far, level: region, from: stor}", "from", "stor", "store"),
    "role without a way": role(
        "{name: far, level: home, from: store}", "", "no edge leads from 'store' to 'home'"
    ),
    "role of itself": role("{name: far, level: store, from: store}", "", "no edge leads"),
    "role of a role": role(
        "{name: far, level: region, from: store}, {name: farther, level: far, from: store}",
        "level",
        "'far' is a role itself",
        "it plays region",
        at=1,
    ),
    "role with a level's name": role(
        "{name: region, level: region, from: store}", "name", "has the name of a level"
    ),
    "role in another case": role(
        "{name: Region, level: region, from: store}", "name", "differ only in case"
    ),
    "role twice": role(
        "{name: far, level: region, from: store}, {name: far, level: coast, from: store}",
        "name",
        "the role 'far' is declared twice",
        at=1,
    ),
    "role with a metric's name": Case(
        "metric_families:",
        "roles: [{name: amount, level: region, from: store}]\nmetric_families:",
        36,
        "metric_families[0].name",
        "has the name of a role",
    ),
    "fill of text": Case(
        "    filter:", "    fill: none\n    filter:", 49, "fill", "is a number", "leave it out"
    ),
    "hint unknown": Case("[[region], ", "[[regoin], ", 40, "materialize_at[0][0]", "regoin", "reg"),
    "hint unreachable": Case("[[region], ", "[[home], ", 40, "materialize_at[0][0]", "'home' is"),
    "hint twice": Case("[region, month]]", "[region, Region]]", 40, "[1][1]", "listed twice"),
    "hint blocked": Case(
        "    default_reducer: SUM",
        "    default_reducer: SUM\n    cache_hint: {materialize_at: [[store, month]]}",
        47,
        "materialize_at[0]",
        "SUM may not aggregate over 'day'",
    ),
    # A region that is the table's own column may say otherwise than the edge from its store.
    "hint blocked by a column beside its edge": Case(
        "{schema: other, column: thing_value}\n    ip_reducers: [{operator: SUM}]",
        "{schema: stores}\n    ip_reducers: [{operator: COUNT, a_block: [place]}]\n"
        "    cache_hint: {materialize_at: [[store, region], [store]]}",
        53,
        "materialize_at[1]",
        "COUNT may not aggregate over 'region'",
    ),
    # derived families
    "formula syntax": Case('"amount / units"', '"amount /"', 53, "derived.formula", "", "column"),
    "formula past inputs": Case(
        '"amount / units"', '"amount / units / orders"', 53, "formula", "'orders'", "add it"
    ),
    "formula with a level": Case(
        '"amount / units"', '"amount / units / month"', 53, "formula", "'month'", "a level"
    ),
    "formula with a stranger": Case(
        '"amount / units"', '"amount / units / ordres"', 53, "formula", "'ordres'", "orders"
    ),
    "input unused": Case('"amount / units"', '"amount"', 53, "inputs[1]", "'units'"),
    "input unknown": Case("[amount, units]", "[amount, unit]", 53, "inputs[1]", "'unit'", "units"),
    "input twice": Case(
        "[amount, units]", "[amount, units, AMOUNT]", 53, "derived.inputs[2]", "listed twice"
    ),
    "formula at unknown level": Case(
        '"amount / units"', '"amount / AVG(units @ dya)"', 53, "formula", "'dya'", "day"
    ),
    "formula without default": Case(
        "    default_reducer: SUM\n", "", 52, "derived.formula", "'units' has several reducers"
    ),
    "derived of itself alone": Case(
        'formula: "amount / units", inputs: [amount, units]',
        'formula: "share / 2", inputs: [share]',
        53,
        "derived.inputs",
        "share -> share",
    ),
    "derived in a circle": Case(
        '  - {name: share, derived: {formula: "amount / units", inputs: [amount, units]}}',
        "  - {name: a, derived: {formula: b, inputs: [b]}}\n"
        "  - {name: b, derived: {formula: c, inputs: [c]}}\n"
        "  - {name: c, derived: {formula: a, inputs: [a]}}",
        53,
        "metric_families[4].derived.inputs",
        "a -> b -> c -> a",
    ),
    "no level after @": Case(
        'formula: "amount / units"',
        'formula: "SUM(amount @ ()) / units"',
        53,
        "derived.formula",
        "@ () adds no level to any anchor",
        "name a level after @",
    ),
    "long name": Case(
        "name: shop", f"name: {'s' * 201}", 2, "name", "a name has at most 200 letters"
    ),
    "no zone": Case(
        "name: shop",
        "name: shop\ntimezone: Europe Berlin",
        3,
        "timezone",
        "expected a time zone such as Europe/Berlin",
    ),
    "rows cannot be summed": Case(
        'filter: "amount > 0"',
        "default_reducer: MAX",
        49,
        "default_reducer",
        "MAX needs a column: the rows can only be counted",
    ),
    "no calendar function before another": Case(
        "derived_by: MONTH_OF", "derived_by: MONTHOF", 30, "derived_by", "'MONTHOF'", "MONTH_OF"
    ),
    "no common level": Case(
        'formula: "amount / units", inputs: [amount, units]',
        'formula: "amount / things", inputs: [amount, things]',
        53,
        "derived.inputs",
        "no level in common",
    ),
}


def test_the_sound_document_is_sound() -> None:
    assert list(read_collection(SOUND).metric_families) == [
        "amount",
        "units",
        "orders",
        "things",
        "share",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # A column by its schema's name as well; a map whose columns are named like the levels.
        ('"amount / 2"', '"Sales.amount / 2"'),
        ("via: stores", "via: {schema: stores, from: store, to: region}"),
        ("name: shop", f"name: {'s' * 200}"),
        ("name: shop", "name: shop\ntimezone: Europe/Berlin"),
    ],
)
def test_another_sound_document_is_sound(old: str, new: str) -> None:
    assert SOUND.count(old) == 1
    assert read_collection(SOUND.replace(old, new)).metric_families


@pytest.mark.parametrize("name", CASES)
def test_a_broken_document_is_refused_where_it_is_broken(name: str) -> None:
    case = CASES[name]
    assert SOUND.count(case.old) == 1, "a case must spoil exactly one place"
    text = SOUND.replace(case.old, case.new)
    for old, new in case.also:
        assert text.count(old) == 1
        text = text.replace(old, new)
    with pytest.raises(CatalogError) as caught:
        read_collection(text, "shop.yaml")
    error = caught.value
    assert error.line == case.line, str(error)
    assert case.path in error.path, str(error)
    assert case.message in error.message, str(error)
    assert case.hint in (error.hint or ""), str(error)
    assert error.file == "shop.yaml"


def test_all_mistakes_of_a_stage_are_counted() -> None:
    text = SOUND.replace("schema: stock", "schema: stok").replace("to: region,", "to: regoin,")
    with pytest.raises(CatalogError) as caught:
        read_collection(text)
    assert caught.value.line == 24
    assert "1 more mistake" in (caught.value.hint or "")


def test_a_syntax_error_points_into_the_expression() -> None:
    with pytest.raises(CatalogError) as caught:
        read_collection(SOUND.replace('"amount / 2"', '"amount / / 2"'))
    *_, source, caret = (caught.value.hint or "").splitlines()
    assert source == "amount / / 2"
    assert caret.index("^") == source.index("/ 2")

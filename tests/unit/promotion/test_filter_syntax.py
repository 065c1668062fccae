"""The filter of a key, read back into syntax: resolved anew it has the same canonical text."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from flightframe_server.algebra.functions import FUNCTIONS
from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.language import parse
from flightframe_server.language.syntax import Anchor, Item, Name, Statement
from flightframe_server.promotion.filter_syntax import (
    Unreadable,
    filter_syntax,
    split_conditions,
)
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.terms import text

AC = """
version: 1
name: shop
schemas:
  - name: sales
    grain: [sale]
    columns: {sale: id, town: town, "a b": ab, day: day, moment: moment, instant: instant,
      open: open, price: price, amount: amount}
dimension_families:
  - {name: things, levels: [sale, town, "a b", day, moment, instant, open, price]}
metric_families:
  - {name: amount, family_root: {schema: sales, column: amount}, ip_reducers: [{operator: SUM}]}
"""

WHERE = [
    "town = 'O''Brien' AND town <> 'a,b) and c' AND town < 'm' AND town >= ''",
    "town = 'null' OR town = 'True' OR \"a b\" = '\"x\"'",
    "NOT (town IS NULL) AND town IS DISTINCT FROM 'x' AND town LIKE '_o%'",
    "town IN ('x', 'y, z') AND sale IN (1, -2) AND sale NOT IN (3)",
    "sale + 1 > 2 AND sale - 1 < 7 AND sale * 2 = 4 AND sale / 3 > 0.5 AND sale % 2 = 0",
    "-sale < -1 AND price > 1.50 AND price = 3 AND price / 3 <= 1e-1 AND price / 7 > -2.5e300",
    "town || 'x' = 'ax' AND LOWER(town) = 'a' AND UPPER(town) = 'A' AND SUBSTR(town, 1, 2) = 'ab'",
    "ABS(price) > 1 AND ROUND(price, 1) = 1.5 AND ROUND(price / 2) = 2 AND SQRT(price) > 1",
    "FLOOR(price) > 1 AND CEIL(price / 2) < 5 AND MOD(sale, 2) = 1 AND POSITION('a' IN town) > 1",
    "LEFT(town, 1) = 'a' AND RIGHT(town, 1) = 'b' AND TRIM(town) = 'c' AND LENGTH(town) > 2",
    "REPLACE(town, 'a', 'b') = 'x' AND day + 3 > DATE '2024-01-01' AND day - 3 < moment",
    "day - DATE '2024-01-01' > 5",
    "day - INTERVAL 1 month < DATE '2024-01-01' AND moment + INTERVAL '3 days' > day",
    "COALESCE(town, 'none') = 'none' AND NULLIF(town, 'x') IS NULL",
    "CASE WHEN sale > 1 THEN 'big' WHEN town = 'x' THEN town ELSE 'small' END = 'big'",
    "EXTRACT(year FROM day) = 2024 AND EXTRACT(hour FROM moment) BETWEEN 8 AND 17",
    "EXTRACT(month FROM instant) = 3 AND MAKE_DATE(2024, 1, sale) < day",
    "day >= DATE '2024-01-01' AND day = moment AND moment < TIMESTAMP '2024-05-01 10:00:00.25'",
    "instant > TIMESTAMP '2024-01-01 00:00:00+02:00'",
    "instant <> TIMESTAMP '2024-01-01 10:00:00'",
    "CAST(price AS integer) = 1 AND CAST(sale AS decimal(12,2)) = 1.5",
    "CAST(moment AS date) = day",
    "CAST(sale AS text) = '1' AND CAST(town AS double) > 1 AND CAST(instant AS timestamp) = moment",
    "open AND NOT open AND open = TRUE AND open <> FALSE",
    "sale = price AND price = CAST(sale AS double) AND sale = 1.0 AND price / 2 = 1",
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> OpenInstallation:
    folder: Path = tmp_path_factory.mktemp("shop")
    with duckdb.connect(str(folder / "shop.duckdb")) as database:
        database.execute(
            "CREATE TABLE sales (id BIGINT, town VARCHAR, ab VARCHAR, day DATE, moment TIMESTAMP,"
            " instant TIMESTAMPTZ, open BOOLEAN, price DECIMAL(12,2), amount BIGINT)"
        )
    (folder / "ac.yaml").write_text(AC)
    (folder / "installation.yaml").write_text(
        "id: corner\ncollections: [ac.yaml]\nbackend: {type: duckdb, source: ./shop.duckdb}\n"
    )
    opened = open_installation(folder / "installation.yaml")
    yield opened
    opened.close()


def canonical(shop: OpenInstallation, statement: Statement) -> tuple[str, ...]:
    question = resolve(statement, shop.runtime.engines["shop"].typed)
    return tuple(sorted(text(part) for part in question.filter))


@pytest.mark.parametrize("where", WHERE)
def test_a_filter_that_is_read_back_means_the_same(shop, where):
    texts = canonical(shop, parse(f"SELECT amount AT () WHERE {where}"))
    assert texts
    again = Statement((Item(Name(("amount",))),), Anchor(()), where=filter_syntax(texts))
    assert canonical(shop, again) == texts
    assert split_conditions(" and ".join(texts)) == texts


def test_every_function_stands_in_one_of_them(shop):
    texts = " ".join(
        one
        for where in WHERE
        for one in canonical(shop, parse(f"SELECT amount AT () WHERE {where}"))
    )
    # AND of one condition is several conditions.
    assert {name for name in FUNCTIONS if f"{name}(" not in texts} <= {"and"}


def test_no_condition_is_no_filter():
    assert filter_syntax(()) is None
    assert split_conditions("") == ()


@pytest.mark.parametrize(
    "written",
    ["", "eq(town", "eq(town,'x'", "eq(town)", "unheard(town)", "eq(town,'x') more", "case(a,b)",
     "cast(town)", "cast(town as )", "(", "day,", "extract(town,day)", "eq(day,date '2024-99-01')",
     "sales.amount", "eq(;)"],
)  # fmt: skip
def test_what_no_key_holds_is_not_guessed_at(written):
    with pytest.raises(Unreadable):
        filter_syntax((written,))

"""A shop of three sales whose answers are known by hand."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from flightframe_server.app import OpenInstallation, open_installation

AC = """
version: 1
name: shop
schemas:
  - {name: sales, grain: [sale], columns: {sale: id, town: town, day: day, amount: amount}}
dimension_families:
  - {name: place, levels: [town]}
  - {name: calendar, levels: [day]}
metric_families:
  - {name: amount, family_root: {schema: sales, column: amount}, ip_reducers: [{operator: SUM}]}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[OpenInstallation]:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE sales AS SELECT * FROM (VALUES (1, 'a', DATE '2024-01-01', 1::BIGINT),"
            " (2, 'a', DATE '2024-01-02', 2), (3, 'b', DATE '2024-01-02', 4)) "
            "t(id, town, day, amount)"
        )
    (tmp_path / "ac.yaml").write_text(AC)
    (tmp_path / "installation.yaml").write_text(
        "id: corner\ncollections: [ac.yaml]\nbackend: {type: duckdb, source: ./shop.duckdb}\n"
    )
    with closing(open_installation(tmp_path / "installation.yaml", stream_rows=100)) as opened:
        yield opened

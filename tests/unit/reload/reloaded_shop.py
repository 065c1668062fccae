"""A shop whose metric means one of two numbers, by what its file says at the time."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from flightframe_server.answer import Answer, Request, answer
from flightframe_server.app import OpenInstallation, open_installation

TABLES = """
CREATE TABLE shops (shop VARCHAR, town VARCHAR);
INSERT INTO shops VALUES ('a', 'North'), ('b', 'South');
CREATE TABLE totals (shop VARCHAR, amount DECIMAL(12,2));
INSERT INTO totals VALUES ('a', 0.30), ('b', 1.05);
CREATE TABLE sales (id BIGINT, shop VARCHAR, amount DECIMAL(12,2), cost DECIMAL(12,2));
INSERT INTO sales VALUES (1, 'a', 0.10, 7), (2, 'a', 0.20, 11), (3, 'b', 1.05, 13);
"""

AC = """\
version: 1
name: shop
schemas:
  - {name: shops, table: shops, grain: [shop], columns: {shop: shop, town: town}}
  - name: sales
    table: sales
    grain: [sale]
    columns: {sale: id, shop: shop, amount: amount, cost: cost}
dimension_families:
  - {name: place, levels: [shop, town], edges: [{from: shop, to: town, via: shops}]}
metric_families:
  - name: taken
    description: What customers paid.
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM, a_block: []}]
    cache_hint: {materialize_at: [[town]]}
  - name: costs
    family_root: {schema: sales, column: cost}
    ip_reducers: [{operator: SUM, a_block: []}]
  - {name: left, derived: {formula: "taken - costs", inputs: [taken, costs]}}
"""

OTHER = AC.replace("{schema: sales, column: amount}", "{schema: sales, column: cost}")
"""The same, but `taken` is the sum of another column."""

BY_TOWN = "SELECT town, SUM(taken) AS total AT town"
COSTS = "SELECT town, SUM(costs) AS total AT town"

AS_WRITTEN = {"North": Decimal("0.30"), "South": Decimal("1.05")}
AS_OTHER = {"North": Decimal("18.00"), "South": Decimal("13.00")}

MANIFEST = """\
id: shop
collections: [ac.yaml]
backend: {type: duckdb, source: ./shop.duckdb}
server: {host: 127.0.0.1, flight_port: 0, http_port: 0}
"""


class ReloadedShop:
    """An open installation and its files.

    Args:
        folder: an empty one.
        collection: the text of `ac.yaml`.
    """

    def __init__(self, folder: Path, collection: str = AC) -> None:
        self.folder = folder
        with duckdb.connect(str(folder / "shop.duckdb")) as connection:
            connection.execute(TABLES)
        self.write("ac.yaml", collection)
        self.write("installation.yaml", MANIFEST)
        self.opened = self._open()

    def write(self, name: str, text: str) -> None:
        """Put a text in the place of a file at once."""
        beside = self.folder / f"{name}.new"
        beside.write_text(text)
        os.replace(beside, self.folder / name)

    def reload(self, collection: str | None = None, manifest: str | None = None) -> Any:
        """Write what is given, and reload."""
        if collection is not None:
            self.write("ac.yaml", collection)
        if manifest is not None:
            self.write("installation.yaml", manifest)
        return self.opened.reloader.reload()

    def restart(self) -> None:
        """Close it, and open it from its files."""
        self.opened.close()
        self.opened = self._open()

    def answer(self, source: str = BY_TOWN) -> Answer:
        """Return the answer of a query."""
        return answer(Request(source), self.opened.runtime)

    def totals(self, source: str = BY_TOWN) -> dict[str, Any]:
        """Return the total of each town."""
        table = self.answer(source).table
        assert table is not None
        return {row["town"]: row["total"] for row in table.to_pylist()}

    def label(self, source: str = BY_TOWN) -> str:
        """Return where the answer of a query comes from."""
        return str(self.answer(source).provenance.served_from)

    def warmed(self) -> None:
        """Wait until what is hinted is made."""
        assert self.opened.reloader.warm_up.wait(30)

    def _open(self) -> OpenInstallation:
        return open_installation(self.folder / "installation.yaml")

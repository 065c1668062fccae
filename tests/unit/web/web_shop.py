"""A small shop over HTTP, open or with users, on a free port of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import argon2
import duckdb
import httpx

from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.cli.servers import http_server
from flightframe_server.web.server import HttpServer, listen

CHANGING = {"x-flightframe": "1"}
TOTAL = "SELECT town, SUM(amount) AS total AT town"
ROWS = [["North", 0.3], ["South", 1.05]]
"""By hand: 0.10 + 0.20, and 1.05."""

PASSWORDS = {"alice": "correct horse", "bob": "battery staple"}
AUTH = "  auth: {users: users.yaml, operators: [alice]}\n"

AC = """\
version: 1
name: shop
schemas:
  - {name: shops, table: shops, grain: [shop], columns: {shop: shop, town: town}}
  - {name: sales, table: sales, grain: [sale], columns: {sale: id, shop: shop, amount: amount}}
dimension_families:
  - {name: place, levels: [shop, town], edges: [{from: shop, to: town, via: shops}]}
metric_families:
  - name: amount
    family_root: {schema: sales, column: amount}
    ip_reducers: [{operator: SUM, a_block: []}]
  - {name: double, derived: {formula: "amount + amount", inputs: [amount]}}
"""

TABLES = """
CREATE TABLE shops (shop VARCHAR, town VARCHAR);
INSERT INTO shops VALUES ('a', 'North'), ('b', 'South');
CREATE TABLE sales (id BIGINT, shop VARCHAR, amount DECIMAL(12,2));
INSERT INTO sales VALUES (1, 'a', 0.10), (2, 'a', 0.20), (3, 'b', 1.05);
"""


@dataclass(frozen=True)
class Shop:
    """A shop that answers."""

    folder: Path
    opened: OpenInstallation
    server: HttpServer

    def client(self, user: str | None = None, **options: object) -> httpx.Client:
        auth = None if user is None else httpx.BasicAuth(user, PASSWORDS[user])
        return httpx.Client(base_url=self.server.url, auth=auth, timeout=30, **options)


def cheap_hash(password: str) -> str:
    return argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(password)


def make_shop(folder: Path, server: str = "", more: str = "") -> Path:
    with duckdb.connect(str(folder / "shop.duckdb")) as database:
        database.execute(TABLES)
    (folder / "ac.yaml").write_text(AC)
    users = "".join(f"  {name}: {cheap_hash(word)}\n" for name, word in PASSWORDS.items())
    (folder / "users.yaml").write_text(f"users:\n{users}")
    manifest = folder / "installation.yaml"
    manifest.write_text(
        "id: corner-shop\ncollections: [ac.yaml]\n"
        "backend: {type: duckdb, source: ./shop.duckdb}\n"
        f"server:\n  host: 127.0.0.1\n{server}{more}"
    )
    return manifest


@contextmanager
def shop(folder: Path, server: str = "", more: str = "") -> Iterator[Shop]:
    """Serve a shop; `server` are keys of the manifest's `server`, `more` further sections."""
    with (
        closing(open_installation(make_shop(folder, server, more))) as opened,
        http_server(opened, listen("127.0.0.1", 0), "127.0.0.1") as running,
    ):
        yield Shop(folder, opened, running)

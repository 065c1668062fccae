"""A small shop that asks for credentials, and the certificates to reach it with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import argon2
import duckdb
import trustme

from flightframe_server.access.access import Access
from flightframe_server.access.tokens import digest_of
from flightframe_server.app import OpenInstallation, open_installation
from flightframe_server.flight.server import FlightServer

TOTAL = "SELECT town, SUM(amount) AS total AT town"
ROWS = [("North", "0.30"), ("South", "1.05")]
"""By hand: 0.10 + 0.20, and 1.05."""

PASSWORDS = {"alice": "correct horse", "bob": "pässword: with a colon", "carol": "p" * 200}
TOKEN = "a-lasting-token-of-grafana-0123456789"

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
"""

TABLES = """
CREATE TABLE shops (shop VARCHAR, town VARCHAR);
INSERT INTO shops VALUES ('a', 'North'), ('b', 'South');
CREATE TABLE sales (id BIGINT, shop VARCHAR, amount DECIMAL(12,2));
INSERT INTO sales VALUES (1, 'a', 0.10), (2, 'a', 0.20), (3, 'b', 1.05);
"""

AUTH = "auth: {users: users.yaml, tokens: tokens.yaml}"
TLS = "tls: {certificate: server.pem, key: server.key}"
MUTUAL = "tls: {certificate: server.pem, key: server.key, client_ca: ca.pem}"


def cheap_hash(password: str) -> str:
    """Return a hash that takes no time: what a test waits for must be what it tests."""
    return argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(password)


@dataclass(frozen=True)
class Certificates:
    """Who signs, and what a client may show, in PEM form."""

    ca: trustme.CA
    root: bytes

    def client(self, *names: str, common_name: str | None = None) -> tuple[bytes, bytes]:
        """Return a certificate and its key."""
        made = self.ca.issue_cert(*names, common_name=common_name)
        return made.cert_chain_pems[0].bytes(), made.private_key_pem.bytes()


def make_shop(folder: Path, *server: str) -> Path:
    """Write the shop, its users and its tokens; `server` are keys of the manifest's `server`."""
    with duckdb.connect(str(folder / "shop.duckdb")) as database:
        database.execute(TABLES)
    (folder / "ac.yaml").write_text(AC)
    users = "".join(f"  {name}: {cheap_hash(held)}\n" for name, held in PASSWORDS.items())
    (folder / "users.yaml").write_text(f"users:\n{users}")
    digest = digest_of(TOKEN).hex()
    (folder / "tokens.yaml").write_text(f'tokens:\n  - {{user: grafana, sha256: "{digest}"}}\n')
    keys = "".join(f"  {key}\n" for key in ("host: 127.0.0.1", *server))
    manifest = folder / "installation.yaml"
    manifest.write_text(
        "id: corner-shop\ncollections: [ac.yaml]\n"
        f"backend: {{type: duckdb, source: ./shop.duckdb}}\nserver:\n{keys}"
    )
    return manifest


def make_certificates(folder: Path) -> Certificates:
    """Write the server's certificate, its key, and who signs, and return the latter."""
    ca = trustme.CA()
    made = ca.issue_cert("127.0.0.1", "localhost")
    made.cert_chain_pems[0].write_to_path(folder / "server.pem")
    made.private_key_pem.write_to_path(folder / "server.key")
    ca.cert_pem.write_to_path(folder / "ca.pem")
    return Certificates(ca, ca.cert_pem.bytes())


@contextmanager
def served(
    manifest: Path, access: Access | None = None
) -> Iterator[tuple[FlightServer, OpenInstallation]]:
    """Serve a shop over Flight, entered as it says or by `access`."""
    opened = open_installation(manifest)
    try:
        with FlightServer(opened.runtime, access=access or opened.access) as server:
            yield server, opened
    finally:
        opened.close()

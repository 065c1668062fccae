"""Servers whose page is looked at: processes of their own, over folders of their own.

What comes in: a folder with an installation. What goes out: the address of its page, for as long as
a context lasts. It must never serve in the process of the tests, which a browser keeps busy.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import argon2
import duckdb
import large_collection

from flightframe_server.demo.files import write_demo

ROOT = Path(__file__).parents[2]
READY = re.compile(r"flightframe ready flight=grpc://127\.0\.0\.1:(\d+) http=(http://\S+:(\d+))")


@dataclass(frozen=True, slots=True)
class Served:
    """A running server.

    Attributes:
        folder: of its installation.
        page: the address of its page.
        flight: its address for clients.
    """

    folder: Path
    page: str
    flight: str

    @property
    def collection(self) -> Path:
        """The file of its collection."""
        return next(self.folder.glob("**/ac.yaml"))


@contextlib.contextmanager
def serving(folder: Path, http_port: int = 0) -> Iterator[Served]:
    """Serve the installation of a folder until the end of the context."""
    kept = {name: value for name, value in os.environ.items() if "FLIGHTFRAME" not in name}
    path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server")])
    log = folder / "server.log"
    with log.open("a", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "flightframe_server", "serve", str(folder / "installation.yaml"),
             "--flight-port", "0", "--http-port", str(http_port)],
            env={**kept, "PYTHONPATH": path}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=errors, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        with process.stdout:
            try:
                ready = READY.match(process.stdout.readline())
                assert ready, log.read_text(encoding="utf-8")
                yield Served(folder, ready[2], f"grpc://127.0.0.1:{ready[1]}")
            finally:
                process.terminate()
                process.wait(60)


def write_retail(folder: Path) -> Path:
    """Write the retail demonstration into a folder."""
    write_demo(folder)
    return folder


def without_engine(folder: Path, target: Path) -> Path:
    """Copy an installation whose engine is off, so that each answer is of the back-end."""
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("metric_engine", "*.log"))
    manifest = target / "installation.yaml"
    text = manifest.read_text(encoding="utf-8")
    assert text.count("enabled: true") == 1
    manifest.write_text(text.replace("enabled: true", "enabled: false"), encoding="utf-8")
    return target


PASSWORDS = {"alice": "correct horse", "bob": "battery staple"}


def with_users(folder: Path, target: Path) -> Path:
    """Copy an installation that asks who asks: alice may change what is served, bob may not."""
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("metric_engine", "*.log"))
    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    lines = [f"  {name}: {hasher.hash(password)}" for name, password in PASSWORDS.items()]
    (target / "users.yaml").write_text("\n".join(["users:", *lines, ""]), encoding="utf-8")
    manifest = target / "installation.yaml"
    text = manifest.read_text(encoding="utf-8")
    auth = "  auth: {users: users.yaml, operators: [alice]}\n"
    assert text.count("\nserver:\n") == 1
    manifest.write_text(text.replace("\nserver:\n", f"\nserver:\n{auth}"), encoding="utf-8")
    return target


LARGE_INSTALLATION = """
id: large
collections: [ac.yaml]
backend: {type: duckdb, source: ./large.duckdb}
metric_engine: {enabled: true, store: ./store}
"""


def write_large(folder: Path) -> Path:
    """Write an installation of 60 tables, 300 levels and 760 metrics."""
    (folder / "ac.yaml").write_text(large_collection.text(), encoding="utf-8")
    (folder / "installation.yaml").write_text(LARGE_INSTALLATION, encoding="utf-8")
    large_collection.write(folder / "large.duckdb")
    return folder


HOSTILE = "<img src=x onerror=alert(1)>"
RIGHT_TO_LEFT = "مبيعات"
LONG_NAME = "long" * 30
MILLION = 1_046_046

HOSTILE_COLLECTION = f"""
version: 1
name: odd
description: "{HOSTILE}"
schemas:
  - name: points
    grain: [point]
    columns: {{point: id, kind: kind, size: size, weight: weight, large: large}}
    description: "</script><script>alert(2)</script>"
dimension_families:
  - name: kinds
    levels: [kind]
    description: "{HOSTILE}"
metric_families:
  - name: size
    description: "{HOSTILE} {RIGHT_TO_LEFT}"
    family_root: {{schema: points, column: size}}
    ip_reducers: [{{operator: SUM, a_block: []}}]
  - name: weight
    description: doubles
    family_root: {{schema: points, column: weight}}
    ip_reducers: [{{operator: SUM, a_block: []}}]
  - name: large
    description: integers beyond 2^53
    family_root: {{schema: points, column: large}}
    ip_reducers: [{{operator: SUM, a_block: []}}]
  - name: {LONG_NAME}
    derived: {{formula: "size + size", inputs: [size]}}
"""

HOSTILE_INSTALLATION = """
id: odd
collections: [ac.yaml]
backend: {type: duckdb, source: ./odd.duckdb}
metric_engine: {enabled: true, store: ./store}
"""


def write_odd(folder: Path) -> Path:
    """Write an installation of a million rows, hostile texts, NULL and numbers without a double."""
    (folder / "ac.yaml").write_text(HOSTILE_COLLECTION, encoding="utf-8")
    (folder / "installation.yaml").write_text(HOSTILE_INSTALLATION, encoding="utf-8")
    with duckdb.connect(str(folder / "odd.duckdb")) as database:
        database.execute(
            "CREATE TABLE points AS SELECT range AS id,"
            " CASE WHEN range = 0 THEN ? WHEN range = 1 THEN NULL WHEN range = 2 THEN ?"
            " ELSE 'plain' END AS kind,"
            " (range / 100)::DECIMAL(18, 2) AS size, sqrt(range) AS weight,"
            " 9007199254740993 AS large FROM range(?)",
            [HOSTILE, RIGHT_TO_LEFT, MILLION],
        )
    return folder

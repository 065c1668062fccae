"""The tables of TPC-H in a DuckDB file, and an installation over them.

What comes in: a scale and the type of its decimals. What goes out: a folder. The rows are made by
tpchgen-cli, where that is installed: nothing is fetched.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import duckdb

from flightframe_server.benchmark.processes import program
from flightframe_server.errors import SetupError

DATABASE, INSTALLATION = "tpch.duckdb", "installation.yaml"
_GENERATOR = "tpchgen-cli"
_MOST_PLACES = 37
_MANIFEST = """
id: tpch
collections: [ac.yaml]
backend: {type: duckdb, source: ./tpch.duckdb}
"""


@dataclass(frozen=True, slots=True)
class Decimals:
    """The type that every decimal of the tables has."""

    digits: int
    places: int

    def __str__(self) -> str:
        """Return it as SQL writes it."""
        return f"decimal({self.digits},{self.places})"


def write_tpch(folder: Path, scale: float, decimals: Decimals) -> None:
    """Write the tables, a collection over them, and its installation.

    Args:
        folder: where; it is there.
        scale: 1 for six million line items.
        decimals: the type of prices, quantities and rates.

    Raises:
        SetupError: the generator is not installed, or fails.
    """
    generator = program(_GENERATOR)
    if generator is None:
        raise SetupError(f"the package {_GENERATOR} is not installed")
    made = folder / "made"
    command = [generator, "parquet", "-s", f"{scale:g}", "--output-dir", str(made)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    if done.returncode:
        raise SetupError(f"{_GENERATOR} fails: {done.stderr.strip().splitlines()[-1:]}")
    with duckdb.connect(str(folder / DATABASE)) as connection:
        for file in sorted(made.glob("*.parquet")):
            _load(connection, file, decimals)
            file.unlink()
    text = resources.files(__package__).joinpath("ac.yaml").read_text(encoding="utf-8")
    net, charged = (min(n * decimals.places, _MOST_PLACES) for n in (2, 3))
    facts = {"digits": decimals.digits, "places": decimals.places, "net": net, "charged": charged}
    (folder / "ac.yaml").write_text(text % facts, encoding="utf-8")
    (folder / INSTALLATION).write_text(_MANIFEST, encoding="utf-8")


def _load(connection: duckdb.DuckDBPyConnection, file: Path, decimals: Decimals) -> None:
    rows = connection.read_parquet(str(file))
    columns = [
        f"CAST({name} AS {decimals}) AS {name}" if str(type_).startswith("DECIMAL") else name
        for name, type_ in zip(rows.columns, rows.types, strict=True)
    ]
    rows.project(", ".join(columns)).create(file.stem)

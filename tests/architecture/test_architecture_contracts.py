"""The import contracts hold, and each of them would fail if somebody broke it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ONE_WAY = "The query flows one way"
ALONE = "Each database stands alone"
NO_IO = "The core does no I/O"
NO_WIRE = "What SQL means knows no wire"
NO_TEXT = "Algebra over answers sees no text"
NO_ENGINE = "What reads SQL runs none"
CLIENT_ALONE = "The client never imports the server"

SCRIPT = "from importlinter.cli import lint_imports_command; lint_imports_command()"

PLANTED = [
    (
        "server/flightframe_server/planner/make.py",
        "flightframe_server.cache.store",
        {ONE_WAY, NO_IO},
    ),
    ("server/flightframe_server/language/syntax.py", "flightframe_server.catalog", {ONE_WAY}),
    ("server/flightframe_server/algebra/types.py", "flightframe_server.catalog", {ONE_WAY}),
    ("server/flightframe_server/algebra/primitives.py", "pyarrow", {NO_IO}),
    ("server/flightframe_server/web/__init__.py", "flightframe_server.flight", {ONE_WAY}),
    ("server/flightframe_server/composer/merge.py", "flightframe_server.backends", {ONE_WAY}),
    (
        "server/flightframe_server/backends/sqlite/types.py",
        "flightframe_server.backends.duckdb.version",
        {ALONE},
    ),
    (
        "server/flightframe_server/backends/sql/rows.py",
        "flightframe_server.backends.duckdb.dialect",
        {ALONE},
    ),
    ("server/flightframe_server/sql/parse.py", "flightframe.wire.flight_sql_pb2", {NO_WIRE}),
    ("server/flightframe_server/sql/texts.py", "flightframe_server.web.api", {ONE_WAY, NO_WIRE}),
    ("server/flightframe_server/outer/typing.py", "sqlglot", {NO_TEXT}),
    ("server/flightframe_server/sql/stages.py", "flightframe_server.outer.pool", {NO_ENGINE}),
    ("server/flightframe_server/sql/columns.py", "google.protobuf.message", {NO_WIRE}),
    ("server/flightframe_server/discovery/describe.py", "starlette.requests", {NO_WIRE}),
    ("server/flightframe_server/discovery/describe.py", "flightframe_server.sql.keys", {ONE_WAY}),
    (
        "server/flightframe_server/discovery/verdicts.py",
        "flightframe_server.completion.trial",
        {ONE_WAY},
    ),
    (
        "server/flightframe_server/engine/engine.py",
        "flightframe_server.discovery.level_facts",
        {ONE_WAY},
    ),
    (
        "server/flightframe_server/promotion/recommend.py",
        "flightframe_server.operations",
        {ONE_WAY},
    ),
    (
        "server/flightframe_server/promotion/usage.py",
        "starlette.requests",
        {NO_WIRE},
    ),
    ("server/flightframe_server/operations.py", "flightframe_server.web.api", {ONE_WAY, NO_WIRE}),
    ("server/flightframe_server/planner/plan.py", "duckdb", {NO_IO}),
    ("server/flightframe_server/resolver/scope.py", "pyarrow", {NO_IO}),
    ("client/flightframe/result.py", "flightframe_server.errors", {CLIENT_ALONE}),
]


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root / 'client'}{os.pathsep}{root / 'server'}"},
        capture_output=True,
        text=True,
    )


def broken(report: str) -> set[str]:
    return set(re.findall(r"^(.+) BROKEN\b", report, re.MULTILINE))


def test_the_contracts_hold():
    found = lint_imports(ROOT)
    assert found.returncode == 0, found.stdout + found.stderr
    for contract in (ONE_WAY, ALONE, NO_IO, NO_WIRE, NO_TEXT, NO_ENGINE, CLIENT_ALONE):
        assert f"{contract} KEPT" in found.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in ("client/flightframe", "server/flightframe_server"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    return folder


@pytest.mark.parametrize(("module", "imported", "expected"), PLANTED)
@pytest.mark.slow
def test_a_planted_import_breaks_its_contract(copy, module, imported, expected):
    path = copy / module
    before = path.read_text(encoding="utf-8")
    path.write_text(f"{before}\nimport {imported}\n", encoding="utf-8")
    try:
        found = lint_imports(copy)
    finally:
        path.write_text(before, encoding="utf-8")
    assert found.returncode == 1, found.stdout + found.stderr
    assert broken(found.stdout) == expected

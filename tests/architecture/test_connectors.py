"""What stands in `connectors/`: the plug-in's wheel, and files that no wheel takes."""

from __future__ import annotations

import re
import shutil
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from building import ROOT, build

import flightframe

FOLDER = ROOT / "connectors"
PLUG_IN = FOLDER / "superset"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("superset")
    source = folder / "source"
    shutil.copytree(PLUG_IN, source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return build(source, folder / "wheel")


def test_the_plug_in_holds_its_modules_and_needs_nothing(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (about,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(about))
        entries = archive.read(about.replace("METADATA", "entry_points.txt")).decode()
    modules = {"__init__.py", "dialect.py", "engine_spec.py", "py.typed"}
    assert {name for name in names if ".dist-info/" not in name} == {
        f"flightframe_superset/{name}" for name in modules
    }
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert metadata.get_all("Requires-Dist") == [
        "flightsql-dbapi>=0.2.2; extra == 'sqlalchemy1'",
        "flightframe-client[sqlalchemy]; extra == 'sqlalchemy2'",
    ]
    # Superset finds the spec by the group, SQLAlchemy the dialect by `dialect.driver`.
    spec = "flightframe = flightframe_superset.engine_spec:FlightframeEngineSpec"
    assert f"[superset.db_engine_specs]\n{spec}" in entries
    dialect = "flightframe.flightsql = flightframe_superset.dialect:FlightframeFlightSQLDialect"
    assert f"[sqlalchemy.dialects]\n{dialect}" in entries


def test_every_connector_is_of_the_same_version():
    project = tomllib.loads((PLUG_IN / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module = (PLUG_IN / "flightframe_superset" / "__init__.py").read_text(encoding="utf-8")
    power_bi = (FOLDER / "powerbi" / "flightframe.pq").read_text(encoding="utf-8")
    written = {
        "connectors/superset/pyproject.toml": project["version"],
        "flightframe_superset.__version__": re.findall(r'__version__ = "(.+)"', module)[0],
        "connectors/powerbi/flightframe.pq": re.findall(r'\[Version = "(.+)"\]', power_bi)[0],
    }
    assert set(written.values()) == {flightframe.__version__}, written


def test_the_plug_in_is_under_the_same_licence():
    assert (PLUG_IN / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_server_and_the_client_take_nothing_of_it():
    for path in (*(ROOT / "client").rglob("*.py"), *(ROOT / "server").rglob("*.py")):
        assert not re.search(
            r"^\s*(?:from|import) superset\b", path.read_text(encoding="utf-8"), re.M
        )
    for name in ("pyproject.toml", "client/pyproject.toml"):
        targets = tomllib.loads((ROOT / name).read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
        assert "connectors" not in str(targets["targets"]["wheel"])

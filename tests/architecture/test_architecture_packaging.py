"""What is in the two distributions, and that everything that names a version names the same one."""

from __future__ import annotations

import re
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import flightframe
import flightframe_server

ROOT = Path(__file__).parents[2]
NEEDED = {
    "flightframe/py.typed",
    "flightframe/wire/ticket_pb2.py",
    "flightframe/wire/ticket_pb2.pyi",
    "flightframe_server/py.typed",
    "flightframe_server/language/frame_ql.lark",
    "flightframe_server/_fixtures/retail/installation.yaml",
    "flightframe_server/_fixtures/retail/retail.coframe/ac.yaml",
}


def project(path: str) -> dict:
    return tomllib.loads((ROOT / path).read_text(encoding="utf-8"))["project"]


def names_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def metadata_of(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def test_every_version_is_the_same():
    written = {
        "pyproject.toml": project("pyproject.toml")["version"],
        "client/pyproject.toml": project("client/pyproject.toml")["version"],
        "flightframe.__version__": flightframe.__version__,
        "flightframe_server.__version__": flightframe_server.__version__,
    }
    assert len(set(written.values())) == 1, f"give all of these one version: {written}"


def test_the_wheel_holds_all_that_runs(wheels):
    names = names_of(wheels["flightframe"])
    assert names >= NEEDED
    on_disk = {
        str(path.relative_to(ROOT / holder))
        for holder in ("client", "server")
        for path in (ROOT / holder).glob("flightframe*/**/*")
        if path.suffix in {".py", ".pyi", ".lark", ".html", ".js", ".css", ".svg"}
    }
    assert on_disk <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_holds_nothing_else(wheels):
    tops = {name.split("/")[0] for name in names_of(wheels["flightframe"])}
    version = project("pyproject.toml")["version"]
    assert tops == {"flightframe", "flightframe_server", f"flightframe-{version}.dist-info"}


def test_the_demo_in_the_wheel_is_the_one_of_the_checkout(wheels):
    with zipfile.ZipFile(wheels["flightframe"]) as archive:
        for name in ("installation.yaml", "retail.coframe/ac.yaml"):
            packed = archive.read(f"flightframe_server/_fixtures/retail/{name}")
            assert packed == (ROOT / "fixtures" / "retail" / name).read_bytes()


def test_the_client_wheel_is_the_client_alone(wheels):
    names = names_of(wheels["flightframe-client"])
    assert not any(name.startswith("flightframe_server") for name in names)
    ours = {name for name in names_of(wheels["flightframe"]) if name.startswith("flightframe/")}
    assert {name for name in names if name.startswith("flightframe/")} == ours
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert metadata_of(wheels["flightframe-client"]).get_all("Requires-Dist") == [
        "pyarrow>=26",
        "pandas>=3.1; extra == 'pandas'",
        "polars>=2.1; extra == 'polars'",
    ]


def test_both_distributions_are_under_one_licence():
    own = (ROOT / "LICENSE").read_bytes()
    assert b"Apache License" in own
    assert (ROOT / "client" / "LICENSE").read_bytes() == own
    assert project("pyproject.toml")["license"] == project("client/pyproject.toml")["license"]


def test_the_client_asks_for_the_same_pyarrow():
    def wanted(path: str) -> str:
        (found,) = (item for item in project(path)["dependencies"] if re.match("pyarrow", item))
        return found

    assert wanted("pyproject.toml") == wanted("client/pyproject.toml")

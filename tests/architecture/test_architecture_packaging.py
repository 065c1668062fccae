"""What is in the two distributions, and that everything that names a version names the same one."""

from __future__ import annotations

import re
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

import flightframe
import flightframe_server

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
THIN = "flightframe-client"
CLIENT = {
    "flightframe/py.typed",
    "flightframe/wire/ticket_pb2.py",
    "flightframe/wire/ticket_pb2.pyi",
}
SERVER = {
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
    (client,) = (
        item.removeprefix("flightframe-client==")
        for item in project("pyproject.toml")["dependencies"]
        if item.startswith("flightframe-client")
    )
    written = {
        "pyproject.toml": project("pyproject.toml")["version"],
        "pyproject.toml, of the client": client,
        "client/pyproject.toml": project("client/pyproject.toml")["version"],
        "flightframe.__version__": flightframe.__version__,
        "flightframe_server.__version__": flightframe_server.__version__,
    }
    assert len(set(written.values())) == 1, f"give all of these one version: {written}"


@pytest.mark.parametrize(
    ("distribution", "package", "needed"),
    [("flightframe", "server/flightframe_server", SERVER), (THIN, "client/flightframe", CLIENT)],
)
def test_a_wheel_holds_all_that_runs(wheels, distribution, package, needed):
    names = names_of(wheels[distribution])
    assert names >= needed
    kinds = {".py", ".pyi", ".lark", ".html", ".js", ".css", ".svg"}
    on_disk = {
        str(path.relative_to(ROOT / package.split("/")[0]))
        for path in (ROOT / package).rglob("*")
        if path.suffix in kinds or path.name == "py.typed"
    }
    assert len(on_disk) > 10
    assert on_disk <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_a_wheel_holds_nothing_else_and_no_file_has_two_owners(wheels):
    version = project("pyproject.toml")["version"]
    tops = {
        distribution: {name.split("/")[0] for name in names_of(wheel)}
        for distribution, wheel in wheels.items()
    }
    assert tops == {
        "flightframe": {"flightframe_server", f"flightframe-{version}.dist-info"},
        THIN: {
            "flightframe",
            "flightframe-client",
            "flightframe-client.pth",
            f"flightframe_client-{version}.dist-info",
        },
    }


def test_the_second_copy_of_the_client_is_the_first(wheels):
    """The one that 0.1.0 of the server does not take with it, on the path behind the first."""
    with zipfile.ZipFile(wheels[THIN]) as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    first = {name: text for name, text in packed.items() if name.startswith("flightframe/")}
    second = {name: text for name, text in packed.items() if name.startswith("flightframe-client/")}
    assert second == {f"flightframe-client/{name}": text for name, text in first.items()}
    assert packed["flightframe-client.pth"].decode().split() == ["flightframe-client"]


def test_the_demo_in_the_wheel_is_the_one_of_the_checkout(wheels):
    with zipfile.ZipFile(wheels["flightframe"]) as archive:
        for name in ("installation.yaml", "retail.coframe/ac.yaml"):
            packed = archive.read(f"flightframe_server/_fixtures/retail/{name}")
            assert packed == (ROOT / "fixtures" / "retail" / name).read_bytes()


def test_the_client_needs_pyarrow_alone_and_the_server_its_client(wheels):
    assert metadata_of(wheels[THIN]).get_all("Requires-Dist") == [
        "pyarrow>=26",
        "pandas>=3.1; extra == 'pandas'",
        "polars>=2.1; extra == 'polars'",
        "adbc-driver-flightsql>=1.13; extra == 'sqlalchemy'",
        "sqlalchemy>=2.1; extra == 'sqlalchemy'",
    ]
    version = project("pyproject.toml")["version"]
    needed = metadata_of(wheels["flightframe"]).get_all("Requires-Dist")
    assert f"{THIN}=={version}" in needed


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

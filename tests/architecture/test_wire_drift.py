"""The committed wire modules are what the generator makes of the committed messages."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MESSAGES = sorted((ROOT / "proto/flightframe/wire").glob("*.proto"))
WIRE = ROOT / "client/flightframe/wire"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    target = tmp_path_factory.mktemp("generated")
    options = ["-I", "proto", f"--python_out={target}", f"--pyi_out={target}"]
    sources = [str(message.relative_to(ROOT)) for message in MESSAGES]
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", *options, *sources], cwd=ROOT, check=True
    )
    made = (target / "flightframe/wire").iterdir()
    return {file.name: file.read_text() for file in made}


def test_there_are_messages():
    assert "ticket.proto" in [message.name for message in MESSAGES]


def test_regenerating_changes_nothing(fresh):
    committed = {file.name: file.read_text() for file in WIRE.glob("*_pb2.py*")}
    assert committed == fresh, "run `make proto` and commit what it writes"

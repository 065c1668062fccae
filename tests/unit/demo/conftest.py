"""The generated demonstration, made once for all tests of this folder."""

from pathlib import Path

import pyarrow as pa
import pytest

from flightframe_server.demo import files
from flightframe_server.demo.files import WrittenDemo, write_demo
from flightframe_server.demo.retail import generate


@pytest.fixture(scope="session")
def tables() -> dict[str, pa.Table]:
    """The five tables, in memory."""
    return generate()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> WrittenDemo:
    """The whole demonstration on disk. Tests that change anything copy it first."""
    return write_demo(tmp_path_factory.mktemp("demo") / "made" / "here")


@pytest.fixture
def copied(
    demo: WrittenDemo,
    tables: dict[str, pa.Table],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A copy that a test may spoil; what is written again is not generated again."""
    monkeypatch.setattr(files, "generate", lambda: tables)
    folder = tmp_path / "copied"
    for name in demo.written:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((demo.folder / name).read_bytes())
    return folder

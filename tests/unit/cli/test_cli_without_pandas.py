"""A process that serves loads no pandas, and one that does not is left as it was."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

PROGRAM = """
import sys
import pyarrow as pa
from flightframe_server.cli.without_pandas import without_pandas

before = list(sys.meta_path)
with without_pandas():
    print(pa.table({{"a": [1, None], "b": ["x", "y"]}}).to_pylist())
    print("pandas" in sys.modules)
    try:
        import {name}
    except ModuleNotFoundError as error:
        print(error.name)
assert sys.meta_path == before
import pandas
print(pa.table({{"a": [1]}}).to_pandas().shape, pa.array(pandas.Series([2, 3])).to_pylist())
"""


@pytest.mark.parametrize("name", ["pandas", "pandas.core"])
def test_pandas_is_found_after_it_and_not_within(name: str) -> None:
    if importlib.util.find_spec("pandas") is None:
        pytest.fail("pandas is not installed: run `make setup`")
    program = PROGRAM.format(name=name)
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines() == [
        "[{'a': 1, 'b': 'x'}, {'a': None, 'b': 'y'}]",
        "False",
        "pandas",
        "(1, 1) [2, 3]",
    ]

"""The section `limits` of a manifest."""

from collections.abc import Callable

import pytest

from flightframe_server.catalog import read_installation
from flightframe_server.catalog.limits import Limits, half, tenth, three_quarters
from flightframe_server.errors import CatalogError

TOP = "id: a\ncollections: [ac.yaml]\nbackend: {type: duckdb, source: ./x.duckdb}\n"


def test_what_is_left_out_has_its_default() -> None:
    assert read_installation(TOP).limits == Limits()
    found = read_installation(TOP + "limits: {result_rows: 7, queue_seconds: 0.5, threads: 3}\n")
    assert found.limits == Limits(result_rows=7, queue_seconds=0.5, threads=3)
    assert type(found.limits.queue_seconds) is float
    assert (found.backend.threads, found.backend.memory_bytes) == (3, None)


REFUSED = {
    "result_row: 5": ("limits.result_row", "unknown key 'result_row'"),
    "query_bytes: 1048577": ("limits.query_bytes", "at most 1048576"),
    "request_bytes: 4194305": ("limits.request_bytes", "at most 4194304"),
    "parse_depth: 151": ("limits.parse_depth", "at most 150"),
    "handles: 0": ("limits.handles", "at least 1"),
    "queued_statements: -1": ("limits.queued_statements", "at least 0"),
    "statement_timeout: 0": ("limits.statement_timeout", "more than 0 seconds"),
    "statement_timeout: 604801": ("limits.statement_timeout", "at most a week"),
    "statement_timeout: soon": ("limits.statement_timeout", "a number of seconds"),
    "statement_timeout: true": ("limits.statement_timeout", "a number of seconds"),
    "result_bytes: 4GB": ("limits.result_bytes", "a whole number, found text"),
    "memory_bytes: 1000": ("limits.memory_bytes", "at least 16777216"),
    "threads: 1.5": ("limits.threads", "a whole number"),
}


@pytest.mark.parametrize("written", REFUSED)
def test_what_is_wrong_is_refused_where_it_stands(written: str) -> None:
    path, message = REFUSED[written]
    with pytest.raises(CatalogError) as refused:
        read_installation(f"{TOP}limits:\n  {written}\n")
    assert (refused.value.line, refused.value.path) == (5, path)
    assert message in refused.value.message


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        # Rounded up, so that one caller alone always has something.
        (three_quarters, {1: 1, 2: 2, 3: 3, 4: 3, 5: 4, 8: 6}),
        (half, {1: 1, 2: 1, 3: 2, 8: 4}),
        (tenth, {1: 1, 10: 1, 11: 2, 10_000: 1_000}),
    ],
)
def test_the_share_of_one_caller(share: Callable[[int], int], expected: dict[int, int]) -> None:
    assert {total: share(total) for total in expected} == expected

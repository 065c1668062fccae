"""`flightframe warm` and `flightframe cache`: the store seen and changed from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flightframe_server.answer import Request, answer
from flightframe_server.app import open_installation
from flightframe_server.cli import app


def run(*arguments: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def asked(shop: Path) -> Path:
    """The shop with its hint made, and one entry under a filter."""
    opened = open_installation(shop)
    assert [warmed.failure for _, warmed in opened.warm_up()] == [None]
    answer(Request("SELECT town, MAX(amount) AS m AT town WHERE shop = 'a'"), opened.runtime)
    opened.close()
    return shop


def listed(manifest: Path) -> list[dict[str, object]]:
    _, out, _ = run("cache", "list", manifest, "--format", "json")
    (body,) = json.loads(out)
    return body["entries"]


def test_hints_are_made_and_then_found(shop: Path) -> None:
    code, out, err = run("warm", shop)
    assert (code, err) == (0, "")
    assert out == "✓ amount @ ('town',) · made\n1 made, 0 found fresh\n"
    assert run("warm", shop)[1] == "✓ amount @ ('town',) · found\n0 made, 1 found fresh\n"
    assert [entry["pinned"] for entry in listed(shop)] == [True]


def test_a_hint_that_cannot_be_made_is_a_failure(shop: Path) -> None:
    text = shop.read_text()
    shop.write_text(f"{text}metric_engine: {{max_bytes_per_ac: 10}}\n")
    code, out, err = run("warm", shop)
    assert code == 1
    assert out == "✗ amount @ ('town',)\n0 made, 0 found fresh, 1 failed\n"
    assert "error LIMIT_EXCEEDED" in err


def test_the_list_shows_levels_of_a_filter_and_no_value(asked: Path) -> None:
    code, out, _ = run("cache", "list", asked)
    assert code == 0
    rows = [line.split() for line in out.splitlines() if "(amount)" in line]
    assert [row[:2] for row in rows] == [["MAX(amount)", "(town)"], ["SUM(amount)", "(town)"]]
    assert rows[0][2:4] == ["where", "shop"]
    assert "hinted fresh" in out
    assert "2 entries, " in out
    assert "'a'" not in json.dumps(listed(asked))


def test_entries_are_evicted_by_their_short_id(asked: Path) -> None:
    (first, second) = listed(asked)
    code, out, _ = run("cache", "evict", asked, str(first["id"]).rpartition("-")[2][:8])
    assert (code, out) == (0, "evicted 1 entry\n")
    assert [entry["id"] for entry in listed(asked)] == [second["id"]]
    code, _, err = run("cache", "evict", asked, "0123456789")
    assert code == 1
    assert "error UNKNOWN_NAME: there is no entry 0123456789" in err
    assert run("cache", "evict", asked, "--stale")[1] == "evicted 0 entries\n"
    assert run("cache", "evict", asked, "--all")[1] == "evicted 1 entry\n"
    assert listed(asked) == []


def test_stale_entries_are_those_of_another_collection_or_of_older_data(asked: Path) -> None:
    file = asked.parent / "ac.yaml"
    file.write_text(file.read_text().replace("column: amount}\n", "column: amount}\n    fill: 0\n"))
    assert [entry["fresh"] for entry in listed(asked)] == [False, False]
    assert run("cache", "evict", asked, "--stale")[1] == "evicted 2 entries\n"


def test_evicting_nothing_in_particular_is_wrong_usage(asked: Path) -> None:
    assert run("cache", "evict", asked)[0] == 2
    assert len(listed(asked)) == 2


@pytest.mark.parametrize("cut", [False, True], ids=["altered", "cut"])
def test_a_damaged_file_is_found_and_dropped(asked: Path, cut: bool) -> None:
    code, out, _ = run("cache", "verify", asked)
    assert code == 0
    assert out.startswith("✓ shop: 2 entries sound, ")
    path = min((asked.parent / "metric_engine").rglob("*.parquet"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content[:-1] if cut else content)
    code, out, _ = run("cache", "verify", asked)
    assert code == 1
    assert out.startswith("✗ shop: 1 entry sound, ")
    assert "1 damaged, and dropped" in out
    assert run("cache", "verify", asked)[0] == 0


@pytest.mark.parametrize("command", [("warm",), ("cache", "verify")])
def test_an_engine_that_is_off_has_no_store(shop: Path, command: tuple[str, ...]) -> None:
    shop.write_text(f"{shop.read_text()}metric_engine: {{enabled: false}}\n")
    code, _, err = run(*command, shop)
    assert code == 1
    assert "the engine is off and keeps nothing" in err
    code, out, _ = run("cache", "list", shop)
    assert code == 0
    assert "the engine is off and keeps nothing" in out

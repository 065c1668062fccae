"""`flightframe recommend` and `promote`: what they show, and what they write after a yes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from corner_shop import AC
from typer.testing import CliRunner

from flightframe_server.answer import Request, answer
from flightframe_server.app import open_installation
from flightframe_server.cli import app
from flightframe_server.cli.promotion import read_anchor

ANY = ("--min-hits", "1", "--min-age-days", "0")
DIFF = """\
--- a/ac.yaml
+++ b/ac.yaml
@@ -13,5 +13,5 @@
   - name: amount
     family_root: {schema: sales, column: amount}
     ip_reducers: [{operator: SUM, a_block: []}]
-    cache_hint: {materialize_at: [[town]]}
+    cache_hint: {materialize_at: [[town], [shop]]}
   - {name: double_amount, derived: {formula: "amount + amount", inputs: [amount]}}
"""
HINTED = AC.replace("[[town]]", "[[town], [shop]]")


def run(*arguments: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def asked(shop: Path) -> Path:
    """The shop after some questions: amount by shop is answered from the cache three times."""
    opened = open_installation(shop)
    for source, times in (
        ("SELECT shop, amount AT shop", 4),
        ("SELECT shop, MAX(amount) AS m AT shop", 3),
    ):
        for _ in range(times):
            answer(Request(source), opened.runtime)
    opened.close()
    return shop


def test_what_is_hot_is_shown_with_its_stanza_and_the_rest_with_its_reason(asked: Path) -> None:
    code, out, err = run("recommend", asked, *ANY)
    assert (code, err) == (0, "")
    assert (
        "# Add to metric_family 'amount' in ac.yaml:\n"
        "cache_hint:\n"
        "  materialize_at:\n"
        "    - [shop]   # Engine-recommended: 3 hits / 1 day = 3.0 hits/day\n"
    ) in out
    lines = [line.split() for line in out.splitlines()]
    (row,) = [line for line in lines if line[:2] == ["amount", "(shop)"]]
    assert row[2:5] == ["3", "0.0", "3.0"]
    assert any(line[:4] == ["amount", "MAX", "(shop)", "2"] for line in lines)
    assert "a hint keeps SUM, the family's default, and this is MAX" in out


def test_nothing_is_hot_by_default_on_the_first_day(asked: Path) -> None:
    code, out, _ = run("recommend", asked)
    assert code == 0
    assert "no question without a hint has 100 hits in 7 days or more" in out
    assert "# Add" not in out


def test_recommendations_as_json_are_those_of_the_server(asked: Path) -> None:
    code, out, _ = run("recommend", asked, *ANY, "--format", "json")
    assert code == 0
    (body,) = json.loads(out)
    assert body["ac_name"] == "shop"
    assert body["thresholds"] == {"min_hits": 1, "min_age_days": 0.0, "min_hits_per_day": 0.0}
    (one,) = body["recommendations"]
    assert (one["family"], one["anchor"], one["hits"]) == ("amount", ["shop"], 3)
    assert [other["operator"] for other in body["not_candidates"]] == ["MAX"]


def test_a_dry_run_shows_the_difference_and_writes_nothing(asked: Path) -> None:
    code, out, _ = run("promote", asked, "amount@shop", "--dry-run")
    assert (code, out) == (0, DIFF)
    assert (asked.parent / "ac.yaml").read_text() == AC


def test_nothing_is_written_where_nobody_can_agree(asked: Path) -> None:
    code, out, err = run("promote", asked, "amount@shop")
    assert (code, out) == (1, DIFF)
    assert err == "nothing is written: say --yes to write ac.yaml\n"
    assert (asked.parent / "ac.yaml").read_text() == AC


@pytest.mark.parametrize("arguments", [("amount @ (shop)",), ("AMOUNT@SHOP",), ANY])
def test_after_a_yes_the_file_is_written_once(asked: Path, arguments: tuple[str, ...]) -> None:
    code, out, _ = run("promote", asked, *arguments, "--yes")
    assert code == 0
    assert out.startswith(DIFF)
    assert "✓ wrote ac.yaml: 1 hint" in out
    assert (asked.parent / "ac.yaml").read_text() == HINTED
    code, out, _ = run("promote", asked, *arguments, "--yes")
    assert code == 0
    assert out.startswith("nothing changes: ")
    assert (asked.parent / "ac.yaml").read_text() == HINTED
    code, out, _ = run("warm", asked)
    assert code == 0
    assert "✓ amount @ ('shop',) · found" in out


def test_what_is_refused_is_told_and_nothing_is_written(asked: Path) -> None:
    code, _, err = run("promote", asked, "amount@shop", "amount@twon", "--yes")
    assert code == 1
    assert "error UNKNOWN_NAME: there is no level 'twon'" in err
    assert "did you mean town?" in err
    assert (asked.parent / "ac.yaml").read_text() == AC


def test_what_cannot_be_edited_is_left_to_be_pasted(shop: Path) -> None:
    text = AC.replace("cache_hint: {", "cache_hint: &hint {")
    text += "  - {name: sold, family_root: {schema: sales}, cache_hint: *hint}\n"
    (shop.parent / "ac.yaml").write_text(text)
    code, out, err = run("promote", shop, "sold@shop", "--yes")
    assert code == 1
    assert "error CATALOG" in err
    assert out == (
        "# Add to metric_family 'sold' in ac.yaml:\ncache_hint:\n  materialize_at:\n    - [shop]\n"
    )
    assert (shop.parent / "ac.yaml").read_text() == text


@pytest.mark.parametrize(
    ("text", "family", "anchor"),
    [
        ("revenue@day", "revenue", ("day",)),
        ("revenue @ (day, region)", "revenue", ("day", "region")),
        ("revenue@", "revenue", ()),
        ("revenue@()", "revenue", ()),
        ('"net@home" @ "unit price",day', "net@home", ("unit price", "day")),
    ],
)
def test_an_anchor_on_the_command_line(text: str, family: str, anchor: tuple[str, ...]) -> None:
    read = read_anchor(text)
    assert (read.family, read.anchor) == (family, anchor)


@pytest.mark.parametrize("text", ["revenue", "@day", "revenue@day,,region"])
def test_what_is_no_anchor_is_wrong_usage(shop: Path, text: str) -> None:
    with pytest.raises(typer.BadParameter):
        read_anchor(text)
    code, _, _ = run("promote", shop, text)
    assert code == 2

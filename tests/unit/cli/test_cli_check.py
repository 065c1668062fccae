"""`flightframe check`: what it shows of a sound installation, and what it finds in others."""

from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from flightframe_server.cli import app
from flightframe_server.cli.overview import size


def check(manifest: Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["check", str(manifest)])
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done.exit_code, done.stdout, done.stderr


def spoil(manifest: Path, sql: str) -> None:
    with duckdb.connect(str(manifest.parent / "shop.duckdb")) as connection:
        connection.execute(sql)


def test_a_sound_installation(shop: Path) -> None:
    before = sorted(shop.parent.rglob("*"))
    code, out, err = check(shop)
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "installation corner-shop installation.yaml" in words
    assert "sales sales 3 sale" in words
    assert "place shop, town shop -> town by table" in words
    assert "amount sales.amount SUM (town)" in words
    assert "double_amount derived of amount" in words
    assert "2 unique grains, 1 attested edge, 1 answered hint, 2 totals" in words
    assert out.splitlines()[-1] == "✓ no problems"
    assert sorted(shop.parent.rglob("*")) == before


def test_a_key_on_two_rows(shop: Path) -> None:
    spoil(shop, "INSERT INTO sales VALUES (2, 'b', 7)")
    code, out, err = check(shop)
    assert code == 1
    assert "error CATALOG: ac.yaml, line 6, schemas[1]: the grain of sales (sale)" in err
    assert "(2) stands on several rows" in err
    # A sum of those rows is refused, and so is the hint that wants it.
    assert "error FD_VIOLATION: SUM(amount) needs the grain of sales to be unique" in err
    assert out.splitlines()[-1] == "✗ 2 problems"


def test_a_metric_whose_total_does_not_fit_its_type(shop: Path) -> None:
    # Each town's sum fits 64 bits, as the hint asks; that of both is 2^63.
    spoil(
        shop,
        "ALTER TABLE sales ALTER amount TYPE BIGINT;"
        "UPDATE sales SET amount = 4611686018427387904 WHERE id > 1;"
        "UPDATE sales SET amount = 0 WHERE id = 1",
    )
    code, out, err = check(shop)
    assert code == 1
    assert "1 answered hint" in out
    assert "error OVERFLOW" in err
    assert "amount" in err
    # The metric, and what is derived from it.
    assert out.splitlines()[-1] == "✗ 2 problems"
    spoil(shop, "UPDATE sales SET amount = amount - 1 WHERE id = 3")
    code, out, err = check(shop)
    # 2^63 - 1 fits, and twice that does not.
    assert (code, err.count("OVERFLOW")) == (1, 1)
    assert "double_amount" in err


def test_reducers_and_formulas_that_take_no_text_are_told(shop: Path) -> None:
    text = (shop.parent / "ac.yaml").read_text()
    (shop.parent / "ac.yaml").write_text(
        text
        + "  - name: label\n"
        + "    family_root: {schema: sales, column: shop}\n"
        + "    default_reducer: MAX\n"
        + "    ip_reducers: [{operator: MAX}, {operator: SUM}, {operator: RANGE}]\n"
        + '  - {name: root, derived: {formula: "SQRT(label)", inputs: [label]}}\n'
    )
    code, out, err = check(shop)
    words = " ".join(err.split())
    line = len(text.splitlines()) + 1
    for told in (
        f"ac.yaml, line {line}, metric_families[2]: SUM(label) can never be answered: SUM takes a"
        " number, and label is text",
        "RANGE(label) can never be answered: RANGE takes a number",
        f"line {line + 4}, metric_families[3]: root can never be answered: SQRT does not take",
    ):
        assert told in words
    assert code == 1
    assert out.splitlines()[-1] == "✗ 3 problems"


def test_what_is_trusted_or_has_no_key_is_not_checked(shop: Path) -> None:
    ac = shop.parent / "ac.yaml"
    text = ac.read_text()
    spoil(shop, "INSERT INTO sales VALUES (2, 'b', 7); INSERT INTO shops VALUES ('a', 'West')")
    ac.write_text(text.replace("grain: [sale]", "grain: rows"))
    code, out, err = check(shop)
    assert (code, "grain of sales" in out + err) == (1, False)
    trusted = text.replace("grain: [sale]", "grain: [sale]\n    attest: trusted")
    ac.write_text(trusted.replace("grain: [shop],", "grain: [shop], attest: trusted,"))
    code, out, err = check(shop)
    assert (code, err) == (0, "")
    assert "not checked: the grain of sales, which is trusted" in out
    assert "not checked: shop -> town, which is trusted" in out


def test_a_column_that_nothing_leads_to_is_told_and_is_no_problem(shop: Path) -> None:
    ac = shop.parent / "ac.yaml"
    spoil(shop, "ALTER TABLE sales ADD COLUMN till VARCHAR; ALTER TABLE sales ADD COLUMN fee INT")
    columns = (
        'amount: amount, till: till, fee: fee, net: {expr: amount - FEE, type: "decimal(12,2)"}'
    )
    ac.write_text(ac.read_text().replace("amount: amount}", f"{columns}}}"))
    code, out, err = check(shop)
    assert (code, err) == (0, "")
    told = [line.strip() for line in out.splitlines() if "never asked for" in line]
    assert told == [
        f"- never asked for: sales.{column} stands in no dimension family, and no metric or"
        " column reads it"
        for column in ("till", "net")
    ]


def test_an_edge_with_two_targets(shop: Path) -> None:
    spoil(shop, "INSERT INTO shops VALUES ('a', 'West')")
    code, out, err = check(shop)
    assert code == 1
    assert "promise.broken" not in out + err
    # The key of shops is broken as well, and so is the hint that needs the edge.
    assert "error FD_VIOLATION: the data breaks shop -> town: a has North and West" in err
    assert "the grain of shops (shop) is not unique" in err
    assert out.splitlines()[-1] == "✗ 3 problems"


TWO_WAYS = """
version: 1
name: trade
schemas:
  - {name: buyers, grain: [buyer], columns: {buyer: buyer, town: town}}
  - {name: sellers, grain: [seller], columns: {seller: seller, town: town}}
  - {name: deals, grain: [deal], columns: {deal: deal, buyer: buyer, seller: seller, price: price}}
dimension_families:
  - name: place
    levels: [buyer, seller, town]
    edges: [{from: buyer, to: town, via: buyers}, {from: seller, to: town, via: sellers}]
metric_families:
  - {name: price, family_root: {schema: deals, column: price}, ip_reducers: [{operator: SUM}]}
"""


def test_two_ways_to_a_level_that_disagree(shop: Path) -> None:
    (shop.parent / "ac.yaml").write_text(TWO_WAYS)
    sql = (
        "CREATE TABLE buyers AS SELECT 'b' AS buyer, 'North' AS town;"
        "CREATE TABLE sellers AS SELECT 's' AS seller, 'North' AS town;"
        "CREATE TABLE deals AS SELECT 1 AS deal, 'b' AS buyer, 's' AS seller, 5 AS price;"
    )
    spoil(shop, sql)
    assert check(shop)[0] == 0
    spoil(shop, "UPDATE sellers SET town = 'South'")
    code, out, err = check(shop)
    assert code == 1
    found = "all ways from deals to town: the row with buyer b and seller s is of North"
    assert f"error AMBIGUOUS_PATH: the data breaks {found} by buyer -> town" in err
    assert "and of South by seller -> town" in " ".join(err.split())
    assert "under `roles`" in " ".join(err.split())
    assert out.splitlines()[-1] == "✗ 1 problem"


@pytest.mark.parametrize(
    ("name", "content", "first"),
    [
        ("installation.yaml", None, "error SETUP: there is no file installation.yaml"),
        ("installation.yaml", "id: [", "error CATALOG: installation.yaml, line"),
        ("installation.yaml", "id: x\nbakend: {}", "error CATALOG: installation.yaml"),
        ("ac.yaml", None, "error SETUP: there is no file ac.yaml"),
        ("ac.yaml", "version: 1\nname: [", "error CATALOG: ac.yaml, line"),
        ("ac.yaml", "version: 2", "error CATALOG: ac.yaml, line 1"),
        ("shop.duckdb", None, "error SETUP: there is no database file shop.duckdb"),
        ("shop.duckdb", "no database", "error SETUP: the database file shop.duckdb cannot"),
    ],
)
def test_files_that_are_missing_or_wrong(
    shop: Path, name: str, content: str | None, first: str
) -> None:
    path = shop.parent / name
    path.unlink()
    if content is not None:
        path.write_text(content)
    code, _, err = check(shop)
    assert code == 1
    assert err.startswith(first)
    assert str(shop.parent) not in err


def test_a_collection_that_does_not_fit_the_database(shop: Path) -> None:
    spoil(shop, "DROP TABLE sales")
    code, out, err = check(shop)
    assert code == 1
    assert err.startswith("error CATALOG: ")
    assert out.splitlines()[-1] == "✗ 1 problem"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1023, "1,023 bytes"), (1536, "1.5 KiB"), (1 << 40, "1.0 TiB")],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


def test_every_mistake_of_a_file_is_told(shop: Path) -> None:
    ac = shop.parent / "ac.yaml"
    wrong = "".join(
        f"  - {{name: m{n}, family_root: {{schema: nowhere{n}, column: amount}},"
        " ip_reducers: [{operator: SUM}]}\n"
        for n in range(30)
    )
    ac.write_text(ac.read_text() + wrong)
    code, _, err = check(shop)
    assert code == 1
    assert [f"nowhere{n}" for n in range(30) if f"nowhere{n}" not in err] == []
    assert "more mistake" not in err


FRAMES = """\
frames:
  - {name: by_town, query: "SELECT town, amount AT town"}
  - {name: whole, query: "SELECT amount AT () WHERE day < CURRENT_DATE"}
"""


def with_frames(manifest: Path, frames: str) -> None:
    file = manifest.parent / "ac.yaml"
    file.write_text(file.read_text() + frames)


def test_frames_are_shown_and_asked(shop: Path) -> None:
    with_frames(shop, FRAMES.replace(" WHERE day < CURRENT_DATE", ""))
    code, out, err = check(shop)
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "by_town SELECT town, amount AT town whole SELECT amount AT ()" in words
    assert "2 answered frames" in words


def test_a_frame_that_is_no_question(shop: Path) -> None:
    with_frames(shop, FRAMES)
    code, _, err = check(shop)
    assert code == 1
    assert "line 20, frames[1].query: refused: there is no level day (UNKNOWN_NAME)" in err


def test_a_frame_that_the_data_do_not_let_be_answered(shop: Path) -> None:
    with_frames(shop, 'frames: [{name: by_sale, query: "SELECT sale, amount AT sale"}]\n')
    spoil(shop, "INSERT INTO sales VALUES (2, 'b', 7)")
    code, _, err = check(shop)
    assert code == 1
    words = " ".join(err.split())
    assert "frames[0].query: the frame by_sale cannot be answered: SUM(amount) needs" in words


def test_a_mistake_in_a_formula_is_shown_with_a_caret_under_it(shop: Path) -> None:
    ac = shop.parent / "ac.yaml"
    ac.write_text(ac.read_text().replace("amount + amount", "amount + (amount))"))
    _, _, err = check(shop)
    lines = err.splitlines()
    at = lines.index("  hint: line 1, column 18 of it:")
    assert lines[at + 1] == "    amount + (amount))"
    assert lines[at + 2] == " " * (4 + len("amount + (amount)")) + "^"

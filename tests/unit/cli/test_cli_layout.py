"""Tables in a width: no cell is cut, no line is too long, numbers stand flush right."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flightframe_server.cli.layout import Column, Table, folded, laid_out

SALES = Table(
    [Column("region"), Column("total_revenue", numeric=True), Column("remark")],
    [("Central", "3868636.36", "the largest of three"), ("West", "12.00", "")],
)


def lines(table: Table, width: int | None) -> list[str]:
    return [line.text for line in laid_out(table, width)]


def test_what_fits_stands_side_by_side() -> None:
    assert lines(SALES, None) == [
        "region    total_revenue   remark",
        "─" * 46,
        "Central      3868636.36   the largest of three",
        "West              12.00",
    ]
    assert lines(SALES, 46) == lines(SALES, None)
    # The gaps go first.
    assert lines(SALES, 44)[2] == "Central     3868636.36  the largest of three"


def test_a_text_and_a_heading_are_folded_and_a_number_is_not() -> None:
    assert lines(SALES, 36)[2:] == [
        "Central     3868636.36  the largest",
        "                        of three",
        "West             12.00",
    ]
    assert lines(SALES, 31) == [
        "region       total_  remark",
        "            revenue",
        "─" * 31,
        "Central  3868636.36  the",
        "                     largest of",
        "                     three",
        "West          12.00",
    ]


def test_where_columns_do_not_fit_each_row_is_a_record() -> None:
    assert lines(SALES, 22) == [
        "─" * 22,
        "region      Central",
        "total_      3868636.36",
        "revenue",
        "remark      the",
        "            largest of",
        "            three",
        "─" * 22,
        "region      West",
        "total_      12.00",
        "revenue",
        "remark",
    ]


def test_wide_characters_take_two_places() -> None:
    table = Table([Column("town"), Column("n", numeric=True)], [("東京", "1"), ("Lodz", "22")])
    assert lines(table, None)[2:] == ["東京    1", "Lodz   22"]


def test_folding_keeps_words_and_every_character() -> None:
    assert folded("may be asked at", 8) == ["may be", "asked at"]
    assert folded("total_revenue", 9) == ["total_", "revenue"]
    assert folded("abcdefgh", 3) == ["abc", "def", "gh"]
    assert folded("", 3) == [""]


def test_a_long_word_is_folded_behind_its_signs() -> None:
    assert folded("MEMBERS(members(stores))", 20) == ["MEMBERS(members(", "stores))"]
    assert folded("of shop/ac.yaml", 9) == ["of shop/", "ac.yaml"]
    # A word that fits on a line of its own stands on one.
    assert folded("up to AVG(price)", 12) == ["up to", "AVG(price)"]
    assert folded("(abcdefgh)", 4) == ["(", "abcd", "efgh", ")"]


@given(
    width=st.integers(13, 120),
    rows=st.lists(
        st.tuples(st.text("ab 東_(,", max_size=40), st.integers(-(10**8), 10**8), st.text("xy ")),
        min_size=1,
        max_size=4,
    ),
)
def test_no_line_is_too_long_and_nothing_is_lost(
    width: int, rows: list[tuple[str, int, str]]
) -> None:
    table = Table([Column("a text"), Column("n", numeric=True), Column("more text")])
    for text, number, more in rows:
        table.add(text, str(number), more)
    shown = lines(table, width)
    assert max(map(cell_len, shown)) <= width
    together = "".join(shown)
    for letter in "ab東xy":
        expected = sum(text.count(letter) + more.count(letter) for text, _, more in rows)
        assert together.count(letter) >= expected
    words = " ".join(shown).split()
    assert all(str(number) in words for _, number, _ in rows)

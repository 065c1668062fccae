"""Names, texts and single values as a document may hold them, and the shares of one caller."""

import pytest
from pydantic_core import PydanticCustomError

from flightframe_server.catalog.limits import half, tenth, three_quarters
from flightframe_server.catalog.shape_values import (
    NAME_LENGTH_MAX,
    checked_name,
    checked_scalar,
    checked_text,
    checked_zone,
    lower_case,
    upper_case,
)


@pytest.mark.parametrize("name", ["store", "a store", "Größe", "x" * NAME_LENGTH_MAX])
def test_a_name_that_can_be_shown_is_kept(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "must not be empty"),
        ("  ", "must not be empty"),
        (" store", "must not start or end with a blank"),
        ("a\nb", "control characters"),
        ("x" * (NAME_LENGTH_MAX + 1), "has at most 200 letters"),
    ],
)
def test_a_name_that_cannot_be_shown_is_refused(name: str, said: str) -> None:
    with pytest.raises(PydanticCustomError, match=said):
        checked_name(name)


def test_a_text_is_not_blank() -> None:
    assert checked_text(" x ") == " x "
    with pytest.raises(PydanticCustomError, match="must not be empty"):
        checked_text(" ")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Salta", "Etc/GMT+5"])
def test_a_zone_has_the_form_of_a_name_of_a_place(zone: str) -> None:
    assert checked_zone(zone) == zone
    for wrong in (f"{zone}/", f" {zone}", f"../{zone}"):
        with pytest.raises(PydanticCustomError, match="expected a time zone"):
            checked_zone(wrong)


def test_a_single_value_is_no_list_and_no_mapping() -> None:
    assert [checked_scalar(value) for value in (1, "x", None)] == [1, "x", None]
    for several in ([1], {"a": 1}):
        with pytest.raises(PydanticCustomError, match="expected a single value"):
            checked_scalar(several)


def test_a_word_stands_for_itself_in_any_case() -> None:
    assert (upper_case("sum"), lower_case("DuckDB")) == ("SUM", "duckdb")
    assert (upper_case(5), lower_case(True)) == (5, True)


@pytest.mark.parametrize(
    ("total", "most", "middle", "least"), [(1, 1, 1, 1), (8, 6, 4, 1), (10, 8, 5, 1), (11, 9, 6, 2)]
)
def test_the_share_of_one_caller_is_rounded_up(
    total: int, most: int, middle: int, least: int
) -> None:
    assert (three_quarters(total), half(total), tenth(total)) == (most, middle, least)

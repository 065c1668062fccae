"""What drivers are told of the columns of an answer."""

import pyarrow as pa
import pytest

from flightframe_server.arrow_types import with_sql_metadata

KEY = "ARROW:FLIGHT:SQL:"


@pytest.mark.parametrize(
    ("type_", "name", "precision", "scale"),
    [
        (pa.int64(), "BIGINT", "19", "0"),
        (pa.decimal128(12, 2), "DECIMAL", "12", "2"),
        (pa.decimal128(38, 0), "DECIMAL", "38", "0"),
        (pa.float64(), "DOUBLE", "15", None),
        (pa.string(), "VARCHAR", None, None),
        (pa.date32(), "DATE", "10", "0"),
        (pa.timestamp("us"), "TIMESTAMP", "26", "6"),
        (pa.timestamp("us", "UTC"), "TIMESTAMP", "26", "6"),
        (pa.bool_(), "BOOLEAN", None, None),
        (pa.null(), None, None, None),
    ],
    ids=str,
)
def test_a_column_says_its_type_and_its_digits(type_, name, precision, scale):
    (field,) = with_sql_metadata(pa.schema({"a": type_}))
    wanted = {"TYPE_NAME": name, "PRECISION": precision, "SCALE": scale, "IS_READ_ONLY": "1"}
    assert {key.decode(): value.decode() for key, value in field.metadata.items()} == {
        KEY + key: value for key, value in wanted.items() if value is not None
    }
    assert (field.name, field.type) == ("a", type_)


def test_no_column_carries_a_remark_which_jdbc_would_show_as_its_name():
    schema = with_sql_metadata(pa.schema({"a": pa.int64(), "b": pa.string()}))
    assert all(f"{KEY}REMARKS".encode() not in field.metadata for field in schema)

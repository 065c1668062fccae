"""Frames side by side: every point of any of them, NULL keys matched, types kept."""

import pyarrow as pa
import pytest

from flightframe_server.composer.merge import merge


def table(rows, name):
    keys = pa.array([row[0] for row in rows], pa.string())
    return pa.table({"region": keys, name: pa.array([row[-1] for row in rows], pa.int64())})


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([("East", 1), (None, 2)], [("East", 3), (None, 4)], [("East", 1, 3), (None, 2, 4)]),
        (
            [("East", 1), (None, 2)],
            [("West", 3), (None, 4)],
            [("East", 1, None), ("West", None, 3), (None, 2, 4)],
        ),
        ([], [("West", 3)], [("West", None, 3)]),
        ([("West", None)], [], [("West", None, None)]),
        ([], [], []),
        # As many points, and not the same ones.
        ([("a", 1), ("b", 2)], [("b", 3), ("c", 4)], [("a", 1, None), ("b", 2, 3), ("c", None, 4)]),
    ],
)
def test_every_point_of_either_side(left, right, expected):
    found = merge([table(left, "x"), table(right, "y")], ("region",))
    assert [tuple(row.values()) for row in found.to_pylist()] == expected
    assert found.schema.types == [pa.string(), pa.int64(), pa.int64()]


def test_three_frames_and_two_levels():
    def made(name, *rows):
        a, b, values = zip(*rows, strict=True)
        return pa.table(
            {
                "a": pa.array(a, pa.string()),
                "b": pa.array(b, pa.int64()),
                name: pa.array(values, pa.float64()),
            }
        )

    found = merge(
        [
            made("x", ("p", 1, 0.5), (None, None, 1.5)),
            made("y", ("p", 1, 2.5), ("p", None, 3.5)),
            made("z", (None, 1, 4.5), (None, None, 5.5)),
        ],
        ("a", "b"),
    )
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        ("p", 1, 0.5, 2.5, None),
        ("p", None, None, 3.5, None),
        (None, 1, None, None, 4.5),
        (None, None, 1.5, None, 5.5),
    ]


def test_grand_totals_stand_beside_each_other():
    found = merge([pa.table({"x": [1]}), pa.table({"y": [2]})], ())
    assert found.to_pylist() == [{"x": 1, "y": 2}]

"""Texts are packed for who takes them so, and kept within a bound."""

import gzip

import pytest

from flightframe_server.web.packing import KeptTexts, accepts_gzip, packed


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=0.8, br", True),
        ("*", True),
        ("gzip; q=0", False),
        ("gzip;q=0.000, *;q=1", False),
        ("identity", False),
        ("notgzip", False),
    ],
)
def test_who_takes_gzip(header, accepted):
    assert accepts_gzip(header) is accepted


@pytest.mark.parametrize("size", [10, 2 << 20])
def test_what_is_packed_is_the_text(size):
    text = b"level " * (size // 6)
    assert gzip.decompress(packed(text)) == text
    assert packed(text) == packed(text)


def test_the_least_recently_used_goes_first():
    kept = KeptTexts(30)
    for name in ("a", "b", "c"):
        kept.keep(name, name.encode() * 10)
    assert kept.get("a") == b"a" * 10
    kept.keep("d", b"d" * 10)
    assert [name for name in "abcd" if kept.get(name) is not None] == ["a", "c", "d"]


def test_what_is_larger_than_all_is_not_kept_and_takes_nothing():
    kept = KeptTexts(30)
    kept.keep("a", b"a" * 20)
    kept.keep("b", b"b" * 31)
    assert (kept.get("a"), kept.get("b")) == (b"a" * 20, None)
    kept.keep("a", b"x" * 31)
    kept.keep("c", b"c" * 30)
    assert (kept.get("a"), kept.get("c")) == (None, b"c" * 30)

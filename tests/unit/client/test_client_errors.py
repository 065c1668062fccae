"""What the server writes arrives with all its facts; what pyarrow adds does not."""

import pickle
import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import flight

import flightframe
from flightframe.failures import CLASSES, from_text, server_text
from flightframe_server import errors

BRANCHES = {
    errors.QueryError: flightframe.QueryError,
    errors.AccessError: flightframe.AuthenticationFailed,
    errors.CatalogError: flightframe.CatalogError,
    errors.SetupError: flightframe.BackendError,
    errors.BackendError: flightframe.BackendError,
    errors.InternalError: flightframe.InternalError,
}
LEAVES = errors.leaves()
# As pyarrow 26 was seen to write them; the traceback is that of a server that leaks it.
ADDED = [
    "",
    ". Detail: Internal",
    ". Detail: TimedOut. gRPC client debug context: DEADLINE_EXCEEDED:x. Client context: OK",
    '. Detail: Python exception: Traceback (most recent call last):\n  File "/srv/app.py"\n. gRPC',
    ". Detail: Python exception: pyarrow.lib.ArrowInvalid: x",
    ". gRPC client debug context: UNAVAILABLE:x. Client context: IOError: y. Detail: Internal",
]
WORDS = st.text(st.characters(categories=["L", "N", "Zs"], include_characters="'_,-?"), min_size=1)
SENTENCE = WORDS.map(lambda words: " ".join(words.split())).filter(bool)


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_every_code_of_the_server_has_the_class_of_its_branch(leaf):
    (expected,) = {ours for theirs, ours in BRANCHES.items() if issubclass(leaf, theirs)}
    assert type(from_text(str(leaf("something is wrong")))) is expected


def test_no_code_is_listed_that_the_server_does_not_have():
    assert set(CLASSES) == {leaf.code for leaf in LEAVES}


@given(
    leaf=st.sampled_from([leaf for leaf in LEAVES if leaf is not errors.CatalogError]),
    message=SENTENCE,
    hint=st.none() | SENTENCE,
    place=st.none() | st.builds(errors.Place, st.integers(1, 9999), st.integers(1, 9999)),
    added=st.sampled_from(ADDED),
)
def test_the_text_of_the_server_is_read_back(leaf, message, hint, place, added):
    sent = str(leaf(message, hint=hint, place=place))
    found = from_text(server_text(sent + added))
    assert (found.code, found.message, found.hint) == (leaf.code, message, hint)
    assert (found.line, found.column) == ((place.line, place.column) if place else (None, None))
    assert str(found) == sent


def test_a_shortened_text_is_still_read():
    found = from_text(str(errors.FrameQLSyntaxError("x" * 2000)))
    assert found.code == "PARSE"
    assert re.fullmatch("x+", found.message)


def test_an_unknown_code_is_the_base_class_with_its_facts():
    found = from_text("BRAND_NEW: never heard of (line 2, column 3). Hint: update")
    assert type(found) is flightframe.FlightframeError
    assert (found.code, found.line, found.column, found.hint) == ("BRAND_NEW", 2, 3, "update")


@pytest.mark.parametrize("text", ["", "boom", "failed: to connect", "Unknown: x."])
def test_a_foreign_text_is_not_mistaken_for_one(text):
    assert from_text(text) is None


def test_a_query_error_comes_out_of_query_whole_and_clean(wire, connection):
    def fail(ticket):
        place = errors.Place(1, 8)
        raise pa.ArrowInvalid(str(errors.UnknownName("no metric rev", hint="rue?", place=place)))

    wire.answer = fail
    with pytest.raises(flightframe.QueryError) as caught:
        connection.query("SELECT rev AT region")
    error = caught.value
    assert (error.code, error.message, error.hint) == ("UNKNOWN_NAME", "no metric rev", "rue?")
    assert (error.line, error.column) == (1, 8)
    assert str(error) == "UNKNOWN_NAME: no metric rev (line 1, column 8). Hint: rue?"
    assert error.__cause__ is None
    assert error.__suppress_context__


@pytest.mark.parametrize(
    ("raised", "expected", "code"),
    [
        (pa.ArrowKeyError("NOT_CACHED: no."), flightframe.QueryError, "NOT_CACHED"),
        (NotImplementedError("NOT_SUPPORTED: no."), flightframe.QueryError, "NOT_SUPPORTED"),
        (flight.FlightUnavailableError("BACKEND: gone."), flightframe.BackendError, "BACKEND"),
        (flight.FlightTimedOutError("TIMEOUT: long."), flightframe.BackendError, "TIMEOUT"),
        (flight.FlightInternalError("INTERNAL: id 5."), flightframe.InternalError, "INTERNAL"),
        (flight.FlightUnavailableError("draining"), flightframe.ConnectionFailed, "UNAVAILABLE"),
        (
            flight.FlightUnauthenticatedError("who?"),
            flightframe.AuthenticationFailed,
            "UNAUTHENTICATED",
        ),
        (
            flight.FlightUnauthorizedError("not you"),
            flightframe.AuthenticationFailed,
            "PERMISSION_DENIED",
        ),
        (flight.FlightTimedOutError("long"), flightframe.BackendError, "TIMEOUT"),
        (flight.FlightCancelledError("off"), flightframe.BackendError, "CANCELLED"),
        (flight.FlightInternalError("oops"), flightframe.InternalError, "INTERNAL"),
        (RuntimeError("boom"), flightframe.FlightframeError, "UNKNOWN"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_every_status_becomes_an_error_of_ours(wire, connection, raised, expected, code):
    def fail(ticket):
        raise raised

    wire.answer = fail
    with pytest.raises(flightframe.Error) as caught:
        connection.query("SELECT x AT y")
    assert type(caught.value) is expected
    assert caught.value.code == code
    for leak in ("Traceback", ".py", "Detail", "debug context", "/"):
        assert leak not in str(caught.value).replace("grpc://", "").replace("grpc+tls://", "")


def test_a_long_foreign_text_is_cut(wire, connection):
    def fail(ticket):
        raise flight.FlightServerError("x" * 3000)

    wire.answer = fail
    with pytest.raises(flightframe.Error) as caught:
        connection.query("SELECT x AT y")
    assert len(str(caught.value)) < 300


def test_nobody_listening_is_said_in_a_line_with_the_address(wire):
    uri = wire.uri
    wire.shutdown()
    with flightframe.connect(uri) as gone, pytest.raises(flightframe.ConnectionFailed) as caught:
        gone.query("SELECT x AT y")
    assert caught.value.message == f"no answer from {uri.removeprefix('grpc://')}"
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "error",
    [
        flightframe.QueryError("PARSE", "no", "hint", 1, 2),
        flightframe.ArgumentError("no", "hint"),
        flightframe.MissingPackage("MISSING_PACKAGE", "no"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_survive_pickling(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)

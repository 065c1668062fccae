"""The `authorization` header, by the examples of RFC 7617 and by what drivers really send."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightframe_server.access.credentials import Basic, Bearer, read_credentials
from flightframe_server.errors import NotAuthenticated


def test_no_header_claims_nothing():
    assert read_credentials([]) is None


@pytest.mark.parametrize(
    ("value", "claimed"),
    [
        # The two examples of RFC 7617, and the first as the ADBC driver sends it, unpadded.
        ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", Basic("Aladdin", "open sesame")),
        ("Basic dGVzdDoxMjPCow==", Basic("test", "123£")),
        ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", Basic("Aladdin", "open sesame")),
        ("basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ== ", Basic("Aladdin", "open sesame")),
        ("BASIC YTo=", Basic("a", "")),
        ("Basic YTpiOmM=", Basic("a", "b:c")),
        # RFC 6750, section 2.1.
        ("Bearer mF_9.B5f-4.1JqM", Bearer("mF_9.B5f-4.1JqM")),
        ("bearer x", Bearer("x")),
    ],
)
def test_what_a_header_claims(value, claimed):
    assert read_credentials([value]) == claimed


@given(
    user=st.text().filter(lambda name: ":" not in name), password=st.text(), padded=st.booleans()
)
def test_any_name_and_password_are_read_back(user, password, padded):
    try:
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    except UnicodeEncodeError:
        return
    sent = encoded if padded else encoded.rstrip("=")
    assert read_credentials([f"Basic {sent}"]) == Basic(user, password)


@given(values=st.lists(st.text(max_size=200) | st.binary(max_size=200), min_size=1, max_size=3))
def test_anything_else_is_one_refusal_that_repeats_nothing(values):
    told = ""
    try:
        read_credentials(values)
    except NotAuthenticated as error:
        told = error.message
    assert told in ("", "the authorization header cannot be read")


@pytest.mark.parametrize(
    "values",
    [
        [""],
        [b"Basic YTpi"],
        ["Basic YTpi", "Basic YTpi"],
        ["Basic YT pi"],
        ["Basic " + "YTpi" * 9000],
    ],
)
def test_what_is_no_header(values):
    with pytest.raises(NotAuthenticated):
        read_credentials(values)


def test_neither_is_shown():
    assert "secret" not in repr(Basic("secret", "secret")) + repr(Bearer("secret"))

"""Where a server may listen without TLS and credentials: on this machine alone."""

import pytest

from flightframe_server.access.bind_policy import check_bind_address, is_loopback
from flightframe_server.catalog import AuthSettings, ServerSettings, TlsSettings
from flightframe_server.errors import SetupError

TLS = TlsSettings("a", "b")
MUTUAL = TlsSettings("a", "b", "c")
AUTH = AuthSettings(users="u")
ANYBODY = AuthSettings(users="u", anonymous=True)
OUTSIDE = ["0.0.0.0", "::", "192.0.2.1", "fe80::1", "2001:db8::1", "::ffff:192.0.2.1"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1", "localhost"])
def test_this_machine(host):
    assert is_loopback(host)
    check_bind_address(ServerSettings(host), insecure=False)


@pytest.mark.parametrize("host", OUTSIDE)
@pytest.mark.parametrize(
    ("tls", "auth", "lacking"),
    [
        (None, None, "lacks server.tls and server.auth"),
        (TLS, None, "lacks server.auth"),
        (None, AUTH, "lacks server.tls"),
        (TLS, ANYBODY, "lacks server.auth without anonymous"),
        (None, ANYBODY, "lacks server.tls and server.auth without anonymous"),
    ],
)
def test_from_outside_something_is_missing(host, tls, auth, lacking):
    settings = ServerSettings(host, tls=tls, auth=auth)
    with pytest.raises(SetupError) as caught:
        check_bind_address(settings, insecure=False)
    assert caught.value.message.endswith(lacking)
    assert "--insecure" in (caught.value.hint or "")
    check_bind_address(settings, insecure=True)


@pytest.mark.parametrize(("tls", "auth"), [(TLS, AUTH), (MUTUAL, None), (MUTUAL, ANYBODY)])
def test_from_outside_all_is_there(tls, auth):
    check_bind_address(ServerSettings("0.0.0.0", tls=tls, auth=auth), insecure=False)


def test_what_is_no_address_is_said():
    with pytest.raises(SetupError, match="no address"):
        check_bind_address(ServerSettings("no such host.invalid"), insecure=False)

"""Logging in and out: a password in exchange for a cookie, and its end.

What comes in: a name and a password, or the credentials of a session. What goes out: a cookie that
no script can read, or its removal. It must never put a token into a body, nor a password anywhere.
"""

from __future__ import annotations

import base64

from flightframe_server.access.audit import audited_call
from flightframe_server.web.api_call import ApiCall, Services
from flightframe_server.web.json_body import read_fields, required_text
from flightframe_server.web.reply import Reply, json_reply
from flightframe_server.web.session_cookie import expired_cookie, session_cookie

EXAMPLE = 'send {"user": "…", "password": "…"}'


def login(services: Services, call: ApiCall) -> Reply:
    """Exchange a password for a cookie that lets the page's requests in.

    Raises:
        NotAuthenticated: the user or the password is wrong.
        TooManyAttempts: too many were.
        FrameQLSyntaxError: the body is none of a login.
    """
    fields = read_fields(call.body, ("user", "password"), EXAMPLE)
    user = required_text(fields, "user", EXAMPLE)
    password = required_text(fields, "password", EXAMPLE)
    authenticator, peer = services.access.authenticator, call.context.caller.peer
    if authenticator is None:
        return json_reply({"user": call.context.caller.user, "expires_in": None})
    claim = base64.b64encode(f"{user}:{password}".encode()).decode()
    noted = audited_call()
    if noted is not None:
        noted.claimed = authenticator.claimed_user([f"Basic {claim}"])
    token = authenticator.exchange([f"Basic {claim}"], peer)
    # A password that could not be looked at yet is looked at now, or refused.
    caller = authenticator.authenticate([f"Bearer {token}"], peer)
    if noted is not None:
        noted.caller = caller
    seconds = authenticator.session_seconds
    cookie = session_cookie(services.cookie_name, token, seconds, services.access.tls is not None)
    return json_reply({"user": caller.user, "expires_in": seconds}, headers={"set-cookie": cookie})


def logout(services: Services, call: ApiCall) -> Reply:
    """End the session whose token a call brings, here and over Flight."""
    authenticator = services.access.authenticator
    ended = None
    if authenticator is not None:
        ended = authenticator.end_session(call.authorization)
    cookie = expired_cookie(services.cookie_name, services.access.tls is not None)
    return json_reply({"ended": ended is not None}, headers={"set-cookie": cookie})

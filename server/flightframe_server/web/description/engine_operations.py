"""The operations of a user's session, and of the engine that it looks at.

What comes in: the endpoints. What goes out: their rows of the table.
"""

from __future__ import annotations

from flightframe_server.web.description.operation import AddressKey, Operation
from flightframe_server.web.description.schemas import SECONDS, TEXT
from flightframe_server.web.endpoints import engine, installation, login, sessions

_SESSION = AddressKey("id", "the id of a session of yours", TEXT, in_path=True)
_COUNT = {"type": "integer", "minimum": 0}

SESSIONS = (
    Operation(
        "login",
        "POST",
        "/runtime/login",
        "a cookie in exchange for a password",
        login.login,
        "LoggedIn",
        about="The cookie is HttpOnly and SameSite=Strict. It lets in what changes nothing, and"
        " with `X-Flightframe: 1` all the rest.",
        body="Login",
        public=True,
        changes=True,
        errors=(401, 413, 429, 503),
    ),
    Operation(
        "logout",
        "POST",
        "/runtime/logout",
        "an end to the session whose token or cookie a call brings",
        login.logout,
        "Ended",
        about="Here and over Flight; a lasting token or a password is no session, and stays good.",
    ),
    Operation(
        "session_begin",
        "POST",
        "/sessions",
        "an id under which to look at one collection",
        sessions.begin,
        "Session",
        about="It ends some time after its last use. A caller who has too many loses the oldest.",
        body="SessionRequest",
        body_optional=True,
        status=201,
    ),
    Operation(
        "session_end",
        "DELETE",
        "/sessions/{id}",
        "an end to it",
        sessions.end,
        "Ended",
        keys=(_SESSION,),
        changes=True,
    ),
)

ENGINE = (
    Operation(
        "manifest",
        "GET",
        "/sessions/{id}/engine/manifest",
        "what the engine holds",
        engine.manifest,
        "Manifest",
        about="Of a filter it tells the levels, never the values.",
        keys=(_SESSION,),
        errors=(502, 504),
    ),
    Operation(
        "recommendations",
        "GET",
        "/sessions/{id}/engine/recommendations",
        "which hot questions deserve a hint",
        engine.recommendations,
        "Recommendations",
        about="`stanza` is YAML to paste. `not_candidates` are hot questions that no hint can keep,"
        " each with the reason.",
        keys=(
            _SESSION,
            AddressKey("min_hits", "times answered from the cache; 100 where left out", _COUNT),
            AddressKey("min_age_days", "days since first asked; 7 where left out", SECONDS),
            AddressKey("min_hits_per_day", "hits for each of these days; 0", SECONDS),
        ),
        errors=(502, 504),
    ),
    Operation(
        "promote",
        "POST",
        "/sessions/{id}/engine/promote",
        "hints for the collection's file: shown first, then written",
        engine.promote,
        "Promoted",
        about="Without `hash` it returns the difference and its hash. With both in the body it"
        " writes exactly that, and the collection is reloaded and made. A file that changed"
        " meanwhile is refused.",
        keys=(_SESSION,),
        body="Promote",
        changes=True,
        operator=True,
        errors=(409, 422, 501, 502, 504),
    ),
    Operation(
        "refresh",
        "POST",
        "/sessions/{id}/engine/refresh",
        "entries brought up to the data as they are",
        engine.refresh,
        "Refreshed",
        about="Those that are named, or else all that is hinted. It is listed among your questions"
        " under way, and ends where you cancel it or hang up.",
        keys=(_SESSION,),
        body="Refresh",
        body_optional=True,
        changes=True,
        operator=True,
        errors=(499, 502, 504),
    ),
    Operation(
        "evict",
        "DELETE",
        "/sessions/{id}/engine/entries/{entry_id}",
        "an entry taken out of the store",
        engine.evict,
        "Evicted",
        keys=(
            _SESSION,
            AddressKey("entry_id", "the id of the entry in the manifest", TEXT, in_path=True),
        ),
        changes=True,
        operator=True,
        errors=(502, 504),
    ),
    Operation(
        "reload",
        "POST",
        "/runtime/reload",
        "the installation's files read anew",
        installation.reload,
        "Reloaded",
        about="They are checked first and served as one; where they are wrong, what was served is"
        " served on, and `errors` says why.",
        changes=True,
        operator=True,
        errors=(501, 502),
    ),
)

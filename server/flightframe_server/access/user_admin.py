"""New users and tokens written into the text of their files, comments and order left alone.

What comes in: the text of a file, or none, and what to add. What goes out: the text with one line
more, or with one line changed. It must never write a file that says anything but what it said
before and the new line: the result is read again and compared.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable

from flightframe_server.access.files import read_tokens, read_users
from flightframe_server.catalog.document import read_document
from flightframe_server.errors import CatalogError, SetupError

USERS_HEAD = "# Users and the hashes of their passwords: flightframe user add NAME.\nusers:\n"
TOKENS_HEAD = "# The hashes of tokens: flightframe token new USER.\ntokens:\n"
_INDENT = "  "


def user_line(name: str, stored: str) -> str:
    """Return the line of a user."""
    return f"{_INDENT}{json.dumps(name, ensure_ascii=False)}: {json.dumps(stored)}\n"


def token_line(user: str, digest: bytes, expires: datetime.date | None) -> str:
    """Return the line of a token."""
    # In quotes: sixty-four digits, or an exponent among them, would be a number.
    ends = "" if expires is None else f", expires: {expires.isoformat()}"
    name = json.dumps(user, ensure_ascii=False)
    return f'{_INDENT}- {{user: {name}, sha256: "{digest.hex()}"{ends}}}\n'


def with_user(text: str, file: str, name: str, stored: str) -> str:
    """Return the text of a file of users with one more, or with another hash of one there is.

    Raises:
        CatalogError: the file, or the new name, is wrong.
        SetupError: the file is written in a form that no line can be added to.
    """
    users = dict(read_users(text, file)) if text.strip() else {}
    line = user_line(name, stored)
    if name in users:
        at = read_document(text, file).location("users", name).line - 1
        lines = text.splitlines(keepends=True)
        edited = "".join([*lines[:at], _indented(line, lines[at]), *lines[at + 1 :]])
    else:
        edited = _appended(text or USERS_HEAD, line)
    expected = {**users, name: stored}
    return _checked(edited, lambda result: read_users(result, file) == expected, line, file)


def with_token(
    text: str, file: str, user: str, digest: bytes, expires: datetime.date | None
) -> str:
    """Return the text of a file of tokens with one more; raises as `with_user`."""
    tokens = read_tokens(text, file) if text.strip() else {}
    line = token_line(user, digest, expires)
    edited = _appended(text or TOKENS_HEAD, line)

    def is_right(result: str) -> bool:
        known = dict(read_tokens(result, file))
        added = known.pop(digest, None)
        return known == tokens and added is not None and added.user == user

    return _checked(edited, is_right, line, file)


def _appended(text: str, line: str) -> str:
    ended = text if text.endswith("\n") else text + "\n"
    return ended + _indented(line, ended.rstrip().rpartition("\n")[2])


def _indented(line: str, neighbour: str) -> str:
    """Return a line with the indentation of one beside it, where that is an entry as well."""
    match = re.match(r"( *)(?:- |[^#\s].*?: )", neighbour)
    return line if match is None else match[1] + line.lstrip()


def _checked(edited: str, is_right: Callable[[str], bool], line: str, file: str) -> str:
    try:
        valid = is_right(edited)
    except CatalogError:
        # An invalid name is refused as such; anything else is the form of the file.
        _check_entry(line)
        valid = False
    if not valid:
        raise SetupError(
            f"the file {file} is not written one entry a line",
            hint="leave out the file, and put the line that is printed where it belongs",
        )
    return edited


def _check_entry(line: str) -> None:
    if line.lstrip().startswith("-"):
        read_tokens(TOKENS_HEAD + line)
    else:
        read_users(USERS_HEAD + line)

"""The texts of `users.yaml` and `tokens.yaml` to users and tokens.

What comes in: text. What goes out: hashes by user name, lasting tokens by their hashes, or one
`CatalogError` that names file, line and path. It must never echo a value.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from flightframe_server.access.passwords import is_hash
from flightframe_server.access.tokens import LastingToken
from flightframe_server.catalog.document import read_document
from flightframe_server.catalog.findings import Cursor
from flightframe_server.catalog.shape_errors import validate
from flightframe_server.catalog.shape_values import Shape, checked_name

_DIGEST = re.compile(r"[0-9a-f]{64}")


def checked_user(name: str) -> str:
    """Return a user name that can stand before the colon of Basic; for use inside shapes."""
    if ":" in name:
        raise PydanticCustomError("user", "a user name holds no colon")
    return checked_name(name)


def _stored(text: str) -> str:
    if not is_hash(text):
        raise PydanticCustomError("hash", "expected a hash as `flightframe user add` writes it")
    return text


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise PydanticCustomError("digest", "expected a hash as `flightframe token new` writes it")
    return text


def _day(value: Any) -> Any:
    if value is not None and type(value) is not datetime.date:
        raise PydanticCustomError("day", "expected a date such as 2027-01-31")
    return value


_User = Annotated[str, AfterValidator(checked_user)]


class _UsersShape(Shape):
    users: dict[_User, Annotated[str, AfterValidator(_stored)]]


class _TokenShape(Shape):
    user: _User
    sha256: Annotated[str, AfterValidator(_digest)]
    expires: Annotated[Any, AfterValidator(_day)] = Field(default=None)


class _TokensShape(Shape):
    tokens: list[_TokenShape]


def read_users(text: str, file: str = "users.yaml") -> Mapping[str, str]:
    """Return the stored hash of every user.

    Raises:
        CatalogError: something in the file is wrong: the first mistake in it.
    """
    return dict(validate(_UsersShape, read_document(text, file)).users)


def read_tokens(text: str, file: str = "tokens.yaml") -> Mapping[bytes, LastingToken]:
    """Return the lasting tokens by their hashes.

    Raises:
        CatalogError: something in the file is wrong: the first mistake in it.
    """
    document = read_document(text, file)
    shape = validate(_TokensShape, document)
    cursor = Cursor(document)
    tokens: dict[bytes, LastingToken] = {}
    for at, token in enumerate(shape.tokens):
        digest = bytes.fromhex(token.sha256)
        if digest in tokens:
            cursor.at("tokens", at).report("this token is listed twice")
        tokens[digest] = LastingToken(token.user, digest, _end(token.expires))
    cursor.raise_if_any()
    return tokens


def _end(day: datetime.date | None) -> float | None:
    """Return the end of a day in UTC, seconds since 1970."""
    if day is None:
        return None
    midnight = datetime.datetime.combine(day, datetime.time(), datetime.UTC)
    return (midnight + datetime.timedelta(days=1)).timestamp()

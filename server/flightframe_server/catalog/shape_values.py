"""The pieces that all shapes are made of: names, texts, single values.

What comes in: values of a document. What goes out: the same values, once they are fit to stand
where they stand. It must never convert one: `yes` is no truth and 5 is no name.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

NAME_LENGTH_MAX = 200
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")


def checked_name(name: str) -> str:
    """Return a name that can be shown and quoted in a query; for use inside shapes."""
    if not name.strip():
        raise PydanticCustomError("name", "a name must not be empty")
    if name != name.strip() or not name.isprintable():
        raise PydanticCustomError(
            "name", "a name must not start or end with a blank, or hold control characters"
        )
    if len(name) > NAME_LENGTH_MAX:
        raise PydanticCustomError("name", f"a name has at most {NAME_LENGTH_MAX} letters")
    return name


def checked_text(text: str) -> str:
    """Return a text that is not blank; for use inside shapes."""
    if not text.strip():
        raise PydanticCustomError("text", "the text must not be empty")
    return text


def checked_zone(zone: str) -> str:
    """Return a text with the form of a time zone's name; for use inside shapes."""
    if not _ZONE.fullmatch(zone):
        raise PydanticCustomError("zone", "expected a time zone such as Europe/Berlin")
    return zone


def checked_scalar(value: Any) -> Any:
    """Return a value that is no list and no mapping; for use inside shapes."""
    if isinstance(value, list | dict):
        raise PydanticCustomError("scalar", "expected a single value, found several")
    return value


def upper_case(value: Any) -> Any:
    """Return a word in upper case; for words that stand for themselves in any case."""
    return value.upper() if isinstance(value, str) else value


def lower_case(value: Any) -> Any:
    """Return a word in lower case; see `upper_case`."""
    return value.lower() if isinstance(value, str) else value


Name = Annotated[str, AfterValidator(checked_name)]
Text = Annotated[str, AfterValidator(checked_text)]
Scalar = Annotated[Any, AfterValidator(checked_scalar)]
Zone = Annotated[str, AfterValidator(checked_zone)]


class Shape(BaseModel):
    """Any shape: unknown keys are errors, and no value is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

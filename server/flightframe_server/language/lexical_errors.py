"""The errors of a character that begins no token of Frame-QL.

What comes in: the text, and the offset at which no token could be read. What goes out: one
`FrameQLSyntaxError` to raise. It must never echo more than 80 characters, or raise itself.
"""

from __future__ import annotations

import re
import unicodedata

from flightframe_server.errors import FrameQLSyntaxError
from flightframe_server.language.bounds import echo, place_at

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NOT_IN_QUOTES = re.compile(r"[\x00-\x1f\x7f]")
_RUN = re.compile(r"[^\s()\[\]{},;'\"]+")
_STRAIGHT = "quotes are straight: 'text' and \"name\""
_HINTS = {
    "`": "names with odd characters stand in double quotes",
    "[": "names with odd characters stand in double quotes",
    "\u2018": _STRAIGHT,
    "\u2019": _STRAIGHT,
    "\u201c": _STRAIGHT,
    "\u201d": _STRAIGHT,
    "!": "not equal is written <>, negation NOT",
    "&": "write AND",
    "|": "write OR, or || to join texts",
    ":": "a parameter is written ? or $name",
    "\\": "a quote within text is doubled: 'O''Brien'",
    "#": "a comment starts with --",
}


def lexical_error(text: str, offset: int) -> FrameQLSyntaxError:
    """Return the error for `text[offset]`, where no token begins."""
    char = text[offset]
    if char == "'":
        return _unclosed("text", text, offset)
    if char == '"':
        return _bad_name(text, offset)
    if text.startswith("/*", offset):
        end = text.find("*/", offset + 2)
        control = _CONTROL.search(text, offset, max(end, 0))
        return _unknown(text, control.start()) if control else _unclosed("comment", text, offset)
    return _bad_number(text, offset) or _unknown(text, offset)


def _unclosed(what: str, text: str, offset: int) -> FrameQLSyntaxError:
    return FrameQLSyntaxError(
        f"the {what} opened here is never closed", place=place_at(text, offset)
    )


def _bad_name(text: str, offset: int) -> FrameQLSyntaxError:
    """Return the error for a double quote that opens no name."""
    control = _NOT_IN_QUOTES.search(text, offset)
    closing = text.find('"', offset + 1)
    if closing == offset + 1:
        return FrameQLSyntaxError(
            "a quoted name is empty", place=place_at(text, offset, closing + 1)
        )
    if control and control.start() < closing and control[0] not in "\r\n":
        return _unknown(text, control.start())
    if closing > 0 and control:
        return FrameQLSyntaxError(
            "the quoted name opened here is not closed on its line", place=place_at(text, offset)
        )
    return _unclosed("quoted name", text, offset)


def _bad_number(text: str, offset: int) -> FrameQLSyntaxError | None:
    run = _RUN.match(text, offset)
    if run is None or not re.match(r"\.?[0-9]", run[0]):
        return None
    return FrameQLSyntaxError(
        f"`{echo(run[0])}` is neither a number nor a name",
        hint="a name that starts with a digit stands in double quotes",
        place=place_at(text, offset, run.end()),
    )


def _unknown(text: str, offset: int) -> FrameQLSyntaxError:
    """Return the error for a character that means nothing where it stands."""
    char = text[offset]
    place = place_at(text, offset)
    code = f"U+{ord(char):04X}"
    if not char.isprintable():
        kind = "control character" if unicodedata.category(char) == "Cc" else "character"
        name = unicodedata.name(char, "").lower()
        code_and_name = f"{code}, {name}" if name else code
        return FrameQLSyntaxError(f"a {kind} ({code_and_name}) cannot stand here", place=place)
    if char == "$":
        return FrameQLSyntaxError("a parameter is written $name, or ?", place=place)
    hint = _HINTS.get(char)
    if hint is None and unicodedata.category(char)[0] in "LMN":
        hint = "names with other letters than A to Z stand in double quotes"
    return FrameQLSyntaxError(f"`{char}` means nothing here", hint=hint, place=place)

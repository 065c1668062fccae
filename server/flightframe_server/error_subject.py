"""What a failure of the database or of a number was about: metrics, their columns, and a name.

What comes in: an error that names nothing, and what was being read or reckoned. What goes out: the
same error with that in its text. It must never name a value of the data: the user who asks may not
be one who may see it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from flightframe_server.errors import ArithmeticOverflow, BackendError, FlightframeError

Failure = TypeVar("Failure", bound=Exception)

_MOST = 3

_ABOUT: dict[type[Exception], str] = {ArithmeticOverflow: "in", BackendError: "asked for"}


def about(error: Failure, subjects: Iterable[str]) -> Failure:
    """Return an error of a number or of the database with what it was about; others as they are.

    What was named before stays the name: the code nearest to the failure knows it best.

    >>> str(about(ArithmeticOverflow("a value does not fit"), ["SUM(revenue) of sales.revenue"]))
    'OVERFLOW: a value does not fit (in SUM(revenue) of sales.revenue).'
    """
    word = _ABOUT.get(type(error))
    named = list(dict.fromkeys(subjects))
    if word is None or not isinstance(error, FlightframeError) or not named:
        return error
    if "about" in error.details:
        return error
    more = len(named) - _MOST
    names = [*named[:_MOST], *([f"{more} more"] if more > 0 else [])]
    extended = _again(error, f"{error.message} ({word} {', '.join(names)})", error.hint)
    extended.details["about"] = names
    return extended


def with_request(error: Failure, request_id: str) -> Failure:
    """Return an error whose cause stands in the log alone with the name it has there."""
    if type(error) not in _ABOUT or not isinstance(error, FlightframeError):
        return error
    known = f"the log has it as {request_id}"
    return _again(error, error.message, f"{error.hint}; {known}" if error.hint else known)


def cause_of(error: BaseException) -> str:
    """Return what the database or a library said first, for the log; empty where neither did."""
    first = error
    while first.__cause__ is not None:
        first = first.__cause__
    return "" if isinstance(first, FlightframeError) else f"{type(first).__name__}: {first}"[:2000]


def _again(error: Failure, message: str, hint: str | None) -> Failure:
    assert isinstance(error, FlightframeError)
    place, details = error.place, error.details
    copy = type(error)(message, hint=hint, place=place, details=details)
    copy.__cause__ = error.__cause__
    return copy

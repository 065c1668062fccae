"""Texts as a user would go on writing them, and what the resolver says of the finished ones."""

from flightframe_server.completion.complete import complete
from flightframe_server.errors import FlightframeError
from flightframe_server.language import parse
from flightframe_server.resolver.resolve import resolve
from flightframe_server.resolver.values import Binding


def completed(runtime, written):
    """What may stand at the `|` of a text."""
    offset = written.index("|")
    return complete(written.replace("|", "", 1), offset, runtime)


def options(runtime, written, kind=None):
    """The options at the `|` of a text, by label."""
    found = completed(runtime, written).options
    return {option.label: option for option in found if kind in (None, option.kind)}


def inserted(written, found, option):
    """The text up to the end of an option put in, and what stood behind it."""
    text = written.replace("|", "", 1)
    return text[: found.start] + option.insert, text[found.end :]


def code_of(runtime, text):
    """The code by which a text is refused, its parameters unbound; None where it is answered."""
    (engine,) = runtime.engines.values()
    try:
        resolve(parse(text), engine.typed, Binding(None))
    except FlightframeError as error:
        return error.code
    return None

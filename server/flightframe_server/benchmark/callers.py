"""A question as a function: connected once, then called for as long as it is timed.

What comes in: a target. What goes out: a function that asks a question and returns the whole answer
as an Arrow table. It must never import the libraries of a way that is not used: what one side loads
is no cost of the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module

from flightframe_server.benchmark import ways
from flightframe_server.benchmark.targets import Ask, Target, digest


@contextmanager
def asking(target: Target) -> Iterator[Ask]:
    """Connect to a target, and give the function that asks it a question.

    Args:
        target: who is asked, in the way whose module has its name.
    """
    way = import_module(f"{ways.__name__}.{target.way}")
    with ExitStack() as stack:
        yield way.connected(target, stack)


def digests(ask: Ask, target: Target) -> list[object]:
    """Ask each question of a target once, and return the digests of the answers."""
    return [digest(ask(question)) for question in dict.fromkeys(target.questions)]

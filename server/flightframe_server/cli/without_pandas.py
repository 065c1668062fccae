"""A process that serves, without pandas.

What comes in: nothing. What goes out: for as long as a block lasts, an interpreter that finds no
pandas. It must never hide a pandas that was imported before, nor be entered in a caller's own
process for good.

pyarrow imports pandas, where it is installed, to ask whether the first list that it converts is a
frame of it: half a second of the first answer, and some 60 MB, for what no server holds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

NAME = "pandas"


class _Hidden(MetaPathFinder):
    """Says that there is no pandas, before any other finder is asked."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == NAME:
            raise ModuleNotFoundError(f"No module named {NAME!r}", name=NAME)
        return None


@contextmanager
def without_pandas() -> Iterator[None]:
    """Let nobody find pandas; enter it before the first value is converted."""
    hidden = _Hidden()
    sys.meta_path.insert(0, hidden)
    try:
        yield
    finally:
        sys.meta_path.remove(hidden)

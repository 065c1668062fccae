"""The generated pages: errors, reducers, functions, commands, HTTP; clients from their tests.

What comes in: the classes and tables of the product, and the declarations beside the tests. What
goes out: pages beside this file, or, with `--check`, the names of those that are no longer what
the product says. A generated page must never be edited by hand: the next run writes over it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from page_makers.clients import clients_page
from page_makers.commands import commands_page
from page_makers.errors import errors_page
from page_makers.functions import functions_page
from page_makers.http import http_page
from page_makers.limits import limits_page
from page_makers.metrics import metrics_page
from page_makers.reducers import reducers_page

FOLDER = Path(__file__).parent

PAGES: dict[str, Callable[[], str]] = {
    "errors.md": errors_page,
    "limits.md": limits_page,
    "metrics.md": metrics_page,
    "reducers.md": reducers_page,
    "functions.md": functions_page,
    "cli.md": commands_page,
    "http.md": http_page,
    "clients.md": clients_page,
}


def stale(folder: Path = FOLDER) -> list[str]:
    """Return the names of the pages in a folder that are not what the product says."""
    return [
        name
        for name, write in PAGES.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != write()
    ]


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` only compare them; return the exit status."""
    if arguments == ["--check"]:
        found = stale()
        if found:
            print(f"not up to date: {', '.join(found)}. Run `make docs`.", file=sys.stderr)
        return 1 if found else 0
    for name in stale():
        (FOLDER / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"wrote docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

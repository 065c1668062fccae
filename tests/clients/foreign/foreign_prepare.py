"""Prepare the foreign clients: `python foreign_prepare.py`, as the Makefile calls it before a test.

What comes in: the declarations beside this file. What goes out: the environments under .clients/,
and a line for each that cannot be made. The exit status is 1 where that fails the build, which it
does in CI only: on a user's machine the tests of the others go on. It must never be silent about a
client that is not exercised.
"""

from __future__ import annotations

import os
import sys
import time

from foreign_clients import FOREIGN
from foreign_setups import FOLDER, SETUPS, NotMade, Setup

ABSENT = ".absent"
"""Beside an environment: when the registry was last seen not to have what it needs, and why."""
SECONDS_UNTIL_ASKED_AGAIN = 24 * 3600


def main() -> int:
    """Prepare all of them; return the exit status."""
    in_ci = os.environ.get("CI") == "true"
    failed = False
    for setup in SETUPS.values():
        if setup.missing() is None:
            continue
        published = all(client.published for client in FOREIGN if client.setup == setup.key)
        started = time.monotonic()
        reason = not_made(setup, published=published)
        if reason is None:
            print(f"prepared {setup.key} in {time.monotonic() - started:.0f} s")
            continue
        failed = failed or published
        print(f"!! {setup.key} is not prepared: {reason}", file=sys.stderr)
    if failed and not in_ci:
        print("!! the tests of these clients will be skipped, and counted", file=sys.stderr)
    return 1 if failed and in_ci else 0


def not_made(setup: Setup, *, published: bool) -> str | None:
    """Make one environment; return why it cannot be, or None.

    What no registry may have is asked for once a day, not before every test.
    """
    note = FOLDER / f"{setup.key}{ABSENT}"
    if not published and note.is_file():
        if time.time() - note.stat().st_mtime < SECONDS_UNTIL_ASKED_AGAIN:
            return note.read_text(encoding="utf-8")
        note.unlink()
    try:
        setup.prepare()
    except NotMade as error:
        if not published:
            FOLDER.mkdir(exist_ok=True)
            note.write_text(str(error), encoding="utf-8")
        return str(error)
    return None


if __name__ == "__main__":
    sys.exit(main())

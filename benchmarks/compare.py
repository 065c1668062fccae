"""Compare the last two measurements of `make bench`, ratio by ratio.

What comes in: two JSON files, the newest of `benchmarks/results/` or those named. What goes out: a
table, and exit status 1 where a ratio got worse by more than the tolerance.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from flightframe_server.benchmark.comparison import NOISE, changes

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Print the comparison and return the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("files", nargs="*", type=Path, help="two results, the older first")
    options.add_argument("--tolerance", type=float, default=NOISE, help="how much worse is noise")
    asked = options.parse_args()
    files = asked.files or sorted(RESULTS.glob("*.json"))[-2:]
    if len(files) != 2:
        print("two measurements are needed: run `make bench` twice", file=sys.stderr)
        return 2
    before, after = (json.loads(path.read_text(encoding="utf-8")) for path in files)
    worse = False
    for change in changes(before, after):
        worse |= change.is_worse(asked.tolerance)
        print(f"{change.name:60} {change.before:7.2f} -> {change.after:7.2f} {change.share:+.0%}")
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())

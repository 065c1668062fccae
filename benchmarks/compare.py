"""Compare the last two measurements of `benchmarks/run.py`, ratio by ratio.

What comes in: two JSON files, the newest of `benchmarks/results/` or those named. What goes out: a
table, and exit status 1 where a ratio got worse by more than the tolerance.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def ratios(path: Path) -> dict[str, float]:
    """Return the ratio of each measurement in a file."""
    found = json.loads(path.read_text(encoding="utf-8"))["measurements"]
    return {item["name"]: item["times_faster"] for item in found}


def main() -> int:
    """Print the comparison and return the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("files", nargs="*", type=Path, help="two results, the older first")
    options.add_argument("--tolerance", type=float, default=0.2, help="how much worse is noise")
    asked = options.parse_args()
    files = asked.files or sorted(RESULTS.glob("*.json"))[-2:]
    if len(files) != 2:
        print("two measurements are needed: run `make bench` twice", file=sys.stderr)
        return 2
    before, after = map(ratios, files)
    worse = False
    for name in before.keys() & after.keys():
        change = after[name] / before[name] - 1
        worse |= change < -asked.tolerance
        print(f"{name:12} {before[name]:8.2f} -> {after[name]:8.2f}  {change:+.0%}")
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())

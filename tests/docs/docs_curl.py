"""As much of curl as the pages use, for machines that have none: -s, -X, -H, -d and an address."""

from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request


def main() -> None:
    """Send one request and print the body of the answer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-X", default="GET")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d")
    parser.add_argument("address")
    asked = parser.parse_args()
    headers = dict(header.split(": ", 1) for header in asked.H)
    data = asked.d.encode() if asked.d is not None else None
    request = urllib.request.Request(asked.address, data, headers, method=asked.X)
    try:
        with urllib.request.urlopen(request) as answer:
            sys.stdout.write(answer.read().decode())
    except urllib.error.HTTPError as refused:
        sys.stdout.write(refused.read().decode())


if __name__ == "__main__":
    main()

"""Over HTTP, on one connection that is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPConnection
from urllib.parse import urlsplit

from flightframe_server.benchmark.targets import Target


def asking_for(target: Target, stack: ExitStack, accept: str) -> Callable[[str], bytes]:
    """Connect, and return the function that asks and gives the body of the answer.

    Args:
        target: who is asked.
        stack: closes the connection.
        accept: the media type of the answer.
    """
    connection = HTTPConnection(urlsplit(target.address).netloc)
    stack.callback(connection.close)
    headers = {"Content-Type": "application/json", "Accept": accept}

    def ask(question: str) -> bytes:
        body = json.dumps({"source": question, "no_cache": target.bypasses_cache})
        connection.request("POST", "/runtime/query", body, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"HTTP {response.status}: {answer[:300]!r}")
        return answer

    return ask

"""The built page of the workbench, as files that a browser is sent.

What comes in: a folder that the page was built into, and paths of requests. What goes out: files
with the headers that they are served under. It must never read a file that was not there at the
start: a path of a request is looked up, and never joined to a folder.
"""

from __future__ import annotations

import gzip
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from flightframe_server.web.entity_tags import tag_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'none'; base-uri 'none'; frame-ancestors 'none';"
    " form-action 'none'"
)
"""What the page may load, and from where: its own files, and this server."""

FOLDER = Path(__file__).parent / "page"
INDEX = "index.html"
ASSETS = "assets/"
IMMUTABLE = "public, max-age=31536000, immutable"
CHANGING = "no-cache"
LEAST_BYTES = 1024
"""Smaller files are not worth packing."""

VIEWS = ("catalogue", "engine", "help")
"""The first parts of paths that the page itself answers, beside `/`: `/docs` is the API's."""

NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>flightframe</title>
<h1>flightframe</h1>
<p>The server answers; its page, the workbench, is not built here. From a checkout:</p>
<pre>make page</pre>
<p>and start the server again. It takes Node 20.19 or newer, or the one that make fetches.</p>
<ul>
<li><a href="/docs">The HTTP API</a></li>
<li><a href="/healthz">Health</a></li>
</ul>
</html>
"""


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file of the page: its bytes, as they are and packed, and its headers."""

    content: bytes
    packed: bytes | None
    headers: dict[str, str]


class PageFiles:
    """The page, read once.

    Args:
        folder: what it was built into; where there is no page, `/` says how to build it.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        """Read every file; see the class."""
        self._files: dict[str, PageFile] = {}
        if (folder / INDEX).is_file():
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder).as_posix()
                if path.is_file() and path.suffix not in (".gz", ".map"):
                    self._files[name] = _read(path, name)
        self.built = bool(self._files)
        if not self.built:
            self._files[INDEX] = _file(NOT_BUILT.encode(), INDEX, None)

    def find(self, path: str) -> PageFile | None:
        """Return the file that a path of a request is answered with, None where none is."""
        name = path.removeprefix("/")
        view = name.partition("/")[0]
        if name in ("", INDEX) or (self.built and view in VIEWS):
            name = INDEX
        return self._files.get(name)

    def paths(self) -> tuple[str, ...]:
        """Return every path that is answered, those of the views without what may follow."""
        files = tuple(f"/{name}" for name in self._files if name != INDEX)
        return ("/", *(f"/{view}" for view in VIEWS if self.built), *files)


def _read(path: Path, name: str) -> PageFile:
    packed = path.with_name(f"{path.name}.gz")
    return _file(path.read_bytes(), name, packed.read_bytes() if packed.is_file() else None)


def _file(content: bytes, name: str, packed: bytes | None) -> PageFile:
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if media_type.startswith("text/") or media_type.endswith("javascript"):
        media_type += "; charset=utf-8"
    if packed is None and len(content) >= LEAST_BYTES:
        packed = gzip.compress(content, mtime=0)
    headers = {
        "content-type": media_type,
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        # The names of assets hold a hash of what is in them.
        "cache-control": IMMUTABLE if name.startswith(ASSETS) else CHANGING,
        "vary": "accept-encoding",
        "etag": tag_of(content),
    }
    return PageFile(content, packed if packed and len(packed) < len(content) else None, headers)

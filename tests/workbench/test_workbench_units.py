"""The page's own tests and types, run by Node; what the server accepts, read by its grammar."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from flightframe_server.errors import FlightframeError
from flightframe_server.language import parse

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "workbench"
_LITERAL = re.compile(r'"((?:SELECT|EXPLAIN)[^"\n]{4,300})"')
_BLOCK = re.compile(r"```frameql\n(.*?)```", re.DOTALL)
_LINE = re.compile(r"((?:SELECT|EXPLAIN)\b[^`\n]{4,300})", re.IGNORECASE)


def node(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("node") or "node"
    return subprocess.run(
        [program, *command],
        cwd=SOURCES,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def accepted() -> list[str]:
    """Return the texts of tests and docs that the server's parser accepts."""
    found: dict[str, None] = {}
    tests = (path for kind in ("*.yaml", "*.py") for path in (ROOT / "tests").rglob(kind))
    for path in sorted([*tests, *(ROOT / "docs").glob("*.md")]):
        text = path.read_text(encoding="utf-8")
        for kind in (_LITERAL, _LINE, _BLOCK):
            found |= dict.fromkeys(filter(_parses, kind.findall(text)))
    return list(found)


def _parses(text: str) -> bool:
    try:
        parse(text)
    except FlightframeError:
        return False
    return True


def test_the_pages_own_tests_pass_and_no_text_of_the_server_is_an_error_there(tmp_path):
    texts = accepted()
    assert len(texts) > 500
    corpus = tmp_path / "texts.json"
    corpus.write_text(json.dumps(texts), encoding="utf-8")
    done = node("node_modules/vitest/vitest.mjs", "run", FRAME_QL_TEXTS=str(corpus))
    assert done.returncode == 0, done.stdout + done.stderr


def test_types_and_accessibility_of_the_sources():
    done = node(
        "node_modules/svelte-check/bin/svelte-check", "--fail-on-warnings", "--output", "human"
    )
    assert done.returncode == 0, done.stdout + done.stderr

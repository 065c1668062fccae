"""Every example of the README and the docs, run as a reader would run it, from top to bottom."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from docs_pages import ANY, Block, blocks_of, commands_of, matches
from docs_session import Session

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "examples" / "README.md",
]
RUN = {"console", "python", "frameql"}
SHOWN = {"", "text", "yaml", "json"}


def runnable(page: Path) -> list[Block]:
    return [block for block in blocks_of(page) if block.language in RUN and not block.exempt]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def with_examples() -> list[Path]:
    found = [page for page in PAGES if runnable(page)]
    least = {"README.md", "docs/walkthrough.md", "docs/frame-ql.md", "examples/README.md"}
    assert least <= {named(page) for page in found}
    return found


@pytest.fixture(scope="session")
def shop(tmp_path_factory) -> Path:
    """The demonstration's files, for pages that start with a server that runs already."""
    folder = tmp_path_factory.mktemp("docs") / "shop"
    with Session(folder.parent) as session:
        session.run(Block("conftest", 0, "console", f"$ flightframe init-demo {folder}\n…"))
    return folder


@pytest.mark.parametrize("page", with_examples(), ids=named)
def test_a_page_does_what_it_says(page, shop, tmp_path):
    blocks = runnable(page)
    with Session(tmp_path) as session:
        if blocks[0].language != "console":
            serve(session, shop, tmp_path / "store")
        for block in blocks:
            session.run(block)


def serve(session: Session, shop: Path, store: Path) -> None:
    session.serve(
        f"flightframe serve {shop}/installation.yaml --store {store}",
        f"{ANY}\nflightframe ready {ANY}\n{ANY}",
    )


def test_the_notebook_prints_what_it_shows(shop, tmp_path):
    cells = json.loads((ROOT / "examples" / "explore.ipynb").read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) > 3
    with Session(tmp_path) as session:
        serve(session, shop, tmp_path / "store")
        for number, cell in enumerate(code, 1):
            printed = "".join(text for output in cell["outputs"] for text in output["text"])
            source = "".join(cell["source"])
            session.run(Block("explore.ipynb", number, "python", source, expected=printed))


def test_every_block_is_run_or_shown():
    strange = {
        block.where: block.language
        for page in PAGES
        for block in blocks_of(page)
        if block.language not in RUN | SHOWN
    }
    assert strange == {}


def test_every_frameql_example_has_an_answer():
    lacking = [
        block.where
        for page in PAGES
        for block in runnable(page)
        if block.language == "frameql" and not block.expected
    ]
    assert lacking == []


def test_make_demo_and_make_serve_are_the_commands_that_stand_in_for_them():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\n\t@$(BIN)/flightframe demo $(DEMO_FLAGS)\n" in makefile
    assert "\n\t@$(BIN)/flightframe serve $(INSTALLATION) $(SERVE_FLAGS)\n" in makefile


def test_the_stand_in_for_curl_sends_what_it_is_told(tmp_path):
    script = ROOT / "tests" / "docs" / "docs_curl.py"
    (tmp_path / "page").write_text("here")
    found = subprocess.run(
        [sys.executable, script, "-s", f"file://{tmp_path}/page"], capture_output=True, text=True
    )
    assert found.stdout == "here"


@pytest.mark.parametrize(
    ("expected", "printed", "fits"),
    [
        ("a\nb", "a\nb\n", True),
        ("a\nb", "a\nc", False),
        ("a … c", "a b c", True),
        ("a\n…", "a", True),
        ("a\n…\nd", "a\nb\nc\nd", True),
        ("a\n…\nd", "a\nb\nc", False),
        ("a", "a\nb", False),
        ("1.5", "1x5", False),
        ("…", "", True),
    ],
)
def test_what_fits_what(expected, printed, fits):
    assert matches(expected, printed) is fits


def test_a_transcript_is_taken_apart():
    found = commands_of("$ one \\\n    more\nout\n$ two\n^C\n")
    assert [(item.text, item.expected) for item in found] == [
        ("one \\\n    more", "out"),
        ("two", ""),
        ("^C", ""),
    ]


def test_a_wrong_page_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ echo right\nwrong\n```\n\n```python\nprint(1)\n```\n```text\n2\n```\n"
    )
    console, python = blocks_of(page)
    with Session(tmp_path) as session:
        for block in (console, python):
            with pytest.raises(AssertionError, match=re.escape(block.where)):
                session.run(block)

"""The pages that lead through the code say what is there: laws, glossary, routes, decisions."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import pytest
from docs_pages import blocks_of

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SERVER = ROOT / "server" / "flightframe_server"
RECORDS = sorted((DOCS / "decisions").glob("0*.md"))
CITED = re.compile(r"\b[Ll]aws? (\d)(?: and (\d))?")
MODULE = re.compile(r"\]\(\.\./server/flightframe_server/([\w/]+\.py)\)")


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def laws_cited_in(text: str) -> set[int]:
    # A line may break between the words.
    joined = " ".join(text.split())
    return {int(number) for found in CITED.findall(joined) for number in found if number}


def sections_of_laws() -> dict[int, str]:
    parts = re.split(r"^## Law (\d): ", text_of(DOCS / "laws.md"), flags=re.MULTILINE)
    return {int(number): body for number, body in zip(parts[1::2], parts[2::2], strict=True)}


def sources(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*.py") if ".venv" not in path.parts)


def test_there_are_nine_laws_in_order():
    assert list(sections_of_laws()) == list(range(1, 10))


def test_every_law_that_is_cited_has_a_section():
    cited = {
        law
        for path in (*sources(SERVER), *sources(ROOT / "tests"))
        for law in laws_cited_in(text_of(path))
    }
    assert cited == set(sections_of_laws())


@pytest.mark.parametrize("law", range(1, 10))
def test_a_law_names_its_tests_and_its_modules_cite_it(law):
    section = sections_of_laws()[law]
    tests = re.findall(r"\]\(\.\./(tests/property/test_law_[\w/]+\.py)\)", section)
    assert any(f"def test_law_{law}_" in text_of(ROOT / path) for path in tests)
    named = set(MODULE.findall(section))
    citing = {
        str(path.relative_to(SERVER))
        for path in sources(SERVER)
        if law in laws_cited_in(text_of(path))
    }
    assert named == citing
    assert all("docs/laws.md" in text_of(SERVER / module) for module in citing)


def test_a_law_that_no_section_tells_is_noticed():
    assert laws_cited_in("(laws 7 and\n    8, docs/laws.md) and law 3") == {3, 7, 8}
    assert laws_cited_in("lawless 5") == set()


def glossary() -> list[tuple[str, str]]:
    return re.findall(r"^\| \[([^\]]+)\]\(([^)]+)\) \| \S", text_of(DOCS / "glossary.md"), re.M)


def test_the_glossary_is_in_alphabetical_order_and_tells_each_word_once():
    words = [word.replace("_", " ").casefold() for word, _ in glossary()]
    rows = text_of(DOCS / "glossary.md").count("\n| [")
    assert len(words) == rows > 40
    assert words == sorted(set(words))


def test_every_word_leads_into_a_page_of_the_docs():
    # That the file and its heading are there is what `test_every_link_leads_somewhere` looks at.
    assert [target for _, target in glossary() if target.startswith(("http", "..", "#"))] == []


def test_every_question_of_where_it_is_decided_leads_to_a_file():
    rows = re.findall(r"^\| that .+$|^\| \w.+\? \|.+$", text_of(DOCS / "where.md"), re.M)
    assert len(rows) >= 20
    for row in rows:
        found = MODULE.findall(row)
        assert found, row
        assert [name for name in found if not (SERVER / name).is_file()] == []
        # What is shown is what is linked.
        assert all(
            f"[{name}]" in row or f"[{name.removesuffix('__init__.py')}]" in row for name in found
        )


def routes_on_the_page() -> dict[str, list[str]]:
    found = {}
    for block in blocks_of(DOCS / "architecture.md"):
        name, *lines = block.text.splitlines()
        if block.language == "text" and lines and lines[0].startswith("answer.py"):
            found[name] = [line.split()[0] for line in lines]
    return found


def tracing():
    spec = importlib.util.spec_from_file_location(
        "benchmarks_trace_routes", ROOT / "benchmarks" / "trace_routes.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def is_in_order(named: Iterable[str], entered: Iterable[str]) -> bool:
    left = iter(entered)
    return all(name in left for name in named)


def test_the_page_has_every_route_that_is_traced():
    assert list(routes_on_the_page()) == [route.name for route in tracing().ROUTES]


@pytest.mark.parametrize("number", range(5))
def test_a_route_enters_the_modules_of_the_page_in_their_order(number):
    module = tracing()
    route = module.ROUTES[number]
    entered = list(module.trace_of(route).modules)
    named = routes_on_the_page()[route.name]
    assert [name for name in named if name not in entered] == []
    assert is_in_order(named, entered), entered


def test_another_order_is_noticed():
    assert is_in_order("ac", "abc")
    assert not is_in_order("ca", "abc")


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.name)
def test_a_decision_has_a_date_and_a_status_and_the_list_has_both(record):
    lines = text_of(record).splitlines()
    assert lines[1] == ""
    day = re.fullmatch(r"Date: (\d{4}-\d\d-\d\d)", lines[2])
    status = re.fullmatch(r"Status: (accepted|superseded by (\d+))", lines[3])
    assert day, "a line `Date: ` stands under the title"
    assert status, "a line `Status: ` stands under the date"
    date.fromisoformat(day[1])
    if status[2]:
        assert any(int(other.name[:4]) == int(status[2]) for other in RECORDS)
    listed = text_of(DOCS / "decisions" / "README.md")
    row = rf"^\| \[{int(record.name[:4])}\]\({record.name}\) \| .+ \| {day[1]} \| {status[1]} \|$"
    assert re.search(row, listed, re.M)
    assert f"| {lines[0].split('. ', 1)[1]} |" in listed

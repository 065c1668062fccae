"""Nothing that a reader looks up is missing, and nothing is listed that is gone."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from flightframe_server.catalog.installation import (
    AuthSettings,
    BackendSettings,
    EngineSettings,
    Installation,
    ServerSettings,
    TlsSettings,
    TraceSettings,
)
from flightframe_server.catalog.limits import Limits, LimitsShape, SqlShape

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SERVER = ROOT / "server" / "flightframe_server"
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "tests/*.md", "*/README.md", "changelog.d/*.md")
    for path in ROOT.glob(pattern)
    if ".venv" not in path.parts
)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def first_cells(page: str, pattern: str = r"`([\w./]+)`") -> set[str]:
    return set(re.findall(rf"^\| {pattern} \|", text_of(page), re.MULTILINE))


def generator():
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_pages_are_what_the_product_says():
    assert generator().stale() == [], "run `make docs`"


def test_an_edited_or_missing_page_is_noticed(tmp_path):
    pages = generator().PAGES
    for name in pages:
        shutil.copy(DOCS / name, tmp_path)
    assert generator().stale(tmp_path) == []
    (tmp_path / "errors.md").write_text("edited")
    (tmp_path / "reducers.md").unlink()
    assert generator().stale(tmp_path) == ["errors.md", "reducers.md"]


def test_the_architecture_page_has_a_row_for_every_folder():
    folders = {
        f"{path.parent.relative_to(SERVER)}/"
        for path in SERVER.rglob("__init__.py")
        if path.parent != SERVER
    }
    modules = {path.name for path in SERVER.glob("*.py") if not path.name.startswith("__")}
    assert len(folders) > 10
    assert first_cells("docs/architecture.md") == folders | modules


def test_the_tests_page_has_a_row_for_every_folder_that_holds_tests():
    folders = {
        f"{path.relative_to(ROOT / 'tests').parts[0]}/"
        for path in (ROOT / "tests").rglob("test_*.py")
    }
    assert folders <= first_cells("tests/README.md")


def test_every_dependency_has_a_reason_and_none_is_listed_that_is_gone():
    project = tomllib.loads(text_of("pyproject.toml"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[<>=\[; ]", item)[0] for item in wanted}
    page = json.loads(text_of("workbench/package.json"))
    names |= {*page.get("dependencies", {}), *page.get("devDependencies", {})}
    cells = first_cells("docs/dependencies.md", r"([^|]+)") - {"package", "---"}
    listed = {name for cell in cells for name in cell.split(", ")}
    groups = {name.removesuffix("*") for name in listed if name.endswith("/*")}
    listed = {name for name in listed if not name.endswith("/*")}
    of_groups = {name for name in names if any(name.startswith(group) for group in groups)}
    assert listed == names - of_groups
    assert all(any(name.startswith(group) for name in of_groups) for group in groups)


def test_every_environment_variable_is_documented():
    sources = [*SERVER.rglob("*.py"), *(ROOT / "client" / "flightframe").rglob("*.py")]
    used = {
        name
        for path in sources
        for name in re.findall(r"\bFLIGHTFRAME_[A-Z_]+\b", path.read_text(encoding="utf-8"))
    }
    listed = set(re.findall(r"`(FLIGHTFRAME_[A-Z_]+)`", text_of("docs/operations.md")))
    assert used == listed


def test_every_setting_of_an_installation_is_documented():
    # What a back-end may take stands in the section `limits`, which has a page of its own.
    own = set(BackendSettings.__dataclass_fields__) - set(Limits.__dataclass_fields__)
    fields = {f"backend.{name}" for name in own}
    fields |= {f"metric_engine.{name}" for name in EngineSettings.__dataclass_fields__}
    fields |= {f"server.{name}" for name in ServerSettings.__dataclass_fields__}
    fields |= {f"telemetry.traces.{name}" for name in TraceSettings.__dataclass_fields__}
    fields |= set(Installation.__dataclass_fields__) - {
        "backend",
        "metric_engine",
        "server",
        "traces",
        "file",
    }
    page = text_of("docs/operations.md")
    assert sorted(name for name in fields if f"`{name}`" not in page) == []


def test_every_setting_of_tls_and_credentials_is_documented():
    page = text_of("docs/security.md")
    fields = {*TlsSettings.__dataclass_fields__, *AuthSettings.__dataclass_fields__}
    assert sorted(name for name in fields if f"`{name}`" not in page) == []


def test_every_limit_is_documented_with_its_default_and_is_kept_somewhere():
    page = text_of("docs/limits.md")
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for path in SERVER.rglob("*.py")
        if path.name not in ("limits.py", "read_installation.py", "installation.py")
    )
    sections = {**LimitsShape().model_dump(), **SqlShape().model_dump()}
    for name, default in sections.items():
        assert re.search(rf"^\| `{name}` \|", page, re.MULTILINE)
        assert default == getattr(Limits(), name)
        assert re.search(rf"\.{name}\b|\"{name}\"", source), f"nothing keeps {name}"
    assert sections.keys() == set(Limits.__dataclass_fields__)


def test_the_decisions_are_all_listed():
    records = {path.name for path in (DOCS / "decisions").glob("0*.md")}
    listed = re.findall(r"\]\((0\d{3}-[\w-]+\.md)\)", text_of("docs/decisions/README.md"))
    assert sorted(records) == sorted(listed)
    numbers = [int(name[:4]) for name in sorted(records)]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("record", sorted((DOCS / "decisions").glob("0*.md")), ids=lambda p: p.name)
def test_a_decision_says_why_and_what_would_change_it(record):
    text = record.read_text(encoding="utf-8")
    for part in ("Context", "Options", "Choice", "Why", "What would change our mind"):
        assert f"**{part}.**" in text
    assert text.startswith(f"# {int(record.name[:4])}. ")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    broken = [
        target
        for target in re.findall(r"\]\(([^)\s]+)\)", text)
        if not target.startswith(("http://", "https://")) and not leads_somewhere(page, target)
    ]
    assert broken == []


def leads_somewhere(page: Path, target: str) -> bool:
    name, _, heading = target.partition("#")
    path = (page.parent / name).resolve() if name else page
    if not path.exists():
        return False
    return not heading or heading in headings_of(path)


def headings_of(path: Path) -> set[str]:
    found = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in found}


def test_make_lists_every_verb():
    makefile = text_of("Makefile")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    described = re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)
    assert phony is not None
    assert sorted(phony[1].split()) == sorted(described)


def test_ci_runs_exactly_what_make_check_runs():
    prerequisites = re.search(r"^check: ([a-z -]+) ##", text_of("Makefile"), re.MULTILINE)
    commands = re.findall(r"^make ([a-z-]+)", text_of(".ci/run"), re.MULTILINE)
    assert prerequisites is not None
    assert commands == prerequisites[1].split()
    # The summary of the longest part is the last thing printed.
    assert commands == ["static", "coverage", "test", "test-all"]

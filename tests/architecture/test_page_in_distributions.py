"""The built page in what is distributed: in a wheel where it is built, and in each release."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from building import copy_sources

ROOT = Path(__file__).parents[2]
PAGE = "flightframe_server/web/page"
FILES = {
    "index.html": "<!doctype html>",
    "assets/index-1.js": "start()",
    "assets/index-1.js.gz": "z",
}


def page_script():
    spec = importlib.util.spec_from_file_location("page_script", ROOT / ".ci" / "page.py")
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script
    spec.loader.exec_module(script)
    return script


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A copy of the tree without a page, under git's rule that leaves the page out."""
    folder = copy_sources(tmp_path / "checkout")
    for path in sorted((folder / "server" / PAGE).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (folder / ".gitignore").write_bytes((ROOT / ".gitignore").read_bytes())
    return folder


def put_page(checkout: Path) -> None:
    for name, text in FILES.items():
        path = checkout / "server" / PAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def build(source: Path, target: Path, kind: str, **environment: str):
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)],
        cwd=source, env={**os.environ, "PYTHONPATH": "", **environment},
        capture_output=True, text=True,
    )  # fmt: skip


def page_in(wheel: Path) -> dict[str, str]:
    with zipfile.ZipFile(wheel) as archive:
        return {
            name.removeprefix(f"{PAGE}/"): archive.read(name).decode()
            for name in archive.namelist()
            if name.startswith(f"{PAGE}/")
        }


@pytest.mark.slow
def test_a_wheel_has_the_page_and_so_has_one_from_its_sdist(checkout, tmp_path):
    put_page(checkout)
    assert build(checkout, tmp_path / "one", "wheel").returncode == 0
    (wheel,) = (tmp_path / "one").glob("*.whl")
    assert page_in(wheel) == FILES

    assert build(checkout, tmp_path / "sdist", "sdist").returncode == 0
    (sdist,) = (tmp_path / "sdist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert build(unpacked, tmp_path / "two", "wheel").returncode == 0
    (wheel,) = (tmp_path / "two").glob("*.whl")
    assert page_in(wheel) == FILES


@pytest.mark.slow
def test_without_a_page_a_wheel_is_built_with_a_warning_and_a_release_is_not(checkout, tmp_path):
    done = build(checkout, tmp_path / "one", "wheel")
    assert done.returncode == 0
    assert "without the page" in done.stdout + done.stderr
    (wheel,) = (tmp_path / "one").glob("*.whl")
    assert page_in(wheel) == {}

    refused = build(checkout, tmp_path / "two", "wheel", FLIGHTFRAME_RELEASE="1")
    assert refused.returncode != 0
    assert "a release has the page" in refused.stdout + refused.stderr
    assert not list(tmp_path.glob("two/*.whl"))


@pytest.mark.parametrize(
    ("version", "will_do"),
    [
        ("v18.20.0", False), ("v20.18.3", False), ("v20.19.0", True), ("v20.20.2", True),
        ("v21.7.3", False), ("v22.11.0", False), ("v22.12.0", True), ("v24.19.0", True),
        ("", False),
    ],
)  # fmt: skip
def test_which_node_will_do(version, will_do):
    assert page_script().is_new_enough(version) is will_do


def test_a_page_that_cannot_be_built_stops_nobody_but_who_asked_for_it(
    tmp_path, monkeypatch, capsys
):
    script = page_script()
    monkeypatch.setattr(script, "PAGE", tmp_path / "page")
    monkeypatch.setattr(script, "machine_node", lambda: None)

    def none():
        raise script.NotBuilt("the registry cannot be reached")

    monkeypatch.setattr(script, "fetched_node", none)
    assert script.main(["--once"]) == 0
    assert "goes on without it" in capsys.readouterr().err
    assert script.main([]) == 1
    assert "the registry cannot be reached" in capsys.readouterr().err


def test_a_page_of_older_sources_is_built_again(tmp_path, monkeypatch):
    script = page_script()
    monkeypatch.setattr(script, "PAGE", tmp_path / "page")
    monkeypatch.setattr(script, "BUILT_STAMP", tmp_path / "stamp")
    assert not script.is_current()
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").touch()
    (tmp_path / "stamp").write_text("older")
    assert not script.is_current()
    (tmp_path / "stamp").write_text(script.digest())
    assert script.is_current()


def test_the_lock_file_names_no_host():
    lock = (ROOT / "workbench" / "package-lock.json").read_text(encoding="utf-8")
    assert "://registry" not in lock
    assert '"resolved"' not in lock
    assert '"node_modules/vite": {\n      "version": "8.3.4"' in lock

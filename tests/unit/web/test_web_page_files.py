"""The page is served under a strict policy, and no path leads out of its folder."""

from __future__ import annotations

import gzip
from pathlib import Path

import httpx
import pytest

from flightframe_server.web.page_files import POLICY, PageFiles

INDEX = "<!doctype html><title>page</title>" + "<p>x</p>" * 200
SCRIPT = "console.log('x');" * 200


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text(INDEX)
    (page / "assets" / "app-1a2b3c.js").write_text(SCRIPT)
    (page / "assets" / "app-1a2b3c.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (page / "assets" / "app-1a2b3c.js.map").write_text("{}")
    (page / "assets" / "tiny.css").write_text("a{}")
    return page


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/catalogue", "/catalogue/amount", "/engine", "/help/frame-ql"]
)
def test_every_view_is_the_one_page(folder, path):
    file = PageFiles(folder).find(path)
    assert file.content.decode() == INDEX
    assert file.headers["content-security-policy"] == POLICY
    assert file.headers["cache-control"] == "no-cache"
    assert gzip.decompress(file.packed).decode() == INDEX


def test_the_policy_lets_nothing_in_from_elsewhere_and_nothing_inline():
    rules = dict(rule.strip().split(" ", 1) for rule in POLICY.split(";"))
    assert rules == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "font-src": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": "'none'",
    }


def test_an_asset_never_changes_under_its_name(folder):
    file = PageFiles(folder).find("/assets/app-1a2b3c.js")
    assert file.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in file.headers["cache-control"]
    assert gzip.decompress(file.packed).decode() == SCRIPT
    assert PageFiles(folder).find("/assets/tiny.css").packed is None


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "//secret.txt",
        "/secret.txt",
        "/assets/app-1a2b3c.js.gz",
        "/assets/app-1a2b3c.js.map",
        "/assets/",
        "/assets/other.js",
        "/docs/more",
        "/runtime/nothing",
        "/enginex",
    ],
)
def test_no_other_path_is_a_file(folder, path):
    assert PageFiles(folder).find(path) is None


def test_where_there_is_no_page_the_first_address_says_how_to_build_it(tmp_path):
    files = PageFiles(tmp_path / "none")
    assert not files.built
    assert b"make page" in files.find("/").content
    assert files.find("/catalogue") is None


def test_over_http(client: httpx.Client):
    page = client.get("/")
    assert page.headers["content-security-policy"] == POLICY
    assert page.headers["x-content-type-options"] == "nosniff"
    assert client.get("/", headers={"accept-encoding": "identity"}).text == page.text
    assert client.post("/").status_code == 405


def test_a_page_that_the_client_has_is_not_sent_again(client: httpx.Client):
    page = client.get("/")
    tag = page.headers["etag"]
    for header in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
        same = client.get("/", headers={"if-none-match": header})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
        assert same.headers["content-security-policy"] == POLICY
    assert client.get("/", headers={"if-none-match": '"x"'}).content == page.content


def test_another_page_has_another_tag(folder):
    tags = [PageFiles(folder).find("/").headers["etag"] for _ in range(2)]
    (folder / "index.html").write_text(f"{INDEX}!")
    tags.append(PageFiles(folder).find("/").headers["etag"])
    assert tags[0] == tags[1] != tags[2]


def test_the_page_is_for_everybody(secured):
    with secured.client() as client:
        assert client.get("/").status_code == 200
        assert client.get("/docs").status_code == 200

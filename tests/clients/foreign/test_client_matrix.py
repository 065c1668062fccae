"""The table of clients in the docs says what the tests do, and counts what they could not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from foreign_clients import FOREIGN, JDBC, LIBRARIES
from foreign_runs import JAVA, SCRIPTS, Secured, Target, command
from foreign_setups import FOLDER, HERE, ROOT, SETUPS, NotMade, Setup

CLIENTS = HERE.parent
ABSENT = [client for client in FOREIGN if not client.published]


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("client", LIBRARIES, ids=lambda client: client.name)
def test_a_row_names_tests_that_are_there(client):
    for step, test in client.steps:
        file, _, name = test.partition("::")
        assert name in functions_of(CLIENTS / file), step


def test_every_client_has_an_environment_and_every_environment_a_client():
    assert {client.setup for client in FOREIGN} == set(SETUPS)
    assert len({client.key for client in FOREIGN}) == len(FOREIGN)


@pytest.mark.parametrize("client", FOREIGN, ids=lambda client: client.key)
def test_every_client_stands_in_the_table(client):
    page = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    assert f"| {client.name} | {client.version}" in page


def test_the_page_of_connections_names_what_the_tests_run():
    page = (ROOT / "docs" / "connecting.md").read_text(encoding="utf-8")
    jdbc = command(JDBC[0], Target("127.0.0.1", 8815, Secured(1, 2, "", "", "", "")))
    assert f"`{jdbc[-1]}`" in page
    assert f"\n{JAVA[-1]}\n" in page
    script = (SCRIPTS / "dbapi_client.py").read_text(encoding="utf-8")
    for part in ("datafusion+flightsql://", "feature-sqlalchemy-prepared-statements=on"):
        assert part in page
        assert part in script


@pytest.mark.parametrize("client", ABSENT, ids=lambda client: client.key)
def test_what_no_registry_has_is_counted(client, record_property):
    reason = SETUPS[client.setup].missing()
    if reason is not None:
        note = FOLDER / f"{client.setup}.absent"
        told = note.read_text(encoding="utf-8") if note.is_file() else reason
        record_property("foreign client", [client.key, None, told])


def test_an_environment_is_made_once_and_again_when_what_it_is_made_from_changes(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("foreign_setups.FOLDER", tmp_path)
    made: list[Path] = []

    def make(folder: Path) -> None:
        assert list(folder.iterdir()) == []
        made.append(folder)
        (folder / "something").touch()

    first = Setup("one", (), ("first",), make)
    assert first.missing() == "it is not prepared"
    first.prepare()
    first.prepare()
    assert (made, first.missing()) == ([tmp_path / "one"], None)
    second = Setup("one", (), ("second",), make)
    assert second.missing() == "it is not prepared"
    second.prepare()
    assert len(made) == 2


def test_a_half_made_environment_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr("foreign_setups.FOLDER", tmp_path)

    def fail(folder: Path) -> None:
        (folder / "something").touch()
        raise NotMade("the registry is away")

    broken = Setup("one", (), ("first",), fail)
    with pytest.raises(NotMade, match="the registry is away"):
        broken.prepare()
    assert broken.missing() == "it is not prepared"
    lacking = Setup("two", ("no-such-command-anywhere",), ("first",), fail)
    with pytest.raises(NotMade, match="there is no no-such-command-anywhere on the path"):
        lacking.prepare()

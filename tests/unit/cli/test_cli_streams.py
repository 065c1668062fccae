"""What stdout can take: an encoding without our characters, a reader that leaves, a full disk."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from corner_shop import AC, MANIFEST, ROOT, TABLES

from flightframe_server.cli.streams import escaped, fits

CITY = "Łódź…"
"""A member with characters that no terminal below has, one of them a sign of our own."""

ASCII_CITY = r"\u0141\u00f3d\u017a\u2026"

TERMINALS = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "the C locale as ASCII": {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    },
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "utf-8": {"PYTHONIOENCODING": "utf-8"},
}

QUERY = f"SELECT town, amount AT town WHERE town = '{CITY}'"

COMMANDS: dict[str, tuple[str, ...]] = {
    "help": ("--help",),
    "help of a command": ("query", "--help"),
    "version": ("--version",),
    "wrong usage": ("querry", CITY),
    "check": ("check", "INSTALLATION"),
    "init-demo": ("init-demo", "FOLDER"),
    "query": ("query", QUERY, "--uri", "URI"),
    "query on stdin": ("query", "-", "--uri", "URI"),
    "query as json": ("query", QUERY, "--uri", "URI", "--format", "json"),
    "query as csv": ("query", QUERY, "--uri", "URI", "--format", "csv"),
    "query as arrow": ("query", QUERY, "--uri", "URI", "--format", "arrow"),
    "a wrong query": ("query", f"SELECT amount AT town WHERE {CITY}", "--uri", "URI"),
    "an unknown name": ("query", f'SELECT amount AT "{CITY}"', "--uri", "URI"),
    "a wrong word": ("query", "\udcff", "--uri", "URI"),
    "explain": ("explain", QUERY, "--uri", "URI"),
    "describe": ("describe", "town", "--uri", "URI"),
    "describe as json": ("describe", "town", "--uri", "URI", "--format", "json"),
    "user add": ("user", "add", "zoë", "--password-stdin"),
    "token new": ("token", "new", "zoë"),
}
FAILING = {"wrong usage": 2, "a wrong word": 2, "a wrong query": 1, "an unknown name": 1}
BYTES = frozenset({"query as csv", "query as arrow"})
"""Commands that write bytes of their own, not texts of the terminal."""

LONG = ("check", "help", "query", "query as json", "query as csv", "query as arrow", "explain")
"""Commands with more than a line to write."""


@dataclass(frozen=True)
class Done:
    """What a command wrote, and its exit code."""

    out: bytes
    err: bytes
    code: int


def environment(**more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if "FLIGHTFRAME" not in name and not name.startswith(("LC_", "LANG"))
    }
    path = os.pathsep.join([str(ROOT / "client"), str(ROOT / "server")])
    return {**kept, "LANG": "C.UTF-8", "PYTHONPATH": path, **more}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lodz")
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.execute(TABLES.replace("South", CITY))
    (folder / "ac.yaml").write_text(AC.replace("A corner shop", f"A shop in {CITY}"), "utf-8")
    (folder / "installation.yaml").write_text(MANIFEST)
    return folder / "installation.yaml"


@pytest.fixture(scope="module")
def uri(manifest: Path) -> Iterator[str]:
    """A server whose own streams are ASCII, and whose log nobody reads to the end."""
    command = [sys.executable, "-m", "flightframe_server", "serve", str(manifest), "--no-http"]
    with subprocess.Popen(
        command,
        env=environment(PYTHONIOENCODING="ascii"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        ready = process.stdout.readline().split()
        process.stdout.close()
        process.stderr.close()
        yield next(word for word in ready if word.startswith("flight=")).removeprefix("flight=")
        process.terminate()


def run(
    folder: Path, manifest: Path, uri: str, names: list[tuple[str, str]], **more: str
) -> list[Done]:
    """Run commands, each with a kind of stdout, in one environment."""
    known = {"INSTALLATION": str(manifest), "FOLDER": str(folder / "demo"), "URI": uri}
    jobs = [
        {
            "arguments": [known.get(word, word) for word in COMMANDS[name]],
            "stdin": QUERY if name == "query on stdin" else "correct horse\n",
            "stdout": kind,
        }
        for name, kind in names
    ]
    path = folder / "jobs.json"
    path.write_text(json.dumps(jobs))
    program = Path(__file__).with_name("forked_commands.py")
    subprocess.run(
        [sys.executable, program, path],
        env=environment(**more),
        capture_output=True,  # a pipe, as the streams of the jobs are
        check=True,
        timeout=500,
    )
    found = []
    for number in range(len(jobs)):
        out = folder / f"{number}.out"
        found.append(
            Done(
                out.read_bytes() if out.exists() else b"",
                (folder / f"{number}.err").read_bytes(),
                int((folder / f"{number}.code").read_text()),
            )
        )
    return found


@pytest.mark.slow
@pytest.mark.parametrize("terminal", TERMINALS)
def test_every_command_writes_on_every_terminal(
    terminal: str, tmp_path: Path, manifest: Path, uri: str
) -> None:
    names = [name for name in COMMANDS if name != "init-demo" or terminal == "ascii"]
    jobs = [(name, "file") for name in names]
    found = run(tmp_path, manifest, uri, jobs, **TERMINALS[terminal])
    done = dict(zip(names, found, strict=True))
    for name, result in done.items():
        told = result.err.decode("utf-8", "replace")
        assert "Traceback" not in told, (name, told)
        assert "UnicodeE" not in told, (name, told)
        assert result.code == FAILING.get(name, 0), (name, told)
        if name not in BYTES:
            encoding = TERMINALS[terminal].get("PYTHONIOENCODING", "ascii")
            result.out.decode(encoding)
            result.err.decode(encoding)
    assert b"it is not UTF-8" in done["a wrong word"].err
    # JSON, CSV and Arrow mean the same everywhere; a table shows a member as it is or escaped.
    assert json.loads(done["query as json"].out)["rows"] == [[CITY, 1.05]]
    described = json.loads(done["describe as json"].out)
    assert described["collections"][0]["levels"][0]["facts"]["members"] == ["North", CITY]
    assert done["query as csv"].out.decode() == f'"town","amount"\n"{CITY}",1.05\n'
    assert pa.ipc.open_stream(done["query as arrow"].out).read_all()["town"].to_pylist() == [CITY]
    shown = CITY if terminal == "utf-8" else escaped(CITY)
    for name in ("query", "query on stdin"):
        table = done[name].out.decode("utf-8" if terminal == "utf-8" else "latin-1")
        assert shown in table, table
    sign = {"utf-8": "✓", "latin-1": "[ok]"}.get(terminal, "[ok]")
    assert f"{sign} no problems" in done["check"].out.decode("utf-8", "replace")


@pytest.mark.slow
def test_a_member_is_never_shown_as_another(tmp_path: Path, manifest: Path, uri: str) -> None:
    """`…` of a value is an escape; a sign of our own texts has a spelling."""
    (done,) = run(tmp_path, manifest, uri, [("query", "file")], PYTHONIOENCODING="ascii")
    assert ASCII_CITY in done.out.decode("ascii")
    assert "1 row - served_from: " in done.out.decode("ascii")


@pytest.mark.slow
def test_a_reader_may_leave_and_a_disk_may_be_full(
    tmp_path: Path, manifest: Path, uri: str
) -> None:
    """A reader leaves as `| head -1` does, or reads nothing at all."""
    jobs = [(name, kind) for name in LONG for kind in ("line", "left", "full", "closed")]
    found = run(tmp_path, manifest, uri, jobs, PYTHONUNBUFFERED="1")
    full = b"error SETUP: the output cannot be written: No space left on device\n"
    for (name, kind), done in zip(jobs, found, strict=True):
        codes = {"line": (0, 1), "left": (1,), "full": (1,), "closed": (0,)}[kind]
        assert done.code in codes, (name, kind, done)
        assert done.err == (full if kind == "full" else b""), (name, kind)


@pytest.mark.slow
def test_a_buffered_line_that_nobody_reads_is_no_failure_at_exit(
    tmp_path: Path, manifest: Path, uri: str
) -> None:
    jobs = [("version", "left"), ("query as json", "left"), ("token new", "left")]
    for done in run(tmp_path, manifest, uri, jobs):
        assert done.code == 1
        assert b"Exception ignored" not in done.err
        assert b"Traceback" not in done.err


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("plain", "ascii", True),
        ("é", "latin-1", True),
        ("é", "ascii", False),
        ("\ud800", "utf-8", False),
        ("é", None, True),
        ("a", "no such encoding", False),
    ],
)
def test_what_fits(text: str, encoding: str | None, expected: bool) -> None:
    assert fits(text, encoding) is expected


@pytest.mark.parametrize("text", ["é", "\u2028", "\U0001f600", "\ud800", "plain"])
def test_an_escape_is_json(text: str) -> None:
    assert json.loads(f'"{escaped(text)}"') == text
    assert escaped(text).isascii()

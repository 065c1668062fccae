"""Runs command lines one after the other, each in a fork of this process with streams of its own.

A program of its own, so that the streams have the encoding that its environment says, and so that
what every command imports is imported once. It takes the path of a JSON file with a list of jobs
{"arguments": [...], "stdin": text, "stdout": kind} and writes beside it, for job n, `n.out`,
`n.err` and `n.code`. The kinds of stdout: a `file`, a `full` disk, a reader that leaves after one
`line` or before the first (`left`), or `closed`.
"""

import gc
import importlib
import json
import os
import sys
import threading
from pathlib import Path

from flightframe_server.cli import main
from flightframe_server.cli.command_table import COMMANDS


def reader_of_one_line(source: int) -> None:
    """Read to the end of the first line, and close the pipe."""
    while os.read(source, 1) not in (b"\n", b""):
        pass
    os.close(source)


def connect(job: dict[str, str], folder: Path, name: str) -> None:
    """Give this process the streams of a job."""
    (folder / f"{name}.in").write_text(job["stdin"], "utf-8")
    os.dup2(os.open(folder / f"{name}.in", os.O_RDONLY), 0)
    errors = os.open(folder / f"{name}.err", os.O_WRONLY | os.O_CREAT)
    os.dup2(errors, 2)
    kind = job["stdout"]
    if kind == "closed":
        os.close(1)
        sys.stdout = None  # type: ignore[assignment]  # as Python starts without one
        return
    if kind == "full":
        os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
    elif kind == "file":
        os.dup2(os.open(folder / f"{name}.out", os.O_WRONLY | os.O_CREAT), 1)
    else:
        source, sink = os.pipe()
        os.dup2(sink, 1)
        os.close(sink)
        if kind == "left":
            os.close(source)
        else:
            threading.Thread(target=reader_of_one_line, args=(source,), daemon=True).start()


def run(path: Path) -> None:
    """Run the jobs of a file."""
    for row in COMMANDS:
        importlib.import_module(row.target.partition(":")[0])
    # What was imported stays: no fork looks it through for garbage, as each would when it ends.
    gc.collect()
    gc.freeze()
    for number, job in enumerate(json.loads(path.read_text("utf-8"))):
        child = os.fork()
        if child == 0:
            connect(job, path.parent, str(number))
            # As a shell would have given them: bytes of UTF-8, whatever this locale is.
            given = [word.encode("utf-8", "surrogateescape") for word in job["arguments"]]
            sys.argv = ["flightframe", *map(os.fsdecode, given)]
            main()
        _, status = os.waitpid(child, 0)
        (path.parent / f"{number}.code").write_text(str(os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    run(Path(sys.argv[1]))

"""The ways in which a file moves, each as one function of a source, a file and chances.

A move ends with a version in place that can be answered from. It returns whether it was one of its
kind: two files may differ in size. Where readers keep it from being made, it raises `Kept`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from moving_data import ROWS, Version
from moving_sources import BACKENDS, Source

DWELL_SECONDS = 0.06
MORE_ROWS = 60
GARBAGE = (b"", b"not a database, but long enough " * 4_000, bytes(200_000), b"PAR1" * 1_000)

Move = Callable[[Source, str, Random], bool]


@dataclass(frozen=True)
class Kind:
    """A way to move, and the back-ends whose files can."""

    name: str
    move: Move
    backends: tuple[str, ...] = BACKENDS


def dwell(random: Random) -> None:
    """Leave things as they are for a moment, so that somebody asks."""
    time.sleep(random.uniform(0, DWELL_SECONDS))


def coming(source: Source, name: str, random: Random) -> tuple[Version, Path, Path]:
    """Return the next version, a file of it that stays, and a copy that may be moved away."""
    version = source.next(name, random)
    made = source.made(name, version, logged=random.random() < 0.4)
    copy = source.fresh()
    source.beside(made, copy)
    return version, made, copy


def renamed(source: Source, name: str, random: Random) -> bool:
    version, _, copy = coming(source, name, random)
    source.close_log(name)
    with source.timeline.moving(name, version):
        os.replace(copy, source.files[name])
    return True


def written_over(source: Source, name: str, random: Random) -> bool:
    version = source.next(name, random)
    made = source.made(name, version, logged=random.random() < 0.4)
    source.close_log(name)
    with source.timeline.moving(name, version):
        source.mover.do("copy", made, source.files[name])
    return True


def of_equal_size_and_time(source: Source, name: str, random: Random) -> bool:
    """Written over, or renamed: either way nothing but the inode or the time of change tells."""
    path = source.files[name]
    found = path.stat()
    version, made, copy = coming(source, name, random)
    times = (found.st_atime_ns, found.st_mtime_ns)
    source.close_log(name)
    with source.timeline.moving(name, version):
        if random.random() < 0.5:
            source.mover.do("copy", made, path)
            os.utime(path, ns=times)
        else:
            os.utime(copy, ns=times)
            os.replace(copy, path)
    now = path.stat()
    return (now.st_size, now.st_mtime_ns) == (found.st_size, found.st_mtime_ns)


def made_again(source: Source, name: str, random: Random) -> bool:
    """Removed and written anew, with the inode of a former file where the system gives it out."""
    path = source.files[name]
    version = source.next(name, random)
    made = source.made(name, version)
    source.close_log(name)
    with source.timeline.moving(name, version):
        path.unlink()
        source.mover.do("copy", made, path)
    return True


def linked(source: Source, name: str, random: Random) -> bool:
    """Pointed elsewhere by a link; what comes next moves the link, or what it points to."""
    version, _, target = coming(source, name, random)
    link = source.fresh()
    link.symlink_to(target.name if random.random() < 0.5 else target)
    source.close_log(name)
    with source.timeline.moving(name, version):
        os.replace(link, source.files[name])
    return True


def appended(source: Source, name: str, random: Random) -> bool:
    """More rows, written by the database itself, and by Polars into the very file."""
    now = source.timeline.now(name)
    assert now is not None
    value, rows = now.version.value, now.version.rows
    more = Version(value, rows + random.randint(1, MORE_ROWS))
    path = source.files[name]
    match source.backend:
        case "sqlite":
            with source.timeline.moving(name, more):
                source.mover.do("append_sqlite", path, value, rows, more.rows)
        case "duckdb":
            # The file that is served is locked: DuckDB writes to a copy of it.
            copy = source.fresh()
            source.beside(source.made(name, Version(value)), copy)
            source.mover.do("append_duckdb", copy, value, ROWS, more.rows, fold=True)
            with source.timeline.moving(name, more):
                source.close_log(name)
                os.replace(copy, path)
        case _:
            with source.timeline.moving(name, more):
                source.mover.do("make_parquet", path, name, value, more.rows)
    return True


def truncated(source: Source, name: str, random: Random) -> bool:
    """Cut short in place; then another version comes."""
    path = source.files[name]
    before = source.timeline.now(name)
    assert before is not None
    source.close_log(name)
    with source.timeline.moving(name, before.version, whole=False):
        os.truncate(path, int(path.stat().st_size * random.uniform(0, 0.95)))
    dwell(random)
    return (renamed, written_over)[random.random() < 0.5](source, name, random)


def half_written(source: Source, name: str, random: Random) -> bool:
    """Written in place by somebody who takes a rest halfway."""
    version = source.next(name, random)
    made = source.made(name, version)
    source.close_log(name)
    with source.timeline.moving(name, version, whole=False):
        source.mover.do("half", made, source.files[name])
    dwell(random)
    with source.timeline.moving(name, version):
        source.mover.do("rest")
    return True


def half_over(source: Source, name: str, random: Random) -> bool:
    """Written in place over what stands there, with a rest while the file is half of each."""
    version = source.next(name, random)
    made = source.made(name, version)
    with source.timeline.moving(name, None):
        source.mover.do("half_over", made, source.files[name])
    dwell(random)
    with source.timeline.moving(name, version):
        source.mover.do("rest")
    return True


def swapped(source: Source, name: str, random: Random) -> bool:
    """Something that is no data in the file's place; then the very file again, or another."""
    path, aside, other = source.files[name], source.fresh(), source.fresh()
    other.write_bytes(random.choice(GARBAGE))
    before = source.timeline.now(name)
    assert before is not None
    back = random.random() < 0.5
    source.close_log(name)
    with source.timeline.moving(name, None):
        if back:
            path.rename(aside)
            os.replace(other, path)
        else:
            source.mover.do("copy", other, path)
    dwell(random)
    if not back:
        return (renamed, written_over)[random.random() < 0.5](source, name, random)
    source.close_log(name)
    with source.timeline.moving(name, before.version):
        os.replace(aside, path)
    return True


def gone(source: Source, name: str, random: Random) -> bool:
    """Away for a moment; then the very file again."""
    path, aside = source.files[name], source.fresh()
    before = source.timeline.now(name)
    assert before is not None
    source.close_log(name)
    with source.timeline.moving(name, None):
        path.rename(aside)
    dwell(random)
    source.close_log(name)
    with source.timeline.moving(name, before.version):
        aside.rename(path)
    return True


def touched(source: Source, name: str, random: Random) -> bool:
    """The same content with another time.

    Of a SQLite file whose log holds commits that cannot be told from a foreign write: it is refused
    until the log is closed, as it is here first.
    """
    source.close_log(name)
    before = source.timeline.now(name)
    assert before is not None
    with source.timeline.moving(name, before.version):
        os.utime(source.files[name], None)
    return True


def logged(source: Source, name: str, random: Random) -> bool:
    """A commit that stands in the log beside the file; then the log goes."""
    if source.backend == "sqlite":
        return _logged_by_sqlite(source, name, random)
    value = source.next(name, random).value
    base, more = Version(value), Version(value, ROWS + random.randint(1, MORE_ROWS))
    copy, path = source.fresh(), source.files[name]
    source.beside(source.made(name, base), copy)
    second = source.fresh()
    source.beside(source.made(name, base), second)
    source.mover.do("append_duckdb", copy, value, ROWS, more.rows, fold=False)
    log = Path(f"{copy}.wal")
    assert log.exists(), "the writer left no log"
    with source.timeline.moving(name, base):
        os.replace(second, path)
    dwell(random)
    beside = Path(f"{path.resolve()}.wal")
    with source.timeline.moving(name, more):
        os.replace(log, beside)
    dwell(random)
    with source.timeline.moving(name, base):
        beside.unlink()
    return True


def _logged_by_sqlite(source: Source, name: str, random: Random) -> bool:
    version = source.next(name, random)
    made, copy = source.made(name, version, logged=True), source.fresh()
    source.beside(made, copy)
    source.close_log(name)
    with source.timeline.moving(name, version):
        os.replace(copy, source.files[name])
    dwell(random)
    for _ in range(random.randint(1, 3)):
        appended(source, name, random)
        dwell(random)
    now = source.timeline.now(name)
    assert now is not None
    with source.timeline.moving(name, now.version):
        source.mover.do("fold_sqlite", source.files[name])
    return True


KINDS = (
    Kind("renamed", renamed),
    Kind("written over", written_over),
    Kind("equal size and time", of_equal_size_and_time),
    Kind("made again", made_again),
    Kind("linked", linked),
    Kind("appended", appended),
    Kind("truncated", truncated),
    Kind("half written", half_written),
    Kind("half over", half_over, ("duckdb", "polars")),
    Kind("swapped and back", swapped),
    Kind("gone and back", gone),
    Kind("touched", touched),
    Kind("log", logged, ("duckdb", "sqlite")),
)


def kinds_of(backend: str) -> list[Kind]:
    """Return the ways in which a back-end's files move."""
    return [kind for kind in KINDS if backend in kind.backends]

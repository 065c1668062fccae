"""A source of each back-end whose files can be put in each other's place, and what it is served as.

Versions are made once, beside, and copied from there: what is put in place is another file each
time, with the content of a version that may have stood before.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from random import Random

from moving_data import COLLECTION, ROWS, Version
from moving_mover import Mover
from moving_timeline import Timeline

BACKENDS = ("duckdb", "sqlite", "polars")
VALUES = range(2, 10)
TABLES = ("sales", "shops", "lines")
LOGS = ("-wal", "-shm", ".wal")


class Source:
    """The files of one installation.

    Args:
        folder: holds everything, and is empty.
        backend: which database.
        mover: writes.
        values: of its versions; each is made once.

    Attributes:
        files: the files that are served, by name; a database is one, else each table is.
        timeline: what they held when.
        inodes: every file that was ever served, as device and inode, by name.
        reused: how often such a number came back with another file.
    """

    def __init__(
        self, folder: Path, backend: str, mover: Mover, values: Sequence[int] = VALUES
    ) -> None:
        self.folder, self.backend, self.mover = folder, backend, mover
        self._values = values
        self._made, self._serial = folder / "made", itertools.count()
        self._made.mkdir()
        (folder / "data").mkdir()
        if backend == "polars":
            tables = {table: (table,) for table in TABLES}
            source, self._suffix = "./data", "parquet"
        else:
            tables = {"shop": TABLES}
            source, self._suffix = f"./data/shop.{backend}", backend
        self.files = {name: folder / "data" / f"{name}.{self._suffix}" for name in tables}
        self.timeline = Timeline(tables)
        self._inodes: dict[str, set[tuple[int, int]]] = {name: set() for name in tables}
        self.reused = 0
        (folder / "ac.yaml").write_text(COLLECTION)
        (folder / "installation.yaml").write_text(
            f"id: moving\ncollections: [ac.yaml]\nbackend: {{type: {backend}, source: {source}}}\n"
        )
        for name, path in self.files.items():
            first = Version(values[0])
            with self.timeline.moving(name, first):
                self.beside(self.made(name, first), path)

    @property
    def manifest(self) -> Path:
        return self.folder / "installation.yaml"

    def made(self, name: str, version: Version, *, logged: bool = False) -> Path:
        """Return a file that holds a version, made where there is none; not the one served."""
        journal = "WAL" if logged else "DELETE"
        parts = (name, version.value, version.rows, journal)
        path = self._made / f"{'-'.join(map(str, parts))}.{self._suffix}"
        if not path.exists():
            of = (version.value, version.rows)
            match self.backend:
                case "sqlite":
                    self.mover.do("make_sqlite", path, *of, journal)
                case "duckdb":
                    self.mover.do("make_duckdb", path, *of)
                case _:
                    self.mover.do("make_parquet", path, name, *of)
        return path

    def beside(self, source: Path, target: Path) -> None:
        """Copy a file to where nothing is served."""
        self.mover.do("beside", source, target)

    def fresh(self) -> Path:
        """Return a path, in the folder of the data, where there is nothing."""
        return self.folder / "data" / f"coming{next(self._serial)}"

    def next(self, name: str, random: Random, *, rows: int = ROWS) -> Version:
        """Return a version that a file does not hold."""
        now = self.timeline.now(name)
        others = [v for v in self._values if now is None or v != now.version.value]
        return Version(random.choice(others), rows)

    def note(self, name: str) -> None:
        """Remember the inode that is served now, and count it where it had been another file's."""
        found = self.files[name].stat()
        inode = (found.st_dev, found.st_ino)
        self.reused += inode in self._inodes[name]
        self._inodes[name].add(inode)

    def close_log(self, name: str) -> None:
        """Close the log of a SQLite file, as is to be done before the file is replaced.

        Raises:
            Kept: readers keep it open.
        """
        if self.backend != "sqlite":
            return
        real = self.files[name].resolve()
        log, index = (real.with_name(real.name + end) for end in ("-wal", "-shm"))
        if not log.exists() and not index.exists():
            return
        now = self.timeline.now(name)
        with self.timeline.moving(name, now and now.version, whole=now is not None and now.whole):
            if log.exists() and log.stat().st_size:
                self.mover.do("fold_sqlite", real)
            log.unlink(missing_ok=True)
            index.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what moves have left beside the files that are served."""
        served = {path.resolve() for path in self.files.values()}
        # A log beside what a link points to holds commits of what is served.
        served |= {real.with_name(real.name + end) for real in served for end in LOGS}
        for path in (self.folder / "data").iterdir():
            if path.stem.startswith("coming") and path.resolve() not in served:
                path.unlink()

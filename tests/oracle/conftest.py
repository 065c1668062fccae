from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from subjects import Subject

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def subjects():
    """Each collection laid out once, in memory where there is such a folder: entries are synced."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        made = {}

        def subject_of(name):
            if name not in made:
                made[name] = Subject(name, Path(folder))
            return made[name]

        yield subject_of
        for subject in made.values():
            subject.close()
